package main

import (
	"context"
	"sync"
	"time"

	"github.com/seadog/seadog/deployer/engine"
	"github.com/seadog/seadog/deployer/metrics"
)

// engineEvery is how often the engine is asked how it is. It is asked for what
// hangs when it is wedged (list and inspect), not for a ping.
const engineEvery = 10 * time.Second

// engineWatch remembers how the engine was when it was asked last, so that
// neither a scrape nor a health check ever waits for it.
type engineWatch struct {
	client *engine.Client

	mu    sync.Mutex
	state metrics.Engine
	err   error
}

func newEngineWatch(c *engine.Client) *engineWatch { return &engineWatch{client: c} }

// Run asks until ctx is done.
func (w *engineWatch) Run(ctx context.Context) error {
	tick := time.NewTicker(engineEvery)
	defer tick.Stop()
	for {
		latency, err := w.client.Probe(ctx)
		w.mu.Lock()
		w.state, w.err = metrics.Engine{Up: err == nil, Latency: max(latency.List, latency.Inspect)}, err
		w.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (w *engineWatch) last() metrics.Engine {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state
}

func (w *engineWatch) check(context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}
