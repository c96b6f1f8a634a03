package run

import (
	"context"
	"runtime"
	"slices"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/judge"
	"github.com/seadog/seadog/loadtest/leak"
)

// newReport returns a report that says what runs where, and nothing else yet.
func newReport(s *loadtest.Scenario, o Options) *loadtest.Report {
	r := &loadtest.Report{
		Schema: loadtest.SchemaVersion,
		Identity: loadtest.Identity{
			Run: o.ID, Scenario: s.Name, Description: s.Description, Digest: s.Digest, Seed: s.Seed, Target: s.Target.BaseURL,
			Started: time.Now(), Version: o.Version, Go: runtime.Version(), Kernel: kernel(), CPU: processor(),
			CPUs: runtime.NumCPU(), Procs: runtime.GOMAXPROCS(0), Descriptors: descriptors(),
		},
	}
	for i, p := range s.Phases {
		r.Phases = append(r.Phases, loadtest.PhaseReport{Name: p.Name, Begins: s.Begins(i), For: p.For, Judged: p.Judged, Scale: p.Scale})
	}
	return r
}

// report writes down what a trial was.
func (t *trial) report(ctx context.Context) (*loadtest.Report, error) {
	r := newReport(t.scenario, t.options)
	r.Identity.Started = r.Identity.Started.Add(-t.end)
	r.Identity.Elapsed = t.end
	var err error
	if r.Traffic, err = t.recorder.Traffic(); err != nil {
		return nil, err
	}
	r.Series, r.Errors = t.recorder.Series(), t.recorder.Errors()
	r.Generator = t.attack.Generator()
	r.Generator.WorstSend = t.recorder.WorstSend()
	r.Server = sinceStart(t.observer.Series())
	r.Hangs, r.Ledger = t.hang.Hangs(), t.books
	if t.faults != nil {
		r.Faults = t.faults.Reports()
	}
	facts := judge.Facts{End: t.end, Ledger: t.books, Hangs: len(r.Hangs), Leak: t.options.Leak}
	r.Leaks = t.judge.Leaks(facts)
	t.idle(r)
	r.Thresholds = t.judge.Results(facts)
	t.recoveries(r)
	r.Reasons = t.reasons(r)
	if what := t.protocol(ctx); what != "" {
		r.Notes = append(r.Notes, "the target does not speak HTTP: "+what)
	}
	conclude(r, t.options)
	return r, nil
}

// recoveries says of each fault how long the service took to come back.
func (t *trial) recoveries(r *loadtest.Report) {
	for _, rec := range t.judge.Recoveries() {
		if !rec.Known {
			continue
		}
		i := slices.IndexFunc(r.Faults, func(f loadtest.FaultReport) bool { return f.Name == rec.Fault && f.End == rec.Ended })
		if i >= 0 {
			r.Faults[i].Recover = &rec.Took
		}
	}
}

// idle adds to each leak test how the idle service differs: what was seen before
// the first request against what was seen when it was at rest again.
func (t *trial) idle(r *loadtest.Report) {
	requests := uint64(0)
	for _, tr := range r.Traffic {
		requests += tr.Sent
	}
	for i := range r.Leaks {
		l := &r.Leaks[i]
		for _, s := range t.observer.Series() {
			if s.Name != l.Series {
				continue
			}
			before := slices.DeleteFunc(slices.Clone(s.Points), func(p loadtest.Point) bool { return p.At > 0 })
			after := slices.DeleteFunc(slices.Clone(s.Points), func(p loadtest.Point) bool { return p.At < t.rested })
			l.Idle = leak.Idle(before[max(0, len(before)-1):], after, l.Unit, requests) // it was not settled before that
		}
	}
}

// sinceStart leaves out what was seen before the load.
func sinceStart(all []loadtest.ServerSeries) []loadtest.ServerSeries {
	var list []loadtest.ServerSeries
	for _, s := range all {
		s.Points = slices.DeleteFunc(slices.Clone(s.Points), func(p loadtest.Point) bool { return p.At < 0 })
		if len(s.Points) > 0 {
			list = append(list, s)
		}
	}
	return list
}
