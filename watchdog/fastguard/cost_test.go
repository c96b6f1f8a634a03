package fastguard_test

import (
	"net"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog/guard"
)

// nothing is a connection on which everything has always arrived.
type nothing struct{ net.Conn }

func (nothing) Read(p []byte) (int, error)  { return len(p), nil }
func (nothing) Write(p []byte) (int, error) { return len(p), nil }
func (nothing) Close() error                { return nil }
func (nothing) LocalAddr() net.Addr         { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

func (nothing) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 54321} }

// BenchmarkGuard is all that the guard does for one request, without the
// server and without the kernel.
func BenchmarkGuard(b *testing.B) {
	g, stop := newGuard(b)
	defer stop()
	g.Adopt(nothing{})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	l := g.Listen(ln)
	defer l.Close()
	nc, err := l.Accept()
	if err != nil {
		b.Fatal(err)
	}
	c := guard.Of(nc)
	buf := make([]byte, 100)
	at := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		_, _ = nc.Read(buf)
		c.Active()
		c.Begin(guard.Begin{Route: -1, At: at})
		c.Enter(0, guard.Limits{Deadline: time.Hour})
		_, _ = nc.Write(buf)
		c.Idle()
	}
	c.Closed()
}

// TestARequestCostsNoAllocation keeps what the benchmark found.
func TestARequestCostsNoAllocation(t *testing.T) {
	result := testing.Benchmark(BenchmarkGuard)
	if n := result.AllocsPerOp(); n != 0 {
		t.Errorf("%d allocations for each request", n)
	}
}
