package metrics

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seadog/seadog/deployer"
)

// tallier is the part of the store that is scraped.
type tallier interface {
	Tally(ctx context.Context) (deployer.Tally, error)
}

var _ tallier = deployer.Store(nil)

// Engine is what is known about the Docker engine.
type Engine struct {
	Up      bool
	Latency time.Duration // of the last probe
}

// Config is what a [Collector] collects from.
type Config struct {
	Store    tallier
	Counters func() Counters // nil: none. Must not block.
	Engine   func() Engine   // nil: the engine is not watched. Must not block.

	MaxAge  time.Duration // a tally younger than this is shown again; 1 s if 0
	Wait    time.Duration // a scrape waits this long for a new tally; 200 ms if 0
	Timeout time.Duration // of one tally; 5 s if 0

	Now func() time.Time // time.Now if nil
}

func (c *Config) complete() error {
	switch {
	case c.Store == nil:
		return errors.New("metrics: no store")
	case c.MaxAge < 0 || c.Wait < 0 || c.Timeout < 0:
		return errors.New("metrics: negative duration")
	}
	for _, d := range []struct {
		field    *time.Duration
		standard time.Duration
	}{{&c.MaxAge, time.Second}, {&c.Wait, 200 * time.Millisecond}, {&c.Timeout, 5 * time.Second}} {
		if *d.field == 0 {
			*d.field = d.standard
		}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}

// Collector shows the deployer to Prometheus. Its tally is as old as MaxAge at
// most while the store answers; while it does not, the last one known is shown
// and seadog_store_up is 0.
type Collector struct {
	cfg  Config
	asks chan struct{} // a scrape wants a new tally; one is enough

	mu    sync.Mutex
	tally deployer.Tally
	taken time.Time     // of tally; zero: none yet
	fresh chan struct{} // closed when the next attempt has ended
}

var _ prometheus.Collector = (*Collector)(nil)

// New returns a collector registered on reg. Its tally stays empty until Run.
func New(reg prometheus.Registerer, cfg Config) (*Collector, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	c := &Collector{cfg: cfg, asks: make(chan struct{}, 1), fresh: make(chan struct{})}
	if err := reg.Register(c); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return c, nil
}

// Run takes a tally whenever a scrape wants one. It returns nil when ctx ends.
func (c *Collector) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.asks:
		}
		c.refresh(ctx)
	}
}

func (c *Collector) refresh(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	tally, err := c.cfg.Store.Tally(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.tally, c.taken = tally, c.cfg.Now()
	}
	close(c.fresh)
	c.fresh = make(chan struct{})
}

// latest returns a tally that is young enough, or the last one known and false.
func (c *Collector) latest() (deployer.Tally, bool) {
	c.mu.Lock()
	tally, fresh := c.tally, c.fresh
	young := c.young()
	c.mu.Unlock()
	if young {
		return tally, true
	}
	select {
	case c.asks <- struct{}{}:
	default: // somebody asked already
	}
	timer := time.NewTimer(c.cfg.Wait)
	defer timer.Stop()
	select {
	case <-fresh:
	case <-timer.C:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tally, c.young()
}

// young is called with mu held.
func (c *Collector) young() bool {
	return !c.taken.IsZero() && c.cfg.Now().Sub(c.taken) < c.cfg.MaxAge
}

// Describe implements [prometheus.Collector].
func (c *Collector) Describe(descs chan<- *prometheus.Desc) {
	for _, d := range descriptions() {
		descs <- d
	}
}

// Collect implements [prometheus.Collector]. It takes at most Config.Wait.
func (c *Collector) Collect(out chan<- prometheus.Metric) {
	tally, up := c.latest()
	e := emitter{out: out}
	e.tally(tally, c.cfg.Now())
	e.gauge(descStoreUp, boolean(up))
	if c.cfg.Engine != nil {
		engine := c.cfg.Engine()
		e.gauge(descEngineUp, boolean(engine.Up))
		e.gauge(descEngineLatency, engine.Latency.Seconds())
	}
	if c.cfg.Counters != nil {
		e.counters(c.cfg.Counters())
	}
}
