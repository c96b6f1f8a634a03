package dashboards_test

import (
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// STAND-IN. This plays the part of `seadog load run` until that exports these
// names itself: it shows, on a port of its own, the metrics of a load generator
// that does what the test does. To be replaced by the load tester; nothing but
// newGenerator and its use in proof_test.go has to go.

// standIn is such a generator.
type standIn struct {
	url      string
	sent     atomic.Int64 // answered 202 or 200
	refused  atomic.Int64 // answered 401, as they should be
	seconds  atomic.Int64 // ns that all of them took
	inflight atomic.Int64
}

func newGenerator(t *testing.T) *standIn {
	t.Helper()
	g := &standIn{}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g.url = ln.Addr().String()
	server := &http.Server{Handler: http.HandlerFunc(g.show), ReadHeaderTimeout: time.Second}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(ln) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return g
}

func (g *standIn) show(w http.ResponseWriter, _ *http.Request) {
	sent, refused := g.sent.Load(), g.refused.Load()
	all, sum := sent+refused, time.Duration(g.seconds.Load()).Seconds()
	const scenario = `scenario="proof"`
	counter := func(name, labels string, v int64) {
		fmt.Fprintf(w, "# TYPE %s counter\n%s{%s} %d\n", name, name, labels, v)
	}
	gauge := func(name, labels string, v int64) {
		fmt.Fprintf(w, "# TYPE %s gauge\n%s{%s} %d\n", name, name, labels, v)
	}
	histogram := func(name, labels string, n int64, sum float64) {
		fmt.Fprintf(w, "# TYPE %s histogram\n", name)
		for _, le := range []string{"0.025", "0.2", "1", "+Inf"} {
			fmt.Fprintf(w, "%s_bucket{%s,le=%q} %d\n", name, labels, le, n)
		}
		fmt.Fprintf(w, "%s_sum{%s} %g\n%s_count{%s} %d\n", name, labels, sum, name, labels, n)
	}
	counter("loadgen_hits_planned_total", scenario, all+g.inflight.Load())
	counter("loadgen_hits_sent_total", scenario, all)
	counter("loadgen_hits_dropped_total", scenario+`,reason="slot"`, 0)
	fmt.Fprintf(w, "# TYPE loadgen_responses_total counter\n")
	fmt.Fprintf(w, "loadgen_responses_total{%s,code=\"202\",outcome=\"ok\"} %d\n", scenario, sent)
	fmt.Fprintf(w, "loadgen_responses_total{%s,code=\"401\",outcome=\"expected\"} %d\n", scenario, refused)
	histogram("loadgen_response_seconds", scenario, all, sum)
	histogram("loadgen_service_seconds", scenario, all, sum)
	histogram("loadgen_schedule_lag_seconds", `cause="self"`, all, 0)
	gauge("loadgen_inflight_requests", "", g.inflight.Load())
	gauge("loadgen_threshold_ok", `threshold="response.p99 < 200ms"`, 1)
	gauge("loadgen_fault_active", `fault="kill a worker"`, 1)
	gauge("loadgen_run_info", `run_id="proof-1",version="test",scenario="proof"`, 1)
	gauge("loadgen_verdict", `verdict="PASS"`, 1)
}
