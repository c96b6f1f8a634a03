package record

import (
	"slices"
	"sync"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/flight"
)

// slack is by how much a sample may come later than the limits of the scenario
// allow: a canceled request takes a moment to return.
const slack = time.Second

// Recorder takes samples. Take is called from one goroutine at a time, as
// [loadtest.Sink] has it; all methods may be called beside it.
type Recorder struct {
	scenario *loadtest.Scenario
	horizon  time.Duration // a sample is known at the latest so long after it was due
	judged   []bool        // by phase

	mu      sync.Mutex
	now     time.Duration // the latest end of a sample
	ended   bool
	traffic []*traffic
	series  *series
	gaps    flight.Gaps
	level   *flight.Level
	burst   *flight.Burst
	classes classes
	recent  recent
	total   Live
}

var _ loadtest.Sink = (*Recorder)(nil)

// New returns a recorder of a run that has not begun.
func New(s *loadtest.Scenario) *Recorder {
	horizon := s.Client.Timeout + s.Client.LateLimit + slack
	r := &Recorder{
		scenario: s, horizon: horizon, judged: judged(s.Phases),
		series: newSeries(), level: flight.NewLevel(horizon), burst: flight.NewBurst(horizon),
	}
	for i := range s.Traffic {
		r.traffic = append(r.traffic, &traffic{is: &s.Traffic[i]})
	}
	return r
}

// judged says by phase what percentiles are of: judged phases, or all if none is.
func judged(phases []loadtest.Phase) []bool {
	none := !slices.ContainsFunc(phases, func(p loadtest.Phase) bool { return p.Judged })
	out := make([]bool, len(phases))
	for i, p := range phases {
		out[i] = p.Judged || none
	}
	return out
}

// Plan says how many hits of a traffic, by its index, the schedule has up to a
// time since the start. It is called before the first sample; without it what
// came is what was planned. A run that is stopped early does not plan what is
// after [Recorder.End].
func (r *Recorder) Plan(traffic int, planned func(until time.Duration) uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.traffic[traffic].plan = planned
}

// Take implements [loadtest.Sink]. It neither allocates nor waits for anything
// slow.
func (r *Recorder) Take(s *loadtest.Sample) {
	if s.Traffic < 0 || s.Traffic >= len(r.traffic) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	r.advance(s.Done)
	t := r.traffic[s.Traffic]
	t.take(s, s.Phase >= 0 && s.Phase < len(r.judged) && r.judged[s.Phase])
	r.total.take(s)
	if s.Outcome != loadtest.OK {
		r.classes.take(s)
	}
	if s.Sent > 0 {
		r.burst.Take(s.Sent)
	}
	if !t.is.Judged {
		return
	}
	r.series.take(s, t.plan == nil)
	r.recent.take(s)
	if s.Sent > 0 {
		r.gaps.Take(s.Sent, s.Done, s.Outcome.Completes())
		r.level.Take(s.Sent, s.Done)
	}
}

// advance closes the seconds that lie a horizon back.
func (r *Recorder) advance(now time.Duration) {
	if now <= r.now {
		return
	}
	r.now = now
	r.recent.advance(now)
	if line := now - r.horizon; line >= r.series.closed()+time.Second {
		r.settle(line)
	}
}

// settle closes the seconds that end at line or before.
func (r *Recorder) settle(line time.Duration) {
	r.burst.Settle(line)
	for end := r.series.closed() + time.Second; end <= line; end += time.Second {
		longest := time.Duration(0)
		r.gaps.Settle(end, func(g flight.Gap) { longest = max(longest, g.To-g.From) })
		r.series.closeOne(longest, r.level.Settle(end).Most)
	}
}

// End says when the run ended. Every second is closed then, and nothing is taken
// any more.
func (r *Recorder) End(at time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at = max(at, r.now)
	r.now, r.ended = at, true
	r.settle((at + time.Second - 1).Truncate(time.Second))
	r.series.end(at)
}

// Traffic returns the sums so far, in the order of the scenario.
func (r *Recorder) Traffic() ([]loadtest.TrafficReport, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]loadtest.TrafficReport, 0, len(r.traffic))
	for _, t := range r.traffic {
		report, err := t.report(r.now)
		if err != nil {
			return nil, err
		}
		out = append(out, report)
	}
	return out, nil
}

// Series returns the rows of all seconds that are closed: before [Recorder.End]
// those that lie a horizon back.
func (r *Recorder) Series() []loadtest.Row {
	r.mu.Lock()
	defer r.mu.Unlock()
	rows := r.series.copy()
	for i := range rows {
		from, to := rows[i].At, rows[i].At+rows[i].For
		for _, t := range r.traffic {
			if t.plan != nil && t.is.Judged {
				rows[i].Planned += t.plan(to) - min(t.plan(from), t.plan(to))
			}
		}
	}
	return rows
}

// Errors returns the classes of what went wrong, the most frequent first, and
// [Other] last.
func (r *Recorder) Errors() []loadtest.ErrorClass {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.classes.report()
}

// WorstSend returns the most that was sent within a tenth of a second, as a
// rate per second, over all traffic.
func (r *Recorder) WorstSend() float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.burst.Most()
}
