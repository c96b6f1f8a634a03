package attack

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/pace"
)

// Simulation is the dispatcher of one traffic in a time that a test makes: it
// passes only while the dispatcher waits, and in what the test calls work.
type Simulation struct {
	lane  *lane
	clock *simulated
	ended context.CancelFunc
	All   []loadtest.Sample // in the order in which they ended
	busy  int
	Slow  time.Duration // that workers take to give a slot back
	Peak  int           // most in flight
}

// Simulate prepares the first traffic of s. WakeUp is how late the dispatcher
// wakes up, service how long the target takes for a request that it gets then.
func Simulate(s *loadtest.Scenario, wakeUp func(at time.Duration) time.Duration, service func(sent time.Duration) time.Duration) *Simulation {
	sim := &Simulation{clock: &simulated{wakeUp: wakeUp}}
	a, err := New(Config{Scenario: s, Sink: sim, Schedule: func(i, j int) (pace.Schedule, error) { return pace.In(s, i, j) }, Engine: sim.engine(service)})
	if err != nil {
		panic(err)
	}
	sim.lane = a.lanes[0]
	sim.lane.clock = sim.clock
	var ctx context.Context
	ctx, sim.ended = context.WithCancel(context.Background())
	sim.lane.ctx = ctx
	return sim
}

// Run sends everything. Work is what the dispatcher spends on each hit.
func (s *Simulation) Run(work func(at time.Duration) time.Duration) {
	s.clock.work = work
	done := make(chan struct{})
	go func() { defer close(done); s.lane.attack.outbox.run() }()
	s.lane.run(s.lane.ctx)
	s.clock.drain()
	s.lane.attack.outbox.close()
	<-done
}

// Freeze says that the canary is overdue from one time to another.
func (s *Simulation) Freeze(from, to time.Duration) {
	s.clock.frozen = append(s.clock.frozen, [2]time.Duration{from, to})
}

// Generator is what the generator thinks of itself.
func (s *Simulation) Generator() loadtest.GeneratorReport { return s.lane.attack.Generator() }

// End ends the run at that time.
func (s *Simulation) End(at time.Duration) { s.clock.at(at, s.ended) }

func (s *Simulation) Take(sample *loadtest.Sample) { s.All = append(s.All, *sample) }

// engine sends in no time, and answers when the test says: its Run does not wait
// for that, because all that happens in simulated time is one thing after another.
func (s *Simulation) engine(service func(time.Duration) time.Duration) Engine {
	return engineFunc(func(_ int, next func() *Hit, _ func(*Hit)) {
		for h := next(); h != nil; h = next() {
			sample := h.sample
			s.clock.passed(s.clock.work)
			sample.Sent = s.clock.time
			sample.Done = sample.Sent + service(sample.Sent)
			s.busy++
			s.Peak = max(s.Peak, s.busy)
			s.clock.at(sample.Done+s.Slow, func() {
				s.busy--
				s.lane.attack.slots.release(sample.Done)
				s.lane.attack.outbox.put(&sample)
			})
		}
	})
}

type engineFunc func(int, func() *Hit, func(*Hit))

func (f engineFunc) Run(workers int, next func() *Hit, send func(*Hit)) { f(workers, next, send) }

// simulated is a clock. Events happen when it passes them.
type simulated struct {
	time   time.Duration
	wakeUp func(time.Duration) time.Duration
	work   func(time.Duration) time.Duration
	events []event
	frozen [][2]time.Duration // stretches in which the canary is overdue
}

type event struct {
	at time.Duration
	do func()
}

func (c *simulated) at(at time.Duration, do func()) {
	i := len(c.events)
	for i > 0 && c.events[i-1].at > at {
		i--
	}
	c.events = append(c.events[:i], append([]event{{at, do}}, c.events[i:]...)...)
}

func (c *simulated) passed(d func(time.Duration) time.Duration) { c.pass(c.time + d(c.time)) }

// pass lets time pass until then, with what happens meanwhile.
func (c *simulated) pass(until time.Duration) {
	for len(c.events) > 0 && c.events[0].at <= until {
		e := c.events[0]
		c.events = c.events[1:]
		c.time = max(c.time, e.at)
		e.do()
	}
	c.time = max(c.time, until)
}

func (c *simulated) drain() {
	for len(c.events) > 0 {
		c.pass(c.events[0].at)
	}
}

func (c *simulated) overdue(at time.Duration) time.Duration {
	sum := time.Duration(0)
	for _, f := range c.frozen {
		sum += max(0, min(at, f[1])-f[0])
	}
	return sum
}

func (c *simulated) now() time.Duration { return c.time }

func (c *simulated) sleep(ctx context.Context, d time.Duration) {
	until := c.time + d
	for c.time < until && ctx.Err() == nil {
		if next := until; len(c.events) > 0 && c.events[0].at < until {
			c.pass(max(c.time, min(next, c.events[0].at)))
			continue
		}
		c.pass(until)
	}
	if ctx.Err() == nil {
		c.passed(c.wakeUp)
	}
}

func (c *simulated) await(ctx context.Context, d time.Duration, grant <-chan time.Duration) (time.Duration, bool) {
	until := c.time + d
	for ctx.Err() == nil {
		select {
		case at := <-grant:
			return at, true
		default:
		}
		if len(c.events) == 0 || c.events[0].at >= until { // what happens just then is too late
			c.pass(until)
			return 0, false
		}
		c.pass(c.events[0].at)
	}
	return 0, false
}

// Rules for tests of the rules.
type Facts = facts

var (
	Rules    = rules
	LagLimit = lagLimit
)

// Search looks for the highest rate at which try succeeds.
func Search(failed float64, try func(rate float64) bool) (float64, error) {
	return search(failed, func(rate float64) (bool, error) { return try(rate), nil })
}

// Outbox is the queue between workers and the sink.
type Outbox struct{ *outbox }

func NewOutbox(deliver func([]loadtest.Sample)) Outbox { return Outbox{newOutbox(deliver)} }

func (o Outbox) Put(s *loadtest.Sample) { o.put(s) }
func (o Outbox) Run()                   { o.run() }
func (o Outbox) Close()                 { o.close() }

// Counts returns how many samples had to wait, and how many were lost.
func (o Outbox) Counts() (waited, lost uint64) { return o.waited.Load(), o.lost.Load() }

const OutboxSize = outboxSize

// Heap is what remembers the size of the heap.
type Heap = heap

func (h *heap) Add(at time.Duration, live uint64) { h.add(at, live) }

func (h *heap) Slope() (hour, growth float64, ok bool) { return h.slope() }

func (h *heap) Points() int { return len(h.points) }

// NewFacts returns facts of a generator with which all is well, changed.
func NewFacts(change func(*Facts)) *Facts {
	f := &facts{lagLimit: time.Millisecond, planned: 10_000, procs: 2, hits: 10_000}
	change(f)
	return f
}

var Quantile = quantile

// Ports counts sockets in a table of the kernel.
func Ports(table string, port, from, to int) int {
	return towards(io.Reader(strings.NewReader(table)), port, from, to)
}

// What can be wrong with a generator.

func Lag(d time.Duration) func(*Facts)         { return func(f *Facts) { f.lag = d } }
func Late(n uint64) func(*Facts)               { return func(f *Facts) { f.late = n } }
func Cores(n float64) func(*Facts)             { return func(f *Facts) { f.cores = n } }
func Delay(d time.Duration) func(*Facts)       { return func(f *Facts) { f.delay = d } }
func Faults(m map[string]uint64) func(*Facts)  { return func(f *Facts) { f.faults = m } }
func Null(c loadtest.Calibration) func(*Facts) { return func(f *Facts) { f.null = &c } }
func Grown(h Heap) func(*Facts)                { return func(f *Facts) { f.heap = h } }
func Queues(empty, waited, lost uint64) func(*Facts) {
	return func(f *Facts) { f.empty, f.waited, f.lost = empty, waited, lost }
}

// Canary is what knows when the process does not get to run.
type Canary struct{ canary }

func NewCanary(overdue, due time.Duration) *Canary {
	c := &Canary{}
	c.state.Store(&song{overdue, due})
	return c
}

func (c *Canary) Overdue(at time.Duration) time.Duration { return c.overdue(at) }

func (c *Canary) Run(ctx context.Context, now func() time.Duration) error { return c.run(ctx, now) }

var OurFault = ourFault

// Alarm is what wakes dispatchers.
type Alarm struct{ *alarm }

func NewAlarm() (Alarm, error) {
	a, err := newAlarm()
	return Alarm{a}, err
}

func (a Alarm) Sleep(ctx context.Context, d time.Duration) { a.sleep(ctx, d) }

func (a Alarm) Close() { a.close() }
