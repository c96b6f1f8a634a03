package hang

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/observe"
)

const (
	tick     = 100 * time.Millisecond
	lateness = 500 * time.Millisecond // of a look, from which on this machine was at fault
	stale    = 3                      // intervals after which a value of the service is not known any more
)

// Detector watches one run. It is a [loadtest.Sink] besides: it counts what ends.
type Detector struct {
	config   Config
	limits   loadtest.Hang
	queue    *observe.Want // nil: not watched
	progress *observe.Want
	prober   *prober // nil: there is none
	rules    []rule
	events   events
	gatherer *gatherer
	drains   chan chan bool
	gone     chan struct{} // closed when Run has returned

	completed atomic.Uint64

	mu        sync.Mutex
	abandoned uint64
	last      Request // of those

	// Of Run's goroutine alone.
	before  rest // the load
	loaded  bool // there was a request
	looked  time.Duration
	woke    time.Duration
	gathers sync.WaitGroup
}

var _ loadtest.Sink = (*Detector)(nil)

// New returns a detector that has not begun.
func New(c Config) (*Detector, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	d := &Detector{config: c, limits: Limits(c.Scenario), drains: make(chan chan bool), gone: make(chan struct{})}
	d.rules = []rule{&silence{after: d.limits.After}, &stall{limit: d.limits.Gap}}
	address, err := probeURL(c.Scenario)
	if err != nil {
		return nil, err
	}
	if address != "" {
		d.prober = newProber(address, c.Scenario.Client.Insecure, c.Since)
		d.rules = append(d.rules, probing{})
	}
	for _, w := range []struct {
		text string
		want **observe.Want
	}{{d.limits.Queue, &d.queue}, {d.limits.Progress, &d.progress}} {
		if w.text == "" || c.Observer == nil {
			continue
		}
		want, err := observe.ParseWant(w.text)
		if err != nil {
			return nil, fmt.Errorf("hang: %w", err)
		}
		*w.want = &want
	}
	if d.queue != nil && d.progress != nil {
		d.rules = append(d.rules, &idleWork{})
	}
	d.gatherer = newGatherer(&d.config)
	return d, nil
}

// Take implements [loadtest.Sink].
func (d *Detector) Take(s *loadtest.Sample) {
	if s.Outcome.Completes() {
		d.completed.Add(1)
		return
	}
	if s.Outcome == loadtest.TimedOut && s.First == 0 && s.Sent > 0 && s.Done-s.Sent >= d.limits.After {
		name := ""
		if s.Traffic >= 0 && s.Traffic < len(d.config.Scenario.Traffic) {
			name = d.config.Scenario.Traffic[s.Traffic].Name
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.abandoned++
		d.last = Request{Traffic: name, Seq: s.Seq, Sent: s.Sent}
	}
}

// Run watches until ctx ends; then it finishes evidence that is being gathered
// within a second, and returns nil. It is to begin before the load does, to see
// the service at rest.
func (d *Detector) Run(ctx context.Context) error {
	defer close(d.gone)
	var wg sync.WaitGroup
	defer d.gathers.Wait()
	defer wg.Wait()
	if d.prober != nil {
		wg.Go(func() { d.prober.run(ctx) })
	}
	wg.Go(func() { d.gatherer.atRest(ctx) })
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	d.looked = d.config.Since()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			d.look(ctx)
		case reply := <-d.drains:
			reply <- d.drain(ctx, ticker.C)
		}
	}
}

// look takes the facts and lets all rules see them.
func (d *Detector) look(ctx context.Context) *facts {
	f := d.facts()
	if late := f.at - d.looked - tick; late > lateness {
		d.woke = f.at
		if d.looked >= 0 { // else the load has started, and with it the clock
			d.config.Log.Warn("this machine was late; that time does not count", slog.Duration(loadtest.KeyLag, late))
		}
	}
	d.looked = f.at
	f.woke = d.woke
	if d.loaded = d.loaded || f.completed > 0 || len(f.inflight) > 0; !d.loaded {
		d.before.known(d.rest(f, math.MinInt64))
	}
	for _, r := range d.rules {
		if e := d.events.note(r.name(), r.look(f), f.at); e != nil {
			d.begun(ctx, e, f)
		}
	}
	return f
}

func (d *Detector) facts() *facts {
	f := &facts{at: d.config.Since(), completed: d.completed.Load(), inflight: d.config.Inflight()}
	d.mu.Lock()
	f.abandoned, f.last = d.abandoned, d.last
	d.mu.Unlock()
	switch {
	case d.prober != nil:
		f.probe = d.prober.get()
	case d.config.Observer != nil: // it answers something, at least
		f.probe.healthy = d.config.Observer.Answers()
	}
	f.queue = d.sum(d.queue, f.at)
	f.progress = d.sum(d.progress, f.at)
	return f
}

// sum returns the newest value of what is wanted, if it is fresh.
func (d *Detector) sum(w *observe.Want, at time.Duration) level {
	if w == nil {
		return level{}
	}
	p, known := d.config.Observer.Sum(*w)
	return level{p, known && at-p.At <= d.fresh()}
}

func (d *Detector) fresh() time.Duration {
	return stale*max(d.config.Scenario.Target.Every, time.Second) + time.Second
}

// rest returns how busy the service is, of what is known since a time.
func (d *Detector) rest(f *facts, since time.Duration) rest {
	r := rest{inflight: len(f.inflight), queue: f.queue}
	if d.config.Observer != nil {
		p, known := d.config.Observer.Last(string(loadtest.MetricGoroutines))
		r.goroutines = level{p, known && f.at-p.At <= d.fresh() && p.At >= since}
	}
	r.queue.known = r.queue.known && r.queue.At >= since
	return r
}

// begun tells of a new event, and has evidence gathered.
func (d *Detector) begun(ctx context.Context, e *event, f *facts) {
	d.config.Log.Warn("the service is stuck", slog.String(loadtest.KeyRule, e.report.Rule), slog.String(loadtest.KeyText, e.report.Text))
	ev, fresh := d.gatherer.next(f.at)
	d.events.mu.Lock()
	e.evidence = ev
	shown := e.shown()
	d.events.mu.Unlock()
	if fresh {
		d.gathers.Go(func() { d.gatherer.gather(ctx, ev, f) })
	}
	d.config.Event(shown)
}

// Drain says that the load is over, and waits until the service is at rest,
// which is true, or the scenario's time for it is up, which is false and an
// event. It is false as well when ctx or Run ends before.
func (d *Detector) Drain(ctx context.Context) bool {
	reply := make(chan bool, 1)
	select {
	case d.drains <- reply:
	case <-d.gone:
		return false
	case <-ctx.Done():
		return false
	}
	select {
	case ok := <-reply:
		return ok
	case <-ctx.Done():
		return false
	}
}

// drain goes on looking until the service is at rest.
func (d *Detector) drain(ctx context.Context, ticks <-chan time.Time) bool {
	began := d.config.Since()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-ticks:
		}
		f := d.look(ctx)
		missing := d.before.back(d.rest(f, began))
		if missing == "" {
			return true
		}
		if f.age(began) < d.limits.Drain {
			continue
		}
		what := finding{stuck, began, fmt.Sprintf("%s after the load ended %s", round(f.at-began), missing)}
		if e := d.events.note("H5", what, f.at); e != nil {
			d.begun(ctx, e, f)
		}
		d.events.note("H5", finding{}, f.at)
		return false
	}
}

// Hangs returns what was seen so far, in the order in which it was seen. Of one
// that goes on, For grows; evidence is added when it is there.
func (d *Detector) Hangs() []loadtest.HangReport { return d.events.shown() }

// Dropped returns how many looks found a hang that is not in [Detector.Hangs],
// because there were too many.
func (d *Detector) Dropped() int {
	d.events.mu.Lock()
	defer d.events.mu.Unlock()
	return d.events.dropped
}
