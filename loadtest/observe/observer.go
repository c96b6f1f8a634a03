package observe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/seadog/seadog/loadtest"
)

const (
	standardEvery = time.Second
	shortest      = 10 * time.Millisecond // between two scrapes
	longestScrape = 5 * time.Second
)

// Config says what is watched. Zero fields are defaults.
type Config struct {
	Target   loadtest.Target // Metrics, PID or PIDFile, Every
	Insecure bool            // the certificate of the metrics' address is not checked
	Wants    []Want          // see [Wants]; the nouns are watched anyway
	// Since is the time since the start of the run; safe for several goroutines.
	Since func() time.Duration
	// Point gets every point, from one goroutine at a time. It must not call
	// the observer and must not block. nil: nobody.
	Point func(name string, p loadtest.Point)
	Log   *slog.Logger // nil: nobody
}

// Observer watches one service. Its methods may be called while it runs.
type Observer struct {
	config  Config
	scraper *scraper // nil: no metrics

	scrapes sync.Mutex // held while scraping

	mu        sync.Mutex // held while points are handed on
	held      bool       // points of /proc wait for the first scrape, which may know better
	processes *processes // nil: no process is named
	series    map[string]*series
	ranks     map[loadtest.Metric]rank
	gaps      map[Source]*gaps
	text      []byte // of the last scrape
	textAt    time.Duration
	readings  []reading // of it, those that are wanted
	scraped   bool
}

// New returns an observer that has not begun. A target of which nothing can be
// watched is no error: Run then waits for its end.
func New(c Config) (*Observer, error) {
	if c.Since == nil {
		return nil, errors.New("observe: Since is missing")
	}
	if c.Target.Every < 0 || c.Target.Every > 0 && c.Target.Every < shortest {
		return nil, fmt.Errorf("observe: every %s is too short; use at least %s", c.Target.Every, shortest)
	}
	c.Target.Every = cmp.Or(c.Target.Every, standardEvery)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Point == nil {
		c.Point = func(string, loadtest.Point) {}
	}
	o := &Observer{
		config: c, series: map[string]*series{}, ranks: map[loadtest.Metric]rank{},
		gaps: map[Source]*gaps{Metrics: {}, Process: {}},
	}
	if c.Target.Metrics.URL != "" {
		timeout := min(max(c.Target.Every, time.Second), longestScrape)
		o.scraper = newScraper(c.Target.Metrics, timeout, c.Insecure)
		o.held = true
	}
	if c.Target.PID > 0 || c.Target.PIDFile != "" {
		o.processes = &processes{pid: c.Target.PID, file: c.Target.PIDFile}
	}
	return o, nil
}

// Run watches until ctx ends, and returns nil.
func (o *Observer) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	if o.scraper != nil {
		defer o.scraper.client.CloseIdleConnections()
		wg.Go(func() { o.every(ctx, func() { _ = o.Scrape(ctx) }) }) // a failure is a gap
	}
	if o.processes != nil {
		wg.Go(func() { o.every(ctx, o.look) })
	}
	wg.Wait()
	<-ctx.Done()
	return nil
}

// every calls f at once and then at each tick; ticks that pass meanwhile are left out.
func (o *Observer) every(ctx context.Context, f func()) {
	ticker := time.NewTicker(o.config.Target.Every)
	defer ticker.Stop()
	for ctx.Err() == nil {
		f()
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

// Scrape asks for the metrics now, beside the ticks of Run. The error says why
// there were none.
func (o *Observer) Scrape(ctx context.Context) error {
	if o.scraper == nil {
		return errors.New("the scenario names no metrics")
	}
	o.scrapes.Lock()
	defer o.scrapes.Unlock()
	began := o.config.Since()
	families, text, err := o.scraper.scrape(ctx)
	at := o.config.Since()
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil {
		if ctx.Err() == nil { // else it was us who gave up
			o.held = false
			o.missed(Metrics, began, err)
		}
		return fmt.Errorf("metrics: %w", err)
	}
	o.gaps[Metrics].worked(at)
	o.text, o.textAt, o.scraped = text, at, true
	o.take(families, at)
	o.held = false
	return nil
}

// take hands on what a scrape gave.
func (o *Observer) take(families map[string]*dto.MetricFamily, at time.Duration) {
	o.readings = readings(families, o.config.Wants)
	for _, r := range o.readings {
		o.point(r.name, r.counts, loadtest.Point{At: at, Value: r.value})
	}
	for _, n := range nouns(families) {
		o.noun(n, at)
	}
}

// look reads /proc.
func (o *Observer) look() {
	found, err := o.processes.read()
	at := o.config.Since()
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil {
		o.missed(Process, at, err)
		return
	}
	o.gaps[Process].worked(at)
	if o.held {
		return
	}
	for _, n := range found {
		o.noun(n, at)
	}
}

func (o *Observer) missed(s Source, at time.Duration, err error) {
	g := o.gaps[s]
	if n := len(g.list); n == 0 || !g.list[n-1].Open {
		o.config.Log.Warn("the service gives nothing to watch", slog.String(loadtest.KeySource, string(s)), slog.String(loadtest.KeyError, err.Error()))
	}
	g.missed(s, at, err)
}

// noun hands on a value of one of the names that hold for every service,
// unless there is a better source of it.
func (o *Observer) noun(n noun, at time.Duration) {
	switch {
	case n.rank < o.ranks[n.name]:
		return
	case n.rank > o.ranks[n.name]:
		delete(o.series, string(n.name)) // what another source said is something else
		o.ranks[n.name] = n.rank
	}
	o.point(string(n.name), false, loadtest.Point{At: at, Value: n.value})
}

func (o *Observer) point(name string, counts bool, p loadtest.Point) {
	s := o.series[name]
	if s == nil && len(o.series) < mostSeries {
		s = &series{name: name, counts: counts}
		o.series[name] = s
	}
	if s != nil {
		s.add(p)
	}
	o.config.Point(name, p)
}

// Sum returns the sum over all series that w selects, of the last scrape that
// worked; false if it had none. w must be one of the wants of the
// configuration. Of a histogram name the part.
func (o *Observer) Sum(w Want) (loadtest.Point, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	p, found := loadtest.Point{At: o.textAt}, false
	for _, r := range o.readings {
		if w.of(r.metric, r) {
			p.Value += r.value
			found = true
		}
	}
	return p, found
}

// Last returns the last point of a name; false if there is none.
func (o *Observer) Last(name string) (loadtest.Point, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s, known := o.series[name]
	if !known {
		return loadtest.Point{}, false
	}
	return s.last, true
}

// Text returns what the last scrape that worked gave, and when; nil if none did.
func (o *Observer) Text() ([]byte, time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text, o.textAt
}

// Answers reports whether the last scrape worked, and false if there was none.
func (o *Observer) Answers() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := o.gaps[Metrics].list
	return o.scraped && (len(list) == 0 || !list[len(list)-1].Open)
}

// Series returns what is kept, the nouns first, then by name.
func (o *Observer) Series() []loadtest.ServerSeries {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := make([]loadtest.ServerSeries, 0, len(o.series))
	for _, s := range o.series {
		all = append(all, s.report())
	}
	slices.SortFunc(all, func(a, b loadtest.ServerSeries) int {
		_, first := o.ranks[loadtest.Metric(a.Name)]
		_, second := o.ranks[loadtest.Metric(b.Name)]
		if first != second {
			if first {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Name, b.Name)
	})
	return all
}

// Gone returns the stretches in which there was nothing to see, by source and
// in order of time.
func (o *Observer) Gone() []Gap {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Concat(o.gaps[Metrics].list, o.gaps[Process].list)
}
