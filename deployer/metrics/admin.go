package metrics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Check is one condition of readiness.
type Check struct {
	Name string
	// Probe returns nil if all is well. It should respect ctx; if it does not,
	// it is reported as hanging and not started again until it comes back.
	Probe func(ctx context.Context) error
	// Advisory checks are shown but do not make the service unready.
	Advisory bool
}

// Admin answers for the admin process: /metrics, /healthz and /readyz.
type Admin struct {
	Gatherer prometheus.Gatherer
	Checks   []Check
	Deadline time.Duration // of each check; 1 s if 0
	Log      *slog.Logger
}

// Handler returns the HTTP handler of /metrics for everything that g gathers.
func Handler(g prometheus.Gatherer) http.Handler {
	return promhttp.HandlerFor(g, promhttp.HandlerOpts{
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: 8,
	})
}

// Run serves on ln until ctx ends, then finishes what it is answering, for 5 s
// at most. It closes ln, and returns when every check is back.
func (a Admin) Run(ctx context.Context, ln net.Listener) error {
	if a.Gatherer == nil || a.Log == nil {
		return errors.New("admin: gatherer and log are required")
	}
	if a.Deadline == 0 {
		a.Deadline = time.Second
	}
	probes := newProbes(a.Checks)
	defer probes.wait()
	server := &http.Server{
		Handler:           a.mux(probes),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(a.Log.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	served := make(chan error, 1)
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { served <- server.Serve(ln) })
	select {
	case err := <-served:
		return fmt.Errorf("serve admin: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		return errors.Join(err, server.Close())
	}
	return nil
}

func (a Admin) mux(probes *probes) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", Handler(a.Gatherer))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		answer := probes.ask(r.Context(), a.Deadline)
		w.Header().Set("Content-Type", "application/json")
		if !answer.Ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(answer)
	})
	return mux
}
