package run

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/attack"
	"github.com/seadog/seadog/loadtest/fault"
	"github.com/seadog/seadog/loadtest/hang"
	"github.com/seadog/seadog/loadtest/judge"
	"github.com/seadog/seadog/loadtest/ledger"
	"github.com/seadog/seadog/loadtest/observe"
	"github.com/seadog/seadog/loadtest/pace"
	"github.com/seadog/seadog/loadtest/record"
	"github.com/seadog/seadog/loadtest/target"
)

// trial is one run of a scenario, from its first request to its ledger.
type trial struct {
	scenario *loadtest.Scenario
	options  Options
	clock    *clock

	attack   *attack.Attack
	planned  []func(until time.Duration) uint64 // by traffic
	recorder *record.Recorder
	judge    *judge.Judge
	ledger   *ledger.Ledger // nil: nothing has an id
	observer *observe.Observer
	hang     *hang.Detector
	faults   *fault.Timeline

	answered bool              // somebody answered in HTTP
	aborts   []loadtest.Reason // why thresholds ended it
	stopped  []loadtest.Reason // that a signal did
	books    *loadtest.LedgerReport
	rested   time.Duration // when the service was at rest after the load
	end      time.Duration
}

// once runs a scenario once.
func once(ctx context.Context, s *loadtest.Scenario, o Options) (*loadtest.Report, error) {
	t := &trial{scenario: s, options: o, clock: newClock(), recorder: record.New(s), judge: judge.New(s)}
	if err := t.build(); err != nil {
		return nil, err
	}
	if err := t.run(ctx); err != nil {
		return nil, err
	}
	return t.report(context.WithoutCancel(ctx))
}

func (t *trial) build() (err error) {
	s, o := t.scenario, t.options
	wants, err := observe.Wants(s)
	if err != nil {
		return err
	}
	if counter := s.Target.Ledger.Counter; counter != "" {
		want, err := observe.ParseWant(counter)
		if err != nil {
			return fmt.Errorf("ledger: %w", err)
		}
		wants = append(wants, want)
	}
	t.observer, err = observe.New(observe.Config{
		Target: s.Target, Insecure: s.Client.Insecure, Wants: wants, Since: t.clock.since, Point: t.point, Log: o.Log,
	})
	if err != nil {
		return fmt.Errorf("watch the service: %w", err)
	}
	if t.attack, err = attack.New(attack.Config{Scenario: s, Run: o.ID, Sink: t, Log: o.Log, Calibration: o.Calibration}); err != nil {
		return err
	}
	t.hang, err = hang.New(hang.Config{
		Scenario: s, Since: t.clock.since, Inflight: t.inflight, Observer: t.observer, Parse: o.Stacks, Ask: o.Ask,
		Incidents: o.Incidents, Dir: o.Dir, AllowSIGQUIT: o.AllowSIGQUIT, Log: o.Log,
	})
	if err != nil {
		return err
	}
	if err := t.openLedger(); err != nil {
		return err
	}
	if err := t.planFaults(); err != nil {
		return err
	}
	return t.plan()
}

// planFaults finds out before the load whether all faults can be done.
func (t *trial) planFaults() (err error) {
	if len(t.scenario.Faults) == 0 {
		return nil
	}
	o := t.options
	t.faults, err = fault.New(fault.Config{
		Scenario: t.scenario, Log: o.Log, Roots: o.Roots, Pool: o.Pool, Network: o.Network,
		Disks: o.Disks, Console: o.Console, Helper: o.Helper, Events: t.event,
	})
	return err
}

// openLedger makes a ledger if the service says what it took.
func (t *trial) openLedger() (err error) {
	if l := t.scenario.Target.Ledger; l.URL == "" && l.Counter == "" {
		return nil
	}
	c := ledger.Config{Scenario: t.scenario, Run: t.options.ID, ID: target.IDs(t.scenario), Log: t.options.Log}
	if counter := t.scenario.Target.Ledger.Counter; counter != "" {
		if c.Counter, err = t.counter(counter); err != nil {
			return err
		}
	}
	t.ledger, err = ledger.New(c)
	return err
}

// counter returns how a counter of the service is read now.
func (t *trial) counter(metric string) (func(context.Context) (float64, error), error) {
	want, err := observe.ParseWant(metric)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	return func(ctx context.Context) (float64, error) {
		if err := t.observer.Scrape(ctx); err != nil {
			return 0, err
		}
		p, ok := t.observer.Sum(want)
		if !ok {
			return 0, fmt.Errorf("the service has no metric %s", metric)
		}
		return p.Value, nil
	}, nil
}

// plan finds out what is due until when.
func (t *trial) plan() error {
	for i := range t.scenario.Traffic {
		schedules := make([]pace.Schedule, len(t.scenario.Phases))
		for j := range schedules {
			var err error
			if schedules[j], err = pace.In(t.scenario, i, j); err != nil {
				return err
			}
		}
		due := func(until time.Duration) uint64 {
			planned := uint64(0)
			for j, schedule := range schedules {
				if at := until - t.scenario.Begins(j); at > 0 {
					planned += schedule.Planned(at)
				}
			}
			return planned
		}
		t.planned = append(t.planned, due)
		t.recorder.Plan(i, due)
	}
	return nil
}

// run sends the load and watches meanwhile. The error is about this machine.
func (t *trial) run(ctx context.Context) error {
	if t.ledger != nil {
		if err := t.ledger.Open(ctx); err != nil {
			t.options.Log.Warn("the ledger could not be opened before the load", loadtest.KeyError, err)
		}
	}
	watching, unwatch := context.WithCancel(context.WithoutCancel(ctx))
	var watchers sync.WaitGroup
	defer func() { unwatch(); watchers.Wait() }()
	watchers.Go(func() { _ = t.observer.Run(watching) })
	watchers.Go(func() { _ = t.hang.Run(watching) })
	t.settle(ctx)

	if err := t.load(ctx); err != nil {
		return err
	}
	// What was stopped is not waited for as long as the scenario says.
	settling, resting := ctx, ctx
	if ctx.Err() != nil || len(t.aborts) > 0 {
		var settled, rested context.CancelFunc
		settling, settled = context.WithTimeout(context.WithoutCancel(ctx), booksAfterStop)
		defer settled()
		resting, rested = context.WithTimeout(settling, restAfterStop)
		defer rested()
	}
	t.hang.Drain(resting)
	t.rested = t.clock.since()
	_ = t.observer.Scrape(settling) // how the service is when nobody asks anything any more; a failure is a gap
	if t.ledger != nil {
		books := t.ledger.Close(settling)
		t.books = &books
	}
	t.end = t.clock.since()
	t.recorder.End(t.end)
	return nil
}

// settle looks at the service until it is the same twice in a row: one that was
// started just now is not at rest yet, and would be compared with itself later.
func (t *trial) settle(ctx context.Context) {
	const looks, apart = 8, 250 * time.Millisecond
	was := -1.0
	for range looks {
		if t.observer.Scrape(ctx) != nil { // nothing can be seen of it, or it is a gap
			return
		}
		is, known := t.observer.Last(string(loadtest.MetricGoroutines))
		if !known || is.Value == was {
			return
		}
		was = is.Value
		select {
		case <-time.After(apart):
		case <-ctx.Done():
			return
		}
	}
}

// load sends everything, with faults and judgment beside it, until it is over,
// a threshold or ctx ends it.
func (t *trial) load(ctx context.Context) (err error) {
	sending, stop := context.WithCancel(ctx)
	defer stop()
	defer prefer()()
	var beside sync.WaitGroup
	defer beside.Wait()
	defer stop()
	beside.Go(func() {
		select {
		case <-t.attack.Started():
			t.clock.begin(t.attack.Start())
			t.judgeBeside(sending, stop)
		case <-sending.Done():
		}
	})
	if t.faults != nil {
		beside.Go(func() { err = errors.Join(err, t.disturb(sending)) })
	}
	sent := t.attack.Run(sending)
	stop()
	beside.Wait()
	if ctx.Err() != nil {
		t.stopped = append(t.stopped, loadtest.Reason{Verdict: stopVerdict(ctx), Text: "the run was stopped before its end", At: max(0, t.clock.since())})
	}
	return errors.Join(err, sent)
}

// disturb does the faults from the start of the load on.
func (t *trial) disturb(ctx context.Context) error {
	select {
	case <-t.attack.Started():
	case <-ctx.Done():
		return nil
	}
	return errors.Join(t.faults.Run(ctx), t.faults.Undo())
}

// judgeBeside lets the judge see the time pass, and ends the load when it says
// so, until ctx ends.
func (t *trial) judgeBeside(ctx context.Context, stop func()) {
	look, show := time.NewTicker(judgeEvery), time.NewTicker(watchEvery)
	defer look.Stop()
	defer show.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			if reasons := t.judge.Advance(t.clock.since()); len(reasons) > 0 {
				t.aborts = append(t.aborts, reasons...)
				stop()
				return
			}
		case <-show.C:
			t.show()
		}
	}
}
