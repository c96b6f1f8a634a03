package run

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/pace"
)

// searched returns the traffic whose capacity is searched, -1 if there is none.
func searched(s *loadtest.Scenario) int {
	return slices.IndexFunc(s.Traffic, func(t loadtest.Traffic) bool { return t.Pacing.Kind == loadtest.Search })
}

// search runs a scenario at one rate after the other until it is known what the
// service can do. The report is that of the highest rate that held, or else of
// the lowest that did not.
func search(ctx context.Context, s *loadtest.Scenario, o Options, traffic int) (*loadtest.Report, error) {
	pacing := s.Traffic[traffic].Pacing
	var trials []pace.Trial
	reports := map[float64]*loadtest.Report{}
	why := "the two are within 5 %"
	for ctx.Err() == nil {
		rate, more := pace.Next(pacing, trials)
		if !more {
			break
		}
		each := o
		each.ID = fmt.Sprintf("%s-%d", o.ID, len(trials)+1)
		if o.Dir != "" {
			each.Dir = filepath.Join(o.Dir, fmt.Sprintf("rate-%.0f", rate))
		}
		r, err := once(ctx, at(s, traffic, rate), each)
		if err != nil {
			return nil, err
		}
		reports[rate] = r
		if r.Verdict == loadtest.Invalid {
			why = fmt.Sprintf("at %.4g/s this machine was at fault: it cannot find more", rate)
			break
		}
		held := r.Verdict == loadtest.Pass
		o.Log.Info("tried a rate", loadtest.KeyRate, rate, loadtest.KeyHeld, held, loadtest.KeyVerdict, r.Verdict)
		trials = append(trials, pace.Trial{Rate: rate, Held: held})
	}
	held, failed := pace.Capacity(trials)
	r := reports[held]
	if held == 0 {
		r = reports[failed]
	}
	if r == nil { // not one trial ended with an answer
		for _, any := range reports {
			r = any
		}
	}
	if r == nil {
		r = newReport(s, o)
	}
	if ctx.Err() != nil {
		why = "the search was stopped"
		r.Reasons = append(r.Reasons, loadtest.Reason{Verdict: stopVerdict(ctx), Text: why})
		conclude(r, o)
	}
	r.Capacity = &loadtest.CapacityReport{Traffic: s.Traffic[traffic].Name, Held: held, Failed: failed, Why: why}
	return r, nil
}

// at returns the scenario with one traffic at a constant rate, in phases that
// are as long as one step of its search.
func at(s *loadtest.Scenario, traffic int, rate float64) *loadtest.Scenario {
	c := *s
	c.Traffic = slices.Clone(s.Traffic)
	p := s.Traffic[traffic].Pacing
	c.Traffic[traffic].Pacing = loadtest.Pacing{Kind: loadtest.Constant, Rate: rate}
	c.Phases = slices.Clone(s.Phases)
	for i := range c.Phases {
		if c.Phases[i].Judged && c.Phases[i].Scale > 0 {
			c.Phases[i].For = p.For
		}
	}
	return &c
}
