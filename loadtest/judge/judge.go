package judge

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/leak"
)

// slack is by how much a sample may come later than the limits of the scenario
// allow: a canceled request takes a moment to return.
const slack = time.Second

// horizon is when, after it was due, a request is known at the latest.
func horizon(s *loadtest.Scenario) time.Duration {
	return s.Client.Timeout + s.Client.LateLimit + slack
}

// every is how often the service is asked.
func every(s *loadtest.Scenario) time.Duration { return cmp.Or(s.Target.Every, time.Second) }

// Judge holds a run against the thresholds of its scenario. All methods may be called
// from several goroutines; Take is the only one that is called for each request.
type Judge struct {
	horizon time.Duration
	every   time.Duration

	mu         sync.Mutex
	now        time.Duration // of what was taken or told, the latest
	line       time.Duration // up to which everything is settled
	ended      bool
	faults     *faults
	rules      []*rule
	series     map[string]*series
	over       []*rule    // what a recovery looks at
	recoveries []Recovery // of faults that are over, and whose recovery is known
	awaited    []*recovery
}

var _ loadtest.Sink = (*Judge)(nil)

// Facts are what is known at the end of a run, and not from its samples.
type Facts struct {
	End    time.Duration          // of the run, drain included
	Ledger *loadtest.LedgerReport // nil: there was none
	Hangs  int                    // how many; negative: nobody looked
	Leak   leak.Options           // WarmUp, if the usual is too long for the run
}

// New returns a judge of a run that has not begun. The scenario's thresholds
// refer to what it has, see package spec.
func New(s *loadtest.Scenario) *Judge {
	j := &Judge{horizon: horizon(s), every: every(s), faults: &faults{}, series: map[string]*series{}}
	for i := range s.Thresholds {
		r := newRule(s, &s.Thresholds[i], j.faults)
		j.rules = append(j.rules, r)
		if r.windows != nil && r.t.InFault == "" {
			j.over = append(j.over, r)
		}
	}
	return j
}

// Take implements [loadtest.Sink].
func (j *Judge) Take(s *loadtest.Sample) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ended {
		return
	}
	j.advance(s.Done)
	for _, r := range j.rules {
		if s.Traffic >= 0 && s.Traffic < len(r.traffic) {
			r.take(s)
		}
	}
	for _, r := range j.awaited {
		r.take(s)
	}
}

// Server takes a point of one of the service's series: a noun like "rss", or a
// metric with its labels as Prometheus writes them. The points of one series come
// in order, and the series of one look have the same time.
func (j *Judge) Server(name string, p loadtest.Point) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ended || math.IsNaN(p.Value) || math.IsInf(p.Value, 0) {
		return
	}
	j.advance(p.At)
	s := j.series[name]
	if s == nil {
		s = newSeries(name, j.rules)
		j.series[name] = s
	}
	c := s.next(p)
	for _, f := range s.feeds {
		f.rule.service.point(f.rule, f, c)
		for _, r := range j.awaited {
			r.point(f, c)
		}
	}
}

// FaultBegan says that a fault is about to be done. It is to be called before
// the deed, or the first requests that suffer from it are not known to.
func (j *Judge) FaultBegan(name string, at time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.advance(at)
	for _, r := range j.awaited {
		if r.fault.name == name {
			r.until = min(r.until, at)
		}
	}
	j.faults.began(name, at)
}

// FaultEnded says that a fault has been undone, or that it was over at once.
func (j *Judge) FaultEnded(name string, at time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.advance(at)
	if f := j.faults.ended(name, at); f != nil && len(j.over) > 0 {
		j.awaited = append(j.awaited, newRecovery(f, j))
	}
}

// Advance says what time it is, so that windows close although nothing comes, and
// returns why the run is to be ended. Each reason is returned once. Samples may lag
// behind it by less than a second.
func (j *Judge) Advance(now time.Duration) []loadtest.Reason {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.advance(now)
	var reasons []loadtest.Reason
	for _, r := range j.rules {
		if r.aborts == 0 || r.windows == nil || r.windows.streak < r.aborts {
			continue
		}
		r.aborts = 0
		text := fmt.Sprintf("a window of %s failed", r.t.Over)
		if n := r.windows.streak; n > 1 {
			text = fmt.Sprintf("%d windows of %s failed in a row", n, r.t.Over)
		}
		reasons = append(reasons, loadtest.Reason{
			Verdict: loadtest.Aborted, Threshold: r.t.Text, At: j.now,
			Text: fmt.Sprintf("%s: %s; %s", r.t.Text, text, r.must(r.windows.worst)),
		})
	}
	return reasons
}

// advance settles what lies a horizon back.
func (j *Judge) advance(now time.Duration) {
	if now <= j.now || j.ended {
		return
	}
	j.now = now
	// Windows are at least a second long; a tenth is early enough.
	if line := (now - j.horizon).Truncate(settling); line > j.line {
		j.settle(line)
	}
}

func (j *Judge) settle(line time.Duration) {
	j.line = line
	for _, r := range j.rules {
		r.advance(line)
	}
	j.awaited = slices.DeleteFunc(j.awaited, func(r *recovery) bool {
		r.advance(line)
		if r.over {
			j.recoveries = append(j.recoveries, r.outcome())
		}
		return r.over
	})
}

// Results ends the run and returns what became of the thresholds, in the order
// of the scenario. Nothing is taken any more.
func (j *Judge) Results(f Facts) []loadtest.ThresholdResult {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.ended {
		j.now = max(j.now, f.End)
		j.end()
	}
	return j.results(f)
}

// Standing returns how the thresholds stand, for a terminal: what is known at the
// end only is [loadtest.Inconclusive] until then.
func (j *Judge) Standing() []loadtest.ThresholdResult {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.results(Facts{Hangs: -1})
}

// end closes everything. What was due last had no time to come: the sender has
// given a sample of it before.
func (j *Judge) end() {
	for _, r := range j.rules {
		r.end(j.now)
	}
	for _, r := range j.awaited {
		r.until = min(r.until, j.now)
	}
	j.settle((j.now + settling).Truncate(settling))
	j.ended = true
}

// Recoveries returns what is known of how the service came back after faults, in
// the order in which that became known. It is empty if no threshold has "over".
func (j *Judge) Recoveries() []Recovery {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.recoveries)
}

// Leaks returns the leak test behind each threshold of a slope, in their order.
func (j *Judge) Leaks(f Facts) []loadtest.LeakReport {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []loadtest.LeakReport
	for _, r := range j.rules {
		if r.kind == bySlope {
			out = append(out, r.points.test(r.t, f.Leak))
		}
	}
	return out
}

func (j *Judge) results(f Facts) []loadtest.ThresholdResult {
	out := make([]loadtest.ThresholdResult, 0, len(j.rules))
	for _, r := range j.rules {
		out = append(out, j.result(r, f))
	}
	return out
}
