package judge_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/judge"
)

func over(d time.Duration) func(*loadtest.Threshold) {
	return func(t *loadtest.Threshold) { t.Over = d }
}

// In every test of faults "freeze" lasts from 45 s to 47 s, and "resets" from 50 s
// to 50.5 s and from 52 s to 52.5 s.
func disturbed(j *judge.Judge, samples []loadtest.Sample, events ...event) *judge.Judge {
	return run(j, samples, append(events,
		began("freeze", 45*sec), ended("freeze", 47*sec),
		began("resets", 50*sec), ended("resets", 50500*ms), began("resets", 52*sec), ended("resets", 52500*ms))...)
}

func TestRequestBelongsToAFaultThatLastedMeanwhile(t *testing.T) {
	t.Parallel()
	samples := []loadtest.Sample{
		answer(12*sec, 10*ms),
		answer(44*sec, 999*ms),       // over just before
		answer(44500*ms, 500*ms),     // to its first moment
		answer(44*sec, 1900*ms),      // over while it lasts
		answer(46*sec, 10*ms),        // in it
		answer(44*sec+500*ms, 3*sec), // around it
		answer(47*sec, 10*ms),        // from its last moment on
		answer(47*sec+1, 10*ms),
		answer(50200*ms, 10*ms),
		answer(51*sec, 10*ms),
		answer(52499*ms, 10*ms),
		answer(55*sec, 10*ms),
	}
	counts := map[string]struct {
		change func(*loadtest.Threshold)
		want   float64
	}{
		"everywhere":         {func(*loadtest.Threshold) {}, 12},
		"in freeze":          {func(t *loadtest.Threshold) { t.InFault = "freeze" }, 5},
		"in both resets":     {func(t *loadtest.Threshold) { t.InFault = "resets" }, 2},
		"outside":            {func(t *loadtest.Threshold) { t.Outside = true }, 5},
		"outside, in faults": {func(t *loadtest.Threshold) { t.Outside, t.Phase = true, "faults" }, 4},
	}
	for name, test := range counts {
		threshold := with(limit(of(loadtest.Count, loadtest.MetricSent), loadtest.GreaterEqual, 0), test.change)
		if got := only(t, disturbed(judge.New(scenario(threshold)), samples), end); got.Value != test.want {
			t.Errorf("%s: %g requests, want %g", name, got.Value, test.want)
		}
		threshold = with(limit(of(loadtest.Rate, loadtest.MetricSent), loadtest.GreaterEqual, 0), test.change)
		seconds := map[string]float64{"everywhere": 50, "in freeze": 2, "in both resets": 1, "outside": 47, "outside, in faults": 17}[name]
		if got := only(t, disturbed(judge.New(scenario(threshold)), samples), end); !near(got.Value, test.want/seconds) {
			t.Errorf("%s: %g/s, want %g requests in %g s", name, got.Value, test.want, seconds)
		}
	}
}

func TestFaultInAnUnjudgedPhaseHasAScopeOfItsOwn(t *testing.T) {
	t.Parallel()
	s := scenario(with(limit(of(loadtest.Count, loadtest.MetricSent), loadtest.Less, 1), func(t *loadtest.Threshold) { t.InFault = "kill" }))
	got := only(t, run(judge.New(s), load(sec, 10*sec, 100*ms, always(300*ms)), began("kill", 5*sec), ended("kill", 5*sec)), end)
	if got.Value != 4 { // due from 4.7 s to 5 s
		t.Errorf("%g requests were under way, want 4", got.Value)
	}
}

func TestFaultThatBeganTwiceEndsBetween(t *testing.T) {
	t.Parallel()
	s := scenario(with(limit(of(loadtest.Rate, loadtest.MetricSent), loadtest.Less, 1), func(t *loadtest.Threshold) { t.InFault = "kill" }))
	got := only(t, run(judge.New(s), load(10*sec, 60*sec, 100*ms, always(ms)),
		ended("kill", 12*sec), began("kill", 20*sec), began("kill", 30*sec), ended("kill", 31*sec), began("kill", 50*sec)), end)
	if !near(got.Value, 211.0/21) {
		t.Errorf("%g/s, want those of 21 s, and there are 10/s and one at each end", got.Value)
	}
}

func TestWindowsAreThoseOfThePhase(t *testing.T) {
	t.Parallel()
	slow := map[int]bool{}
	took := func(i int) time.Duration {
		if slow[i/100] { // by second
			return 800 * ms
		}
		return 10 * ms
	}
	p90 := limit(p(0.9, loadtest.MetricResponse), loadtest.Less, 0.5)
	tests := map[string]struct {
		threshold       loadtest.Threshold
		slow            []int
		windows, failed int
		worst           time.Duration
		verdict         loadtest.Verdict
	}{
		"all well":                       {with(p90, over(10*sec)), nil, 5, 0, 10 * sec, loadtest.Pass},
		"a bad second":                   {with(p90, over(10*sec)), []int{20}, 5, 0, 20 * sec, loadtest.Pass},
		"two of ten":                     {with(p90, over(10*sec)), []int{20, 21}, 5, 1, 20 * sec, loadtest.SLO},
		"in the warm-up":                 {with(p90, over(10*sec)), []int{8, 9}, 5, 0, 10 * sec, loadtest.Pass},
		"from the phase's beginning on":  {with(p90, over(7*sec)), []int{38}, 8, 1, 38 * sec, loadtest.SLO},
		"what is left at its end counts": {with(p90, over(8*sec)), []int{58}, 7, 1, 56 * sec, loadtest.SLO},
		"in one phase":                   {with(p90, func(t *loadtest.Threshold) { t.Over, t.Phase = 10*sec, "faults" }), []int{20, 21, 22, 41, 42}, 2, 1, 40 * sec, loadtest.SLO},
		"in a fault":                     {with(p90, func(t *loadtest.Threshold) { t.Over, t.InFault = sec, "freeze" }), []int{46}, 2, 1, 46 * sec, loadtest.SLO},
		"outside":                        {with(p90, func(t *loadtest.Threshold) { t.Over, t.Outside = 2*sec, true }), []int{46, 51, 52}, 21, 0, 10 * sec, loadtest.Pass},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			clear(slow)
			for _, s := range test.slow {
				slow[s] = true
			}
			got := only(t, disturbed(judge.New(scenario(test.threshold)), load(1, 60*sec, 10*ms, took)), end)
			if got.Windows != test.windows || got.Failing != test.failed || got.Worst != test.worst || got.Verdict != test.verdict {
				t.Errorf("%d windows, %d failed, the worst at %s: %s, %s\nwant %d, %d, %s: %s", got.Windows, got.Failing, got.Worst, got.Verdict, got.Why,
					test.windows, test.failed, test.worst, test.verdict)
			}
		})
	}
}

func TestWindowsWithTooFewSamplesArePassedOver(t *testing.T) {
	t.Parallel()
	p99 := with(limit(p(0.99, loadtest.MetricResponse), loadtest.Less, 0.5), over(10*sec))
	tests := map[string]struct {
		every   time.Duration
		more    []loadtest.Sample
		windows int
		verdict loadtest.Verdict
		why     string
	}{
		"a fifth short":   {12 * ms, nil, 5, loadtest.Pass, "5 windows"},
		"a quarter short": {14 * ms, nil, 0, loadtest.Inconclusive, "none of 5 windows of 10s had the 1000 samples"},
		"but for one":     {14 * ms, load(10*sec, 20*sec, 10*ms, always(ms)), 1, loadtest.Pass, "4 more had too few"},
		"that one fails":  {14 * ms, load(10*sec, 20*sec, 10*ms, always(sec)), 1, loadtest.SLO, "1 of 1 windows"},
		"slow, but few":   {10 * ms, []loadtest.Sample{answer(15*sec, sec)}, 5, loadtest.Pass, "5 windows"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := only(t, run(judge.New(scenario(p99)), append(load(10*sec, 60*sec, test.every, always(ms)), test.more...)), end)
			if got.Verdict != test.verdict || got.Windows != test.windows || !strings.Contains(got.Why, test.why) {
				t.Errorf("%d windows, %s, %s", got.Windows, got.Verdict, got.Why)
			}
		})
	}
	atLeast := with(limit(of(loadtest.Count, loadtest.MetricSent), loadtest.GreaterEqual, 700), over(7*sec))
	got := only(t, run(judge.New(scenario(atLeast)), load(10*sec, 60*sec, 10*ms, always(ms))), end)
	if got.Verdict != loadtest.Pass || got.Windows != 6 {
		t.Errorf("what is left of a phase could not count up to 700: %d windows, %s", got.Windows, got.Why)
	}
}

func TestWindowIsClosedWhenNothingOfItCanCome(t *testing.T) {
	t.Parallel()
	max1s := with(limit(of(loadtest.Max, loadtest.MetricResponse), loadtest.Less, 1), func(t *loadtest.Threshold) { t.Over, t.Abort = 5*sec, 2 })
	s := scenario(max1s) // a request takes 3 s at most, and a second of slack
	j := run(judge.New(s), load(10*sec, 19*sec, 100*ms, always(ms)))
	late := answer(14950*ms, 4*sec)
	j.Take(&late)
	if got := j.Standing()[0]; got.Windows != 0 {
		t.Errorf("a window is closed at its end: %+v", got)
	}
	if reasons := j.Advance(19100 * ms); len(reasons) > 0 || j.Standing()[0].Failing != 1 {
		t.Errorf("%+v, %+v", reasons, j.Standing())
	}
	if reasons := j.Advance(23900 * ms); len(reasons) > 0 || j.Standing()[0].Windows != 1 {
		t.Errorf("%+v, %+v", reasons, j.Standing())
	}
	bad := answer(16*sec, 7*sec)
	j.Take(&bad)
	reasons := j.Advance(24100 * ms)
	if len(reasons) != 1 || reasons[0].Verdict != loadtest.Aborted || reasons[0].At != 24100*ms {
		t.Errorf("%+v", reasons)
	}
	for due := 25 * sec; due < 30*sec; due += sec {
		x := answer(due, ms)
		j.Take(&x)
	}
	j.Advance(40 * sec)
	if got := j.Standing()[0]; got.Windows != 3 || got.Failing != 2 {
		t.Errorf("%+v", got)
	}
	if got := only(t, j, end); got.Windows != 3 || got.Verdict != loadtest.SLO || got.Worst != 15*sec {
		t.Errorf("%+v", got)
	}
	x := answer(35*sec, 2*sec) // after the results
	j.Take(&x)
	if got := only(t, j, end); got.Windows != 3 {
		t.Errorf("%+v", got)
	}
}

func TestSampleOfAClosedWindowIsNoPass(t *testing.T) {
	t.Parallel()
	threshold := with(limit(of(loadtest.Max, loadtest.MetricResponse), loadtest.Less, 1), over(5*sec))
	j := run(judge.New(scenario(threshold)), load(10*sec, 30*sec, 100*ms, always(ms)))
	late := answer(14*sec, ms)
	late.Done = 31 * sec
	j.Take(&late)
	if got := only(t, j, end); got.Verdict != loadtest.Inconclusive || !strings.Contains(got.Why, "1 samples came after") {
		t.Errorf("%s, %s", got.Verdict, got.Why)
	}
}

func TestFailingWindowsInARowEndTheRun(t *testing.T) {
	t.Parallel()
	ratio := with(limit(of(loadtest.Ratio, loadtest.MetricFailed), loadtest.LessEqual, 0.5), func(t *loadtest.Threshold) { t.Over, t.Abort = sec, 3 })
	var samples []loadtest.Sample
	for i, bad := range []bool{true, true, false, true, true, true, true, false} {
		for k := range 10 {
			s := answer(10*sec+time.Duration(i)*sec+time.Duration(k)*100*ms, ms)
			if bad {
				s.Outcome = loadtest.Unexpected
			}
			samples = append(samples, s)
		}
	}
	j := judge.New(scenario(ratio))
	var got []time.Duration
	for at := 10 * sec; at < 30*sec; at += 100 * ms {
		for i := range samples {
			if samples[i].Done > at-100*ms && samples[i].Done <= at {
				j.Take(&samples[i])
			}
		}
		for _, r := range j.Advance(at) {
			got = append(got, r.At)
		}
	}
	if diff := cmp.Diff([]time.Duration{20 * sec}, got); diff != "" { // the third bad window in a row ends at 16 s
		t.Errorf("want -, got +:\n%s", diff)
	}
}

func TestRunThatIsCutShortIsJudgedToItsEnd(t *testing.T) {
	t.Parallel()
	cut := judge.Facts{End: 33010 * ms}
	for name, threshold := range map[string]loadtest.Threshold{
		"the last window's rate is over 3 s": with(limit(of(loadtest.Rate, loadtest.MetricSent), loadtest.GreaterEqual, 99), over(10*sec)),
		"the whole's rate is over 23 s":      limit(of(loadtest.Rate, loadtest.MetricSent), loadtest.GreaterEqual, 99),
		"something was always under way":     limit(with(of(loadtest.Min, loadtest.MetricInflight), func(t *loadtest.Threshold) { t.Phase = "steady" }), loadtest.Greater, 0),
	} {
		samples := load(1, 33*sec+1, 10*ms, always(25*ms))
		for i := range samples {
			samples[i].Done = min(samples[i].Done, 33010*ms) // given up then
		}
		got := only(t, run(judge.New(scenario(threshold)), samples), cut)
		if got.Verdict != loadtest.Pass || threshold.Over > 0 && got.Windows != 3 {
			t.Errorf("%s: %s, %s", name, got.Verdict, got.Why)
		}
	}
}
