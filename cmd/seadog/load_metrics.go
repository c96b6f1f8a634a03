package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/fault"
	"github.com/seadog/seadog/loadtest/metrics"
	loadrun "github.com/seadog/seadog/loadtest/run"
)

// lastScrape is how long the end of a run waits for Prometheus, which would not
// learn the verdict otherwise: a minute is the longest interval that people use.
const lastScrape = time.Minute

// loadExporter shows runs of the load tester to Prometheus, one after the other.
// Nil is one that shows nothing.
type loadExporter struct {
	server *http.Server
	served chan struct{}
	out    io.Writer // is told when a person has to wait

	registry atomic.Pointer[prometheus.Registry] // of the run that goes on, or of the last one
	run      *metrics.Metrics                    // the same
	looked   atomic.Bool                         // somebody does
	over     atomic.Bool                         // the last verdict is there
	seen     chan struct{}                       // holds one if that was scraped
}

// newLoadExporter serves at address until it is closed; nowhere if that is "".
func newLoadExporter(e *env, address string) (*loadExporter, error) {
	if address == "" {
		return nil, nil
	}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--metrics: %w", err)
	}
	x := &loadExporter{out: e.Stderr, served: make(chan struct{}), seen: make(chan struct{}, 1)}
	x.registry.Store(prometheus.NewRegistry())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", x.scrape)
	x.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		defer close(x.served)
		_ = x.server.Serve(ln)
	}()
	return x, nil
}

func (x *loadExporter) scrape(w http.ResponseWriter, r *http.Request) {
	over := x.over.Load()
	promhttp.HandlerFor(x.registry.Load(), promhttp.HandlerOpts{EnableOpenMetrics: true}).ServeHTTP(w, r)
	x.looked.Store(true)
	if over {
		select {
		case x.seen <- struct{}{}:
		default:
		}
	}
}

// attach has a run shown that is to be done with o.
func (x *loadExporter) attach(s *loadtest.Scenario, o *loadrun.Options) error {
	if x == nil {
		return nil
	}
	o.ID = loadrun.NewID()
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	run, err := metrics.New(reg, s, o.ID, o.Version)
	if err != nil {
		return err
	}
	watch, changed := o.Watch, o.Fault
	o.Sink = run
	o.Watch = func(st loadrun.Standing) {
		run.Stand(st.Planned, st.Counts.Inflight, st.Thresholds)
		if watch != nil {
			watch(st)
		}
	}
	o.Fault = func(ev fault.Event) {
		run.Fault(ev.Fault, ev.Change == fault.Began)
		if changed != nil {
			changed(ev)
		}
	}
	x.run = run
	x.registry.Store(reg)
	return nil
}

// end shows the verdict of the run that was attached last.
func (x *loadExporter) end(v loadtest.Verdict) {
	if x != nil && x.run != nil {
		x.run.End(v)
	}
}

// close waits until the verdict was scraped, if anybody scrapes, and ends.
func (x *loadExporter) close(ctx context.Context) {
	if x == nil {
		return
	}
	x.over.Store(true)
	if x.looked.Load() {
		fmt.Fprintf(x.out, "until Prometheus has read the verdict, for at most %s; ^C ends that\n", lastScrape)
		late := time.NewTimer(lastScrape)
		defer late.Stop()
		select {
		case <-x.seen:
		case <-late.C:
		case <-ctx.Done():
		}
	}
	_ = x.server.Close()
	<-x.served
}
