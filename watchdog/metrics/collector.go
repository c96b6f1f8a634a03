package metrics

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seadog/seadog/watchdog/scoreboard"
)

// Config is what a [Collector] collects from.
type Config struct {
	Board *scoreboard.Board
	// Routes names, for each pool whose requests are to be shown, the routes of
	// the scoreboard that are its. Nil: all routes, for every pool that has slots.
	Routes map[string][]string

	MaxAge time.Duration // what was read from /proc is shown again for so long; 1 s if 0
	Wait   time.Duration // a scrape waits this long for /proc; 20 ms if 0
}

func (c *Config) complete() error {
	switch {
	case c.Board == nil:
		return errors.New("metrics: no scoreboard")
	case c.MaxAge < 0 || c.Wait < 0:
		return errors.New("metrics: negative duration")
	}
	if c.MaxAge == 0 {
		c.MaxAge = time.Second
	}
	if c.Wait == 0 {
		c.Wait = 20 * time.Millisecond
	}
	if c.Routes == nil {
		c.Routes = map[string][]string{}
		for _, p := range c.Board.Layout().Pools {
			if p.Slots > 0 {
				c.Routes[p.Name] = c.Board.Layout().Routes
			}
		}
	}
	return nil
}

// Collector shows a scoreboard to Prometheus.
type Collector struct {
	board  *scoreboard.Board
	routes map[string][]histogramAt
	slots  map[string]int // by pool; workers of one without accept unless they go
	usage  *sampler

	mu   sync.Mutex
	most map[string]map[string]float64 // processor time that was shown, by pool and place
}

// histogramAt is a route and where its histogram lies.
type histogramAt struct {
	route string
	at    int
}

var _ prometheus.Collector = (*Collector)(nil)

// New returns a collector registered on reg. What only /proc knows stays
// unknown until Run.
func New(reg prometheus.Registerer, cfg Config) (*Collector, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	c := &Collector{
		board: cfg.Board, routes: map[string][]histogramAt{}, most: map[string]map[string]float64{}, slots: map[string]int{},
		usage: newSampler(cfg.MaxAge, cfg.Wait, func() usage { return measure(cfg.Board.Snapshot()) }),
	}
	for _, p := range cfg.Board.Layout().Pools {
		c.slots[p.Name] = p.Slots
	}
	index := map[string]int{}
	for i, route := range cfg.Board.Layout().Routes {
		index[route] = i
	}
	for pool, routes := range cfg.Routes {
		for _, route := range routes {
			at, known := index[route]
			if !known {
				return nil, fmt.Errorf("metrics: the scoreboard has no route %q", route)
			}
			c.routes[pool] = append(c.routes[pool], histogramAt{route, at})
		}
	}
	if err := reg.Register(c); err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return c, nil
}

// Run reads /proc whenever a scrape wants it. It returns nil when ctx ends.
func (c *Collector) Run(ctx context.Context) error { return c.usage.run(ctx) }

// Describe implements [prometheus.Collector].
func (c *Collector) Describe(descs chan<- *prometheus.Desc) {
	for _, d := range descriptions() {
		descs <- d
	}
}

// Collect implements [prometheus.Collector]. It takes at most Config.Wait and
// what reading the scoreboard takes.
func (c *Collector) Collect(out chan<- prometheus.Metric) {
	used, up := c.usage.latest()
	s := c.board.Snapshot()
	e := emitter{out: out}
	e.master(s)
	for _, p := range s.Pools {
		e.pool(p)
		e.now(s, p, c.slots[p.Name] > 0)
		e.requests(p, c.routes[p.Name])
		e.workers(s, p, used)
		if used != nil {
			c.processors(e, p, used)
		}
	}
	e.gauge(descUsageUp, boolean(up))
}

// processors shows the processor time of each place: of those that are there,
// and of those that were there before them. For a moment one can be neither;
// what was shown once is not taken back.
func (c *Collector) processors(e emitter, p scoreboard.PoolState, used usage) {
	now := make([]time.Duration, len(p.CPU))
	copy(now, p.CPU)
	for _, w := range p.Workers {
		if i := w.ID.Index; i >= 0 && i < len(now) {
			now[i] += max(w.Spent, used[keyOf(w)].cpu)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	most := c.most[p.Name]
	if most == nil {
		most = map[string]float64{}
		c.most[p.Name] = most
	}
	for i, cpu := range now {
		index := fmt.Sprint(i)
		most[index] = max(most[index], cpu.Seconds())
		e.counter(descCPU, most[index], p.Name, index)
	}
}
