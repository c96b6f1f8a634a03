package judge_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/judge"
)

// The reference keeps everything and looks at it when all is over.

type faultTime struct {
	name     string
	from, to time.Duration
}

type reference struct {
	s       *loadtest.Scenario
	samples []loadtest.Sample
	faults  []faultTime
	end     time.Duration
}

// found is what a threshold comes to.
type found struct {
	value            float64
	n                uint64
	windows, failing int
	worst            time.Duration
	verdict          loadtest.Verdict
}

// place is a phase, or a time of the fault.
type place struct{ from, to time.Duration }

// in returns where a sample counts.
func (r *reference) in(t *loadtest.Threshold, s *loadtest.Sample) (place, bool) {
	overlaps := func(f faultTime) bool { return s.Due <= f.to && s.Done >= f.from }
	if t.InFault != "" {
		for _, f := range slices.Backward(r.faults) { // the latest one
			if f.name == t.InFault && overlaps(f) {
				return place{f.from, f.to}, true
			}
		}
		return place{}, false
	}
	phase := r.s.Phases[s.Phase]
	if t.Phase != phase.Name && (t.Phase != "" || !phase.Judged) {
		return place{}, false
	}
	if t.Outside && slices.ContainsFunc(r.faults, overlaps) {
		return place{}, false
	}
	from := r.s.Begins(s.Phase)
	return place{from, from + phase.For}, true
}

// measured returns what a sample counts for: its value, and whether it is one
// of those that a count or share is of.
func measured(m loadtest.Metric, s *loadtest.Sample) (value float64, hit, counts bool) {
	own := s.Outcome == loadtest.OwnFault
	seconds := func(d time.Duration) float64 { return float64(d) / float64(time.Second) }
	switch m {
	case loadtest.MetricResponse:
		return seconds(s.Done - s.Due), true, !own
	case loadtest.MetricService:
		return seconds(s.Done - s.Sent), true, !own && s.Sent > 0
	case loadtest.MetricFailed:
		return 0, s.Outcome != loadtest.OK, !own
	case loadtest.MetricDropped:
		return 0, s.Outcome == loadtest.Dropped, !own
	}
	return 0, s.Sent > 0, !own
}

// of returns the value over some samples.
func valueOf(t *loadtest.Threshold, samples []loadtest.Sample, length time.Duration) (value float64, n uint64, known bool) {
	var values []float64
	hits := 0.0
	for i := range samples {
		v, hit, counts := measured(t.Metric, &samples[i])
		if counts {
			values = append(values, v)
			if hit {
				hits++
			}
		}
	}
	n = uint64(len(values))
	if n == 0 {
		return 0, 0, false
	}
	slices.Sort(values)
	switch t.Aggregate {
	case loadtest.Quantile:
		return values[max(1, int(math.Ceil(t.Q*float64(n)-1e-6)))-1], n, true
	case loadtest.Max:
		return values[n-1], n, true
	case loadtest.Min:
		return values[0], n, true
	case loadtest.Count:
		return hits, n, true
	case loadtest.Ratio:
		return hits / float64(n), n, true
	case loadtest.Rate:
		if length <= 0 {
			return 0, n, false
		}
		return hits / length.Seconds(), n, true
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(n), n, true
}

// holds compares; near the limit of a quantile it fails.
func (f found) holds(t *loadtest.Threshold) bool {
	if t.Aggregate == loadtest.Quantile && math.Abs(f.value-t.Limit) < 0.002*t.Limit {
		return false
	}
	return t.Compare.Holds(f.value, t.Limit)
}

func (r *reference) judge(t *loadtest.Threshold) found {
	type key struct {
		place
		k int64
	}
	whole := []loadtest.Sample{}
	windows := map[key][]loadtest.Sample{}
	for i := range r.samples {
		s := &r.samples[i]
		if name, named := t.Label("scenario"); named && r.s.Traffic[s.Traffic].Name != name || !named && !r.s.Traffic[s.Traffic].Judged {
			continue
		}
		if in, ok := r.in(t, s); ok {
			whole = append(whole, *s)
			if t.Over > 0 {
				k := key{in, int64(max(0, s.Due-in.from) / t.Over)}
				windows[k] = append(windows[k], *s)
			}
		}
	}
	out := found{verdict: loadtest.Inconclusive}
	if t.Over == 0 {
		var known bool
		out.value, out.n, known = valueOf(t, whole, r.length(t))
		if known && out.n >= t.Needs() {
			out.verdict = verdictOf(out.holds(t))
		}
		return out
	}
	keys := []key{}
	for k := range windows {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b key) int {
		return int(a.from + time.Duration(a.k)*t.Over - b.from - time.Duration(b.k)*t.Over)
	})
	for _, k := range keys {
		from := k.from + time.Duration(k.k)*t.Over
		to := min(from+t.Over, k.to, r.end)
		f := found{worst: from}
		var known bool
		if f.value, f.n, known = valueOf(t, windows[k], to-from); !known || r.leftOut(t, from, to, f.n) {
			continue
		}
		out.windows++
		if !f.holds(t) {
			out.failing++
		}
		if out.windows == 1 || beyond(t, f.value) > beyond(t, out.value) {
			out.value, out.n, out.worst = f.value, f.n, f.worst
		}
	}
	if out.windows > 0 {
		out.verdict = verdictOf(out.failing == 0)
	}
	return out
}

func verdictOf(holds bool) loadtest.Verdict {
	if holds {
		return loadtest.Pass
	}
	return loadtest.SLO
}

// leftOut reports whether a window is not judged.
func (r *reference) leftOut(t *loadtest.Threshold, from, to time.Duration, n uint64) bool {
	if t.Outside && slices.ContainsFunc(r.faults, func(f faultTime) bool { return f.from < to && f.to >= from }) {
		return true
	}
	if to-from < t.Over {
		return n < t.Needs() || t.Aggregate == loadtest.Count && t.Compare == loadtest.GreaterEqual
	}
	return float64(n) < 0.8*float64(t.Needs())
}

// beyond orders values by how bad they are.
func beyond(t *loadtest.Threshold, v float64) float64 {
	if t.Compare == loadtest.GreaterEqual {
		return -v
	}
	return v
}

// length is how long the scope is, a millisecond after the other.
func (r *reference) length(t *loadtest.Threshold) time.Duration {
	sum := time.Duration(0)
	for at := time.Duration(0); at < r.end; at += ms {
		s := loadtest.Sample{Due: at + ms/2, Done: at + ms/2}
		for i := range r.s.Phases {
			if at >= r.s.Begins(i) {
				s.Phase = i
			}
		}
		inside := at < r.s.Length() || t.InFault != ""
		if _, ok := r.in(t, &s); ok && inside {
			sum += ms
		}
	}
	return sum
}

// anyScenario has random phases, traffic and thresholds about requests.
func anyScenario(r *rand.Rand) *loadtest.Scenario {
	s := scenario()
	for i := range s.Phases {
		s.Phases[i].For = time.Duration(2+r.IntN(8))*sec + time.Duration(r.IntN(10))*100*ms
		s.Phases[i].Judged = r.IntN(3) > 0
	}
	pick := func(n int) bool { return r.IntN(n) == 0 }
	for range 12 {
		m := []loadtest.Metric{loadtest.MetricResponse, loadtest.MetricService, loadtest.MetricFailed, loadtest.MetricDropped, loadtest.MetricSent}[r.IntN(5)]
		a := []loadtest.Aggregate{loadtest.Count, loadtest.Ratio, loadtest.Rate}[r.IntN(3)]
		t := loadtest.Threshold{Metric: m, Limit: []float64{0.05, 0.3, 2, 20}[r.IntN(4)], Text: "t"}
		if m == loadtest.MetricResponse || m == loadtest.MetricService {
			a = []loadtest.Aggregate{loadtest.Quantile, loadtest.Mean, loadtest.Max, loadtest.Min}[r.IntN(4)]
			t.Q = []float64{0.5, 0.9, 0.95, 0.99}[r.IntN(4)]
			t.Limit = []float64{0.004, 0.05, 0.5, 2}[r.IntN(4)]
		}
		t.Aggregate = a
		t.Compare = []loadtest.Comparison{loadtest.Less, loadtest.LessEqual, loadtest.GreaterEqual}[r.IntN(3)]
		if pick(2) {
			t.Over = []time.Duration{sec, 1550 * ms, 2 * sec, 5 * sec}[r.IntN(4)]
		}
		switch r.IntN(4) {
		case 0:
			t.Phase = s.Phases[r.IntN(3)].Name
		case 1:
			t.InFault = []string{"a", "b"}[r.IntN(2)]
		case 2:
			t.Outside = true
		}
		if pick(3) {
			t = labelled(t, "scenario", s.Traffic[r.IntN(3)].Name)
		}
		s.Thresholds = append(s.Thresholds, t)
	}
	return s
}

// anySamples are those of a run of s, in the order of their ends.
func anySamples(r *rand.Rand, s *loadtest.Scenario) []loadtest.Sample {
	var out []loadtest.Sample
	rest := int64(ms) + r.Int64N(int64(30*ms))
	slow := r.IntN(20)
	for due := time.Duration(1); due < s.Length(); due += time.Duration(r.Int64N(rest)) {
		x := answer(due, time.Duration(r.ExpFloat64()*float64(5*ms)))
		x.Traffic = r.IntN(3)
		for i := range s.Phases {
			if due >= s.Begins(i) {
				x.Phase = i
			}
		}
		switch n := r.IntN(100); {
		case n < slow:
			x.Done = x.Sent + time.Duration(r.Int64N(int64(2*sec)))
		case n < 22:
			x.Done, x.Outcome, x.Status = x.Sent+2*sec, loadtest.TimedOut, 0
		case n < 24:
			x.Outcome, x.Status = loadtest.Unexpected, 500
		case n < 26:
			x.Outcome, x.Status = loadtest.Broken, 0
		case n < 28:
			x = loadtest.Sample{Traffic: x.Traffic, Phase: x.Phase, Due: due, Ready: due, Done: due + sec, Outcome: loadtest.Dropped}
		case n < 30:
			x.Sent, x.Done, x.Outcome = 0, due+ms, loadtest.OwnFault
		}
		out = append(out, x)
	}
	slices.SortStableFunc(out, func(a, b loadtest.Sample) int { return int(a.Done - b.Done) })
	return out
}

func anyFaults(r *rand.Rand, s *loadtest.Scenario) []faultTime {
	var out []faultTime
	for _, name := range []string{"a", "b"} {
		at := time.Duration(r.Int64N(int64(s.Length())))
		for range r.IntN(4) {
			lasts := time.Duration(r.IntN(2000)) * ms * time.Duration(r.IntN(2))
			at = at.Truncate(ms)
			out = append(out, faultTime{name, at, at + lasts})
			at += lasts + time.Duration(1+r.Int64N(int64(3*sec)))
		}
	}
	slices.SortStableFunc(out, func(a, b faultTime) int { return int(a.from - b.from) })
	return out
}

func TestJudgeSaysWhatOneWhoKeepsEverythingSays(t *testing.T) {
	t.Parallel()
	seen := map[loadtest.Verdict]int{}
	for seed := range seeds(200) {
		r := rand.New(rand.NewPCG(seed, 11))
		s := anyScenario(r)
		ref := &reference{s: s, samples: anySamples(r, s), faults: anyFaults(r, s)}
		var events []event
		for _, f := range ref.faults {
			events = append(events, began(f.name, f.from), ended(f.name, f.to))
			ref.end = max(ref.end, f.to)
		}
		for range r.IntN(20) {
			events = append(events, event{time.Duration(r.Int64N(int64(s.Length()))), func(j *judge.Judge, at time.Duration) {
				j.Advance(at)
				j.Standing()
			}})
		}
		ref.end = max(ref.end, s.Length(), ref.samples[len(ref.samples)-1].Done)
		got := run(judge.New(s), ref.samples, events...).Results(judge.Facts{End: ref.end})
		for i := range s.Thresholds {
			compare(t, seed, ref, &s.Thresholds[i], got[i])
			seen[got[i].Verdict]++
		}
		if t.Failed() {
			return
		}
	}
	for _, v := range []loadtest.Verdict{loadtest.Pass, loadtest.SLO, loadtest.Inconclusive} {
		if seen[v] < 10 {
			t.Errorf("%s came out %d times only: the test shows little", v, seen[v])
		}
	}
}

func compare(t *testing.T, seed uint64, ref *reference, threshold *loadtest.Threshold, got loadtest.ThresholdResult) {
	t.Helper()
	want := ref.judge(threshold)
	close := math.Abs(got.Value-want.value) <= 0.0011*math.Abs(want.value)+2e-6
	edge := threshold.Aggregate == loadtest.Quantile && math.Abs(want.value-threshold.Limit) < 0.01*threshold.Limit
	switch {
	case !close, got.Verdict != want.verdict && !edge, got.Windows != want.windows, got.Failing != want.failing && !edge,
		got.N != want.n && threshold.Over == 0,
		want.windows > 0 && got.Worst != want.worst && threshold.Aggregate != loadtest.Quantile:
		t.Errorf("seed %d: %+v\ngot  %+v\nwant %+v", seed, *threshold, got, want)
	}
}

// seeds are fewer under the race detector.
func seeds(n uint64) uint64 {
	if testing.Short() {
		return n / 10
	}
	return n
}
