package fault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/fault/process"
)

// beginWithin is how long doing a fault may take, resolving its target included.
const beginWithin = 10 * time.Second

// Timeline does the faults of a scenario when they are due, and undoes them.
// Faults that could meet are done one after another: those of processes, those
// of one proxy. All others go their own ways, in a goroutine each.
type Timeline struct {
	config   Config
	plan     []Occurrence
	realm    *process.Realm
	guardian *process.Guardian

	ran   atomic.Bool
	start time.Time
	quit  chan struct{} // closed by Undo

	mu     sync.Mutex
	closed bool
	active []*active // in order of their beginning

	telling sync.Mutex // one event at a time
	records []record
}

// active is an occurrence that is on, or about to be.
type active struct {
	mu     sync.Mutex // held while it is done and undone
	handle Handle     // nil: not done, or undone
	record record
}

// New checks that all faults of the scenario can be done with what the config
// has, as far as that can be known before.
func New(c Config) (*Timeline, error) {
	plan, err := Plan(c.Scenario)
	if err != nil {
		return nil, fmt.Errorf("plan faults: %w", err)
	}
	t := &Timeline{config: c, plan: plan, start: c.Start, quit: make(chan struct{})}
	for _, f := range c.Scenario.Faults {
		k, _ := kindOf(f.Do.Kind)
		if err := c.need(f, k); err != nil {
			return nil, fmt.Errorf("fault %q: %w", f.Name, err)
		}
		if k.of == processes && t.realm == nil {
			if t.realm, err = newRealm(c); err != nil {
				return nil, fmt.Errorf("fault %q: %w", f.Name, err)
			}
		}
	}
	t.guardian = process.NewGuardian(c.Helper)
	return t, nil
}

func newRealm(c Config) (*process.Realm, error) {
	roots := c.Roots
	if c.Scenario.Target.PID != 0 {
		roots = append([]int{c.Scenario.Target.PID}, roots...)
	}
	return process.NewRealm(process.Config{Roots: roots, PIDFile: c.Scenario.Target.PIDFile, Pool: c.Pool})
}

// Run does the faults when they are due and undoes them when they end. It
// returns when all are over or ctx has ended, with nothing left on; that a fault
// could not be done or undone is no error of Run, but of the fault. It runs once.
func (t *Timeline) Run(ctx context.Context) error {
	if t.ran.Swap(true) {
		return errors.New("run faults: they ran already")
	}
	if t.start.IsZero() {
		t.start = time.Now()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var gone sync.WaitGroup
	gone.Go(func() {
		select {
		case <-t.quit:
		case <-ctx.Done():
		}
		cancel()
	})
	var lanes sync.WaitGroup
	for _, steps := range t.lanes() {
		lanes.Go(func() { t.follow(ctx, steps) })
	}
	lanes.Wait()
	cancel()
	gone.Wait()
	_ = t.Undo() // what could not be undone is in the reports
	return nil
}

// step is the beginning or the end of an occurrence.
type step struct {
	at         time.Duration
	begins     bool
	occurrence int // in the plan
}

// lanes returns what must happen one after the other, in order: at the same
// time, ends come first.
func (t *Timeline) lanes() [][]step {
	byName := map[string][]step{}
	for i, o := range t.plan {
		name := lane(t.config.Scenario.Faults[o.Fault])
		byName[name] = append(byName[name], step{o.Begin, true, i})
		if o.End > o.Begin {
			byName[name] = append(byName[name], step{o.End, false, i})
		}
	}
	var lanes [][]step
	for _, steps := range byName {
		slices.SortStableFunc(steps, func(a, b step) int {
			return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(rank(a.begins), rank(b.begins)), cmp.Compare(a.occurrence, b.occurrence))
		})
		lanes = append(lanes, steps)
	}
	return lanes
}

func rank(last bool) int {
	if last {
		return 1
	}
	return 0
}

// lane names what a fault must not meet others at.
func lane(f loadtest.Fault) string {
	k, _ := kindOf(f.Do.Kind)
	switch k.of {
	case processes, console:
		return fmt.Sprint(k.of)
	case network, disks:
		return fmt.Sprint(k.of, " ", f.Do.Target)
	}
	return fmt.Sprint(k.of, " ", f.Name)
}

// follow does steps when they are due.
func (t *Timeline) follow(ctx context.Context, steps []step) {
	on := map[int]*active{}
	for _, s := range steps {
		if !t.wait(ctx, s.at) {
			return
		}
		if s.begins {
			on[s.occurrence] = t.do(ctx, t.plan[s.occurrence])
		}
		if !s.begins || t.plan[s.occurrence].End == s.at {
			_ = t.finish(on[s.occurrence]) // it is in the reports
			delete(on, s.occurrence)
		}
	}
}

// wait waits for a time of the run; false: the context ended before.
func (t *Timeline) wait(ctx context.Context, at time.Duration) bool {
	timer := time.NewTimer(at - time.Since(t.start))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// do does one occurrence. It returns nil if it did not come about.
func (t *Timeline) do(ctx context.Context, o Occurrence) *active {
	f := t.config.Scenario.Faults[o.Fault]
	a := &active{record: record{name: f.Name, what: Describe(f), begin: time.Since(t.start)}}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !t.enter(a) {
		return nil
	}
	within, cancel := context.WithTimeout(ctx, beginWithin)
	defer cancel()
	h, err := t.carryOut(within, f, o)
	if err != nil {
		t.leave(a)
		if ctx.Err() == nil { // or else the run is over, and it is not missed
			a.record.done, a.record.end = err, time.Since(t.start)
			t.tell(a.record, Failed)
		}
		return nil
	}
	a.handle = h
	t.tell(a.record, Began)
	return a
}

// finish undoes what is on. A second time it does nothing.
func (t *Timeline) finish(a *active) error {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.handle == nil {
		return a.record.undo
	}
	a.record.undo = a.handle.Undo()
	a.record.effects = a.handle.Effects()
	a.record.end = time.Since(t.start)
	a.handle = nil
	t.leave(a)
	t.tell(a.record, Ended)
	return a.record.undo
}

// enter notes what is to be undone; false: nothing may begin any more.
func (t *Timeline) enter(a *active) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.active = append(t.active, a)
	return true
}

func (t *Timeline) leave(a *active) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.active = slices.DeleteFunc(t.active, func(one *active) bool { return one == a })
}

// Undo undoes all that is on, the last first, and lets nothing begin any more:
// Run returns. It may be called at any time, from any goroutine, more than once,
// and returns when everything is undone. The error says what could not be.
func (t *Timeline) Undo() error {
	t.mu.Lock()
	if !t.closed {
		t.closed = true
		close(t.quit)
	}
	on := slices.Clone(t.active)
	t.mu.Unlock()
	var errs []error
	for _, a := range slices.Backward(on) {
		errs = append(errs, t.finish(a))
	}
	return errors.Join(append(errs, t.guardian.Close())...)
}

// tell logs a change, keeps it if it is final, and passes it on.
func (t *Timeline) tell(r record, c Change) {
	t.telling.Lock()
	defer t.telling.Unlock()
	e := Event{Fault: r.name, What: r.what, Change: c, At: r.begin}
	switch c {
	case Began:
		t.config.Log.Info("fault began", loadtest.KeyFault, r.name, loadtest.KeyAction, r.what)
	case Failed:
		e.Err = r.done
		t.config.Log.Error("fault could not be done", loadtest.KeyFault, r.name, loadtest.KeyAction, r.what, loadtest.KeyError, r.done)
		t.records = append(t.records, r)
	case Ended:
		e.At, e.Err, e.Effects = r.end, r.undo, r.effects
		t.records = append(t.records, r)
		if r.undo != nil {
			t.config.Log.Error("fault could not be undone", loadtest.KeyFault, r.name, loadtest.KeyAction, r.what, loadtest.KeyError, r.undo)
			break
		}
		t.config.Log.Info("fault ended", loadtest.KeyFault, r.name, loadtest.KeyAction, r.what, loadtest.KeyEffects, r.effects)
	}
	if t.config.Events != nil {
		t.config.Events(e)
	}
}

// Reports returns the faults that are over, in order of their beginning.
func (t *Timeline) Reports() []loadtest.FaultReport {
	var reports []loadtest.FaultReport
	for _, r := range t.over() {
		reports = append(reports, r.report())
	}
	return reports
}

// Reasons returns what faults say against the run: that one could not be done,
// or undone.
func (t *Timeline) Reasons() []loadtest.Reason {
	var reasons []loadtest.Reason
	for _, r := range t.over() {
		if reason, ok := r.reason(); ok {
			reasons = append(reasons, reason)
		}
	}
	return reasons
}

func (t *Timeline) over() []record {
	t.telling.Lock()
	defer t.telling.Unlock()
	records := slices.Clone(t.records)
	slices.SortStableFunc(records, func(a, b record) int { return cmp.Compare(a.begin, b.begin) })
	return records
}
