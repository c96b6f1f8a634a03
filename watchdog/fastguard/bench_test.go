package fastguard_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/fastguard"
	"github.com/seadog/seadog/watchdog/guard"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// BenchmarkHealth is a small request over one connection, with a guard and
// without in turns, so that the machine's moods hit both. It reports the
// median of what a request takes, and of what the guard adds to it.
func BenchmarkHealth(b *testing.B) {
	const batch = 200
	g, stop := newGuard(b)
	defer stop()
	handler := func(ctx *fasthttp.RequestCtx) { ctx.SetBodyString("ok") }
	guarded := &fasthttp.Server{CloseOnShutdown: true, Handler: func(ctx *fasthttp.RequestCtx) {
		fastguard.Conn(ctx).Enter(0, guard.Limits{})
		handler(ctx)
	}}
	fastguard.Attach(g, guarded)
	plain := &fasthttp.Server{CloseOnShutdown: true, Handler: handler}
	without, with := load(b, plain, func(ln net.Listener) net.Listener { return ln }), load(b, guarded, g.Listen)
	var base, added []float64
	for b.Loop() {
		a, z := without(batch), with(batch)
		base = append(base, float64(a.Nanoseconds())/batch)
		added = append(added, float64((z-a).Nanoseconds())/batch)
	}
	slices.Sort(base)
	slices.Sort(added)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(base[len(base)/2], "ns/request")
	b.ReportMetric(added[len(added)/2], "ns-added/request")
}

func newGuard(t testing.TB) (*guard.Guard, func()) {
	t.Helper()
	board, file, err := scoreboard.Create(scoreboard.Layout{
		Pools:  []scoreboard.PoolLayout{{Name: "http", Regions: 1, Slots: 1024}},
		Routes: []string{"/a"},
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = file.Close()
	region := board.Pools()[0].Regions()[0]
	region.Begin(1, 0)
	region.Promote()
	g, err := guard.New(guard.Config{Region: region, Policy: watchdog.Policy{}, Routes: []string{"/a"}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	return g, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// load runs a server and returns what makes n requests, one after the other.
func load(b *testing.B, s *fasthttp.Server, wrap func(net.Listener) net.Listener) func(n int) time.Duration {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(wrap(ln)) }()
	nc, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = nc.Close()
		if err := s.Shutdown(); err != nil {
			b.Error(err)
		}
		<-done
	})
	request := []byte("GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
	answer := make([]byte, 4096)
	return func(n int) time.Duration {
		begun := time.Now()
		for range n {
			if _, err := nc.Write(request); err != nil {
				b.Fatal(err)
			}
			// A small answer comes in one piece.
			if n, err := nc.Read(answer); err != nil || !bytes.HasSuffix(answer[:n], []byte("ok")) {
				b.Fatalf("%q, %v", answer[:n], err)
			}
		}
		return time.Since(begun)
	}
}
