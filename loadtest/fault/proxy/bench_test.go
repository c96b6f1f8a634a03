package proxy_test

import (
	"io"
	"log/slog"
	"net"
	"runtime"
	"sync"
	"testing"

	"github.com/seadog/seadog/loadtest/fault/proxy"
)

// BenchmarkRoundTrip asks an echo 100 bytes: without a proxy, and through one
// that nothing disturbs.
func BenchmarkRoundTrip(b *testing.B) {
	for name, through := range map[string]bool{"direct": false, "proxy": true} {
		b.Run(name, func(b *testing.B) {
			c := echo(b, through)
			buf := make([]byte, 100)
			for b.Loop() {
				if _, err := c.Write(buf); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(c, buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkStream sends a MiB to an echo and takes it back.
func BenchmarkStream(b *testing.B) {
	for name, through := range map[string]bool{"direct": false, "proxy": true} {
		b.Run(name, func(b *testing.B) {
			c := echo(b, through)
			out, in := make([]byte, 1<<20), make([]byte, 1<<20)
			b.SetBytes(1 << 20)
			for b.Loop() {
				var gone sync.WaitGroup
				gone.Go(func() { _, _ = c.Write(out) })
				if _, err := io.ReadFull(c, in); err != nil {
					b.Fatal(err)
				}
				gone.Wait()
			}
		})
	}
}

// BenchmarkIdleConnection measures what a connection through a proxy holds of
// memory, this test's ends of it included.
func BenchmarkIdleConnection(b *testing.B) {
	const connections = 500
	for b.Loop() {
		before := inUse()
		conns := make([]net.Conn, connections)
		for i := range conns {
			conns[i] = echo(b, true)
		}
		b.ReportMetric(float64(inUse()-before)/connections, "B/connection")
		for _, c := range conns {
			_ = c.Close()
		}
	}
}

func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// echo connects to an echo.
func echo(b *testing.B, through bool) net.Conn {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address := l.Addr().String()
	if through {
		p := proxy.New(slog.New(slog.DiscardHandler))
		if address, err = p.Listen("echo", address); err != nil {
			b.Fatal(err)
		}
		run(b, p)
	}
	c, err := net.Dial("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	up, err := l.Accept()
	if err != nil {
		b.Fatal(err)
	}
	_ = l.Close()
	var gone sync.WaitGroup
	gone.Go(func() { _, _ = io.Copy(up, up) })
	b.Cleanup(func() {
		_ = c.Close()
		_ = up.Close()
		gone.Wait()
	})
	return c
}
