package attack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/pace"
	"github.com/seadog/seadog/loadtest/probe"
	"github.com/seadog/seadog/loadtest/target"
)

// grace is how long requests that are in flight may go on when the run is ended
// from outside: a service that works answers them, and is not blamed for us.
const grace = 500 * time.Millisecond

// Config is what an attack needs: at least Scenario, Run and Sink.
type Config struct {
	Scenario    *loadtest.Scenario
	Run         string // the run's id, part of all ids of requests
	Sink        loadtest.Sink
	Log         *slog.Logger
	Calibration *loadtest.Calibration // of this machine, for the report; nil: there was none
	Engine      Engine                // [Vegeta] by default

	Through  http.RoundTripper                               // in place of a connection to the target, by tests
	Schedule func(traffic, phase int) (pace.Schedule, error) // in place of [pace.In], by tests
}

// Attack sends the requests of a scenario when they are due.
type Attack struct {
	config Config
	engine Engine
	slots  *slots
	outbox *outbox
	vitals *vitals
	lanes  []*lane
	canary canary

	sent, done atomic.Uint64 // requests
	dropped    atomic.Uint64

	started chan struct{} // closed when what follows is set
	start   time.Time
	probe   *probe.Probe // nil: the run ended before it began
}

// New prepares a scenario. Errors say what is wrong with it.
func New(c Config) (*Attack, error) {
	s := c.Scenario
	switch {
	case s.Client.MaxInflight < 1:
		return nil, errors.New("client: max_inflight is how many requests may be in flight; write at least 1")
	case s.Client.LateLimit <= 0:
		return nil, errors.New("client: late_limit is how late a request may be sent; write one, like 2s")
	case s.Client.CatchUp < 0:
		return nil, errors.New("client: catch_up is how many times the rate may be sent to catch up; write one, like 2x")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Schedule == nil {
		c.Schedule = func(traffic, phase int) (pace.Schedule, error) { return pace.In(s, traffic, phase) }
	}
	if err := probe.Check(probe.Config{Client: s.Client, BaseURL: s.Target.BaseURL}); err != nil {
		return nil, err
	}
	a := &Attack{config: c, engine: c.Engine, slots: newSlots(s.Client.MaxInflight), started: make(chan struct{})}
	if a.engine == nil {
		a.engine = Vegeta{}
	}
	a.vitals = newVitals(s)
	a.outbox = newOutbox(a.deliver)
	for i := range s.Traffic {
		l, err := a.newLane(i)
		if err != nil {
			return nil, err
		}
		a.lanes = append(a.lanes, l)
	}
	return a, nil
}

func (a *Attack) newLane(traffic int) (*lane, error) {
	s := a.config.Scenario
	l := &lane{attack: a, index: traffic, limit: s.Client.LateLimit, grant: make(chan time.Duration, 1)}
	l.governor.factor = s.Client.CatchUp
	if f := s.Client.CatchUp; f > 0 && f <= 1 { // what was missed cannot be caught up with
		l.limit = min(l.limit, slack)
	}
	l.twin.governor.factor, l.twin.limit = l.governor.factor, l.limit
	for j := range s.Phases {
		schedule, err := a.config.Schedule(traffic, j)
		if err != nil {
			return nil, fmt.Errorf("traffic %q in phase %q: %w", s.Traffic[traffic].Name, s.Phases[j].Name, err)
		}
		l.phases = append(l.phases, stretch{phase: j, begins: s.Begins(j), schedule: schedule})
	}
	var err error
	l.magazine, err = target.New(target.Config{
		Run: a.config.Run, Seed: s.Seed, BaseURL: s.Target.BaseURL, Traffic: &s.Traffic[traffic],
		Memory: magazineMemory / int64(len(s.Traffic)),
	})
	return l, err
}

// magazineMemory is what bodies take that are kept ready, of all traffic.
const magazineMemory = 64 << 20

// workers are as many as there may be requests in flight, and a few that have
// done with theirs and are on their way to the next one.
func (a *Attack) workers() int {
	n := a.config.Scenario.Client.MaxInflight
	return n + 16 + n/8
}

// now is the time since the start of the run.
func (a *Attack) now() time.Duration { return time.Since(a.start) }

// Run sends everything, and returns when the last phase is over and everything
// has ended. When ctx ends, nothing is sent any more; what is in flight may go
// on for half a second. Every request that was due by then is in one sample. It
// must be called once. The error is about this machine, not about the target.
func (a *Attack) Run(ctx context.Context) error {
	alarms, err := newAlarms(len(a.lanes))
	if err != nil {
		return err
	}
	defer closeAll(alarms)
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var producers, watchers, outbox sync.WaitGroup
	defer func() { stop(); producers.Wait(); watchers.Wait() }()
	for _, l := range a.lanes {
		producers.Go(func() { _ = l.magazine.Run(background) })
	}
	if !a.filled(ctx) {
		close(a.started)
		return nil
	}
	if err := a.begin(alarms); err != nil {
		return err
	}
	defer a.probe.Close()
	watchers.Go(func() { _ = a.probe.Run(background) })
	watchers.Go(func() {
		if err := a.canary.run(background, a.now); err != nil {
			a.config.Log.Warn("the generator does not know how late it is", loadtest.KeyError, err)
		}
	})
	watchers.Go(func() { a.vitals.run(background, a.now) })
	outbox.Go(a.outbox.run)

	a.attack(ctx)
	a.outbox.close()
	outbox.Wait()
	c := a.Counts()
	a.config.Log.Info("attack ended", loadtest.KeyRun, a.config.Run, loadtest.KeySent, c.Sent, loadtest.KeyDropped, c.Dropped)
	return nil
}

// begin starts the clock.
func (a *Attack) begin(alarms []*alarm) (err error) {
	defer close(a.started)
	s := a.config.Scenario
	if len(alarms) > 0 {
		widen(alarms[0].fd, min(s.Client.MaxConns, s.Client.MaxInflight)+spareDescriptors)
	}
	a.start = time.Now()
	for i, l := range a.lanes {
		alarms[i].start, alarms[i].canary = a.start, &a.canary
		l.clock = alarms[i]
	}
	a.probe, err = probe.New(probe.Config{Client: s.Client, BaseURL: s.Target.BaseURL, Start: a.start, Through: a.config.Through})
	a.config.Log.Info("attack began", loadtest.KeyRun, a.config.Run, loadtest.KeyScenario, s.Name, loadtest.KeyTarget, s.Target.BaseURL, loadtest.KeyLength, s.Length())
	return err
}

// attack runs all lanes, and ends what is in flight if ctx ends before.
func (a *Attack) attack(ctx context.Context) {
	var lanes, guard sync.WaitGroup
	over := make(chan struct{})
	guard.Go(func() {
		select {
		case <-over:
			return
		case <-ctx.Done():
		}
		a.vitals.interrupted(a.now())
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-over:
		case <-timer.C:
			a.probe.Abort()
		}
	})
	for _, l := range a.lanes {
		lanes.Go(func() { l.run(ctx) })
	}
	lanes.Wait()
	a.rest(ctx)
	close(over)
	guard.Wait()
	a.vitals.over(a.now())
}

// rest waits for the end of the last phase: in those without load, others watch.
func (a *Attack) rest(ctx context.Context) {
	timer := time.NewTimer(a.config.Scenario.Length() - a.now())
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// filled waits until requests are ready to be sent, or ctx ends.
func (a *Attack) filled(ctx context.Context) bool {
	for _, l := range a.lanes {
		select {
		case <-l.magazine.Full():
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// send sends a hit that has a slot. Engines call it.
func (a *Attack) send(h *Hit) {
	s, shot := &h.sample, h.shot
	h.request = probe.Request{Method: shot.Method, URL: shot.URL, Host: shot.Host, Header: shot.Header, Body: shot.Body, Expect: shot.Expect}
	a.sent.Add(1)
	a.vitals.sending(a.now())
	free := a.probe.Send(&h.request, s)
	a.slots.release(s.Done)
	if free {
		h.lane.magazine.Return(shot)
	}
	a.outbox.put(s)
	h.lane.idle.Put(h)
}

// deliver gives samples to whoever wants them, in the outbox's goroutine.
func (a *Attack) deliver(samples []loadtest.Sample) {
	dropped := uint64(0)
	a.vitals.take(samples)
	for i := range samples {
		if samples[i].Outcome == loadtest.Dropped {
			dropped++
		}
		a.config.Sink.Take(&samples[i])
	}
	a.dropped.Add(dropped)
	a.done.Add(uint64(len(samples)) - dropped)
}

// Started is closed when the run has begun, or has ended before.
func (a *Attack) Started() <-chan struct{} { return a.started }

// begun reports whether the run has begun.
func (a *Attack) begun() bool {
	select {
	case <-a.started:
		return a.probe != nil
	default:
		return false
	}
}

// Start returns when the run began: the time that samples count from. It waits
// for that; the time is zero if the run ended before it began.
func (a *Attack) Start() time.Time {
	<-a.started
	return a.start
}

// Counts are sums so far.
type Counts struct {
	Planned  uint64 // due by now
	Sent     uint64
	Done     uint64 // of those, ended and delivered to the sink
	Dropped  uint64
	Inflight int
}

// Counts returns sums over all traffic.
func (a *Attack) Counts() Counts {
	if !a.begun() {
		return Counts{}
	}
	c := Counts{Sent: a.sent.Load(), Done: a.done.Load(), Dropped: a.dropped.Load()}
	now := a.now()
	for _, l := range a.lanes {
		c.Planned += l.planned(now)
	}
	_, c.Inflight = a.probe.Inflight(0)
	return c
}

// InFlight is a request that has been sent and has not ended.
type InFlight = probe.InFlight

// mostInflight is how many requests Inflight tells of.
const mostInflight = 100

// Inflight returns the oldest requests in flight, oldest first.
func (a *Attack) Inflight() []InFlight {
	if !a.begun() {
		return nil
	}
	oldest, _ := a.probe.Inflight(mostInflight)
	return oldest
}
