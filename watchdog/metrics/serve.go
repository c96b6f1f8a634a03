package metrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/worker"
)

// Pool returns a pool of one process that has the listener of that name and
// outlives the others when the service stops: what [Serve] is for.
func Pool(listener string) watchdog.Pool {
	return watchdog.Pool{Name: listener, Count: 1, Listeners: []string{listener}, StopStage: 1, StopGrace: stopGrace}
}

const stopGrace = 5 * time.Second

// Serve returns the work of a process that answers GET /metrics on the listener
// of that name, for all pools of its service, and GET /healthz for itself.
func Serve(listener string) func(w *worker.Worker, intake, work context.Context) error {
	return func(w *worker.Worker, intake, _ context.Context) error {
		ln, ok := w.Listeners()[listener]
		if !ok {
			return fmt.Errorf("serve metrics: the pool has no listener %q", listener)
		}
		registry := prometheus.NewRegistry()
		registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
		collector, err := New(registry, Config{Board: w.Board()})
		if err != nil {
			return errors.Join(err, ln.Close())
		}
		var wg sync.WaitGroup
		defer wg.Wait()
		ctx, cancel := context.WithCancel(intake)
		defer cancel()
		wg.Go(func() { _ = collector.Run(ctx) }) // it has no errors
		if err := w.Ready(); err != nil {
			w.Log().Warn("the master was not told", watchdog.KeyError, err)
		}
		return answer(ctx, ln, registry, w.Log())
	}
}

// answer serves until ctx ends, and then finishes what it is answering.
func answer(ctx context.Context, ln net.Listener, g prometheus.Gatherer, log *slog.Logger) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(g, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 8,
	}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n")) // the client may be gone
	})
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }() // ends with Shutdown or Close
	select {
	case err := <-served:
		return fmt.Errorf("serve metrics: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace/2)
	defer cancel()
	err := server.Shutdown(grace)
	if err != nil {
		err = errors.Join(err, server.Close())
	}
	<-served
	return err
}
