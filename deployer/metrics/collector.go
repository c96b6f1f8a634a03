package metrics

import (
	"context"
	"errors"
	"fmt"
	"runtime"
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
	// Refused is how many processes ask it nothing, because it did not answer them.
	Refused int
}

// Config is what a [Collector] collects from.
type Config struct {
	Version   string
	Providers []deployer.Provider // that are configured
	Store     tallier
	Counters  func() Counters // nil: none. Must not block.
	Engine    func() Engine   // nil: the engine is not watched. Must not block.

	MaxAge   time.Duration // a tally younger than this is shown again; 1 s if 0
	Wait     time.Duration // a scrape waits this long for a new tally; 20 ms if 0
	Patience time.Duration // a store that takes longer for one is not up; 1 s if 0
	Timeout  time.Duration // of one tally; 5 s if 0

	Now func() time.Time // time.Now if nil
}

func (c *Config) complete() error {
	switch {
	case c.Store == nil:
		return errors.New("metrics: no store")
	case c.MaxAge < 0 || c.Wait < 0 || c.Patience < 0 || c.Timeout < 0:
		return errors.New("metrics: negative duration")
	}
	for _, d := range []struct {
		field    *time.Duration
		standard time.Duration
	}{
		{&c.MaxAge, time.Second}, {&c.Wait, 20 * time.Millisecond}, {&c.Patience, time.Second}, {&c.Timeout, 5 * time.Second},
	} {
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
// and seadog_store_up is 0. Before the first one nothing of it is shown.
type Collector struct {
	cfg  Config
	asks chan struct{} // a scrape wants a new tally; one is enough

	mu    sync.Mutex
	tally deployer.Tally
	taken time.Time     // of tally; zero: none yet
	asked time.Time     // since when a new one is waited for; zero: it is not
	lost  bool          // the last attempt failed
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
	if c.lost = err != nil; !c.lost {
		c.tally, c.taken = tally, c.cfg.Now()
	}
	c.asked = time.Time{}
	select {
	case <-c.asks: // whoever asked meanwhile gets this one
	default:
	}
	close(c.fresh)
	c.fresh = make(chan struct{})
}

// state is what a scrape is told of the store.
type state struct {
	tally deployer.Tally
	taken time.Time // zero: never
	up    bool
}

// latest returns the newest tally, for which it waits a moment if that is old.
func (c *Collector) latest() state {
	fresh := c.ask()
	if fresh != nil {
		timer := time.NewTimer(c.cfg.Wait)
		defer timer.Stop()
		select {
		case <-fresh:
		case <-timer.C:
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	hangs := !c.asked.IsZero() && c.cfg.Now().Sub(c.asked) >= c.cfg.Patience
	return state{c.tally, c.taken, !c.taken.IsZero() && !c.lost && !hangs}
}

// ask wants a new tally unless the last one is young; it returns what is closed
// when there is another, or nil.
func (c *Collector) ask() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.taken.IsZero() && !c.lost && c.cfg.Now().Sub(c.taken) < c.cfg.MaxAge {
		return nil
	}
	if c.asked.IsZero() {
		c.asked = c.cfg.Now()
	}
	select {
	case c.asks <- struct{}{}:
	default: // somebody asked already
	}
	return c.fresh
}

// Describe implements [prometheus.Collector].
func (c *Collector) Describe(descs chan<- *prometheus.Desc) {
	for _, d := range descriptions() {
		descs <- d
	}
}

// Collect implements [prometheus.Collector]. It takes at most Config.Wait.
func (c *Collector) Collect(out chan<- prometheus.Metric) {
	s, now := c.latest(), c.cfg.Now()
	e := emitter{out: out}
	if !s.taken.IsZero() { // no numbers are better than numbers that go backwards
		e.tally(s.tally, c.cfg.Providers, now)
		e.gauge(descTallyAge, age(s.taken, now))
	}
	e.gauge(descStoreUp, boolean(s.up))
	e.gauge(descBuild, 1, c.cfg.Version, runtime.Version())
	if c.cfg.Engine != nil {
		engine := c.cfg.Engine()
		e.gauge(descEngineUp, boolean(engine.Up))
		e.gauge(descEngineLatency, engine.Latency.Seconds())
		e.gauge(descBreakerOpen, float64(engine.Refused))
	}
	if c.cfg.Counters != nil {
		e.counters(c.cfg.Counters())
	}
}
