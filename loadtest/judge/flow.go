package judge

import (
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/flight"
)

// settling is how often gaps and what was under way are looked at.
const settling = 100 * time.Millisecond

// flow is a tally of what was under way, in a window or in the whole scope.
type flow struct {
	n       uint64 // samples
	longest time.Duration
	load    flight.Load
}

func (f *flow) read(t *loadtest.Threshold, _ float64) reading {
	if t.Metric == loadtest.MetricGap {
		return reading{value: f.longest.Seconds(), n: f.n, known: f.n > 0 || f.longest > 0}
	}
	out := reading{n: f.n, known: f.n > 0 && f.load.Looks > 0}
	switch {
	case !out.known:
	case t.Aggregate == loadtest.Max:
		out.value = float64(f.load.Most)
	case t.Aggregate == loadtest.Min:
		out.value = float64(f.load.Least)
	case t.Aggregate == loadtest.Mean:
		out.value = f.load.Sum / float64(f.load.Looks)
	default:
		out.known = false
	}
	return out
}

func (f *flow) reset() { *f = flow{} }

// flights follow what is under way of the traffic of one rule.
type flights struct {
	settled time.Duration
	ended   time.Duration // of the run; never while it goes on
	gaps    flight.Gaps
	level   *flight.Level // nil: gaps are looked at
}

func (f *flights) take(s *loadtest.Sample) {
	switch {
	case s.Sent == 0:
	case f.level != nil:
		f.level.Take(s.Sent, s.Done)
	default:
		f.gaps.Take(s.Sent, s.Done, s.Outcome.Completes())
	}
}

// settle gives r what was under way up to line.
func (f *flights) settle(r *rule, line time.Duration) {
	for f.settled+settling <= line {
		step := stretch{f.settled, f.settled + settling}
		f.settled = step.to
		if f.level != nil {
			load := f.level.Settle(min(step.to, f.ended))
			if in := r.scope.moment(step); in != nil {
				if t, ok := r.tally(in, step.from).(*flow); ok {
					t.load.Add(load)
				}
			}
			continue
		}
		f.gaps.Settle(step.to, func(g flight.Gap) {
			for _, part := range r.scope.parts(stretch{g.From, g.To}) {
				if part.to > step.from {
					r.gap(part, step)
				}
			}
		})
	}
}

// gap counts a gap that went on or ended in step: in each window with its length so far.
func (r *rule) gap(gap, step stretch) {
	if r.windows == nil {
		t := r.whole.(*flow)
		t.longest = max(t.longest, gap.length())
		return
	}
	recent := gap.within(step)
	for _, in := range r.scope.stretches(recent) {
		part := recent.within(*in)
		for at := part.from; at < part.to; {
			end := r.windows.end(in, at)
			if end <= at {
				break // the run ended
			}
			if t, ok := r.tally(in, at).(*flow); ok {
				t.longest = max(t.longest, min(part.to, end)-gap.from)
			}
			at = end
		}
	}
}
