package judge_test

import (
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/judge"
)

// stalled is 100 requests a second of 1 ms, of which those in stalls are answered
// at their end only.
func stalled(stalls ...[2]time.Duration) []loadtest.Sample {
	samples := load(1, 60*sec, 10*ms, always(ms))
	for i := range samples {
		for _, stall := range stalls {
			if s := &samples[i]; s.Due >= stall[0] && s.Due < stall[1] {
				s.Done = stall[1] + time.Duration(i)
			}
		}
	}
	return samples
}

func TestGapIsJudgedWhereItWasFelt(t *testing.T) {
	t.Parallel()
	gap := limit(of(loadtest.Max, loadtest.MetricGap), loadtest.Less, 1)
	type d = time.Duration
	tests := map[string]struct {
		threshold loadtest.Threshold
		stalls    [][2]d
		value     float64
		windows   int
		failing   int
		worst     d
	}{
		"none is longer than a request":      {gap, nil, 0, 0, 0, 0},
		"a stall":                            {gap, [][2]d{{20 * sec, 21500 * ms}}, 1.5, 0, 0, 0},
		"not of a round length":              {gap, [][2]d{{20 * sec, 21550 * ms}}, 1.55, 0, 0, 0},
		"of the warm-up":                     {gap, [][2]d{{2 * sec, 5 * sec}}, 0, 0, 0, 0},
		"from the warm-up on":                {gap, [][2]d{{9 * sec, 10500 * ms}}, 0.5, 0, 0, 0},
		"from one phase to the next":         {gap, [][2]d{{39 * sec, 40500 * ms}}, 1.5, 0, 0, 0},
		"of that, what was in faults":        {with(gap, func(t *loadtest.Threshold) { t.Phase = "faults" }), [][2]d{{39 * sec, 40500 * ms}}, 0.5, 0, 0, 0},
		"outside faults":                     {with(gap, func(t *loadtest.Threshold) { t.Outside = true }), [][2]d{{45 * sec, 47200 * ms}}, 0.2, 0, 0, 0},
		"before and after a fault":           {with(gap, func(t *loadtest.Threshold) { t.Outside = true }), [][2]d{{44600 * ms, 47200 * ms}}, 0.4, 0, 0, 0},
		"in a fault":                         {with(gap, func(t *loadtest.Threshold) { t.InFault = "freeze" }), [][2]d{{44600 * ms, 46500 * ms}}, 1.5, 0, 0, 0},
		"in windows":                         {with(gap, over(10*sec)), [][2]d{{24 * sec, 25500 * ms}}, 1.5, 5, 1, 20 * sec},
		"in two windows, with all it was":    {with(gap, over(10*sec)), [][2]d{{28900 * ms, 30600 * ms}}, 1.7, 5, 2, 30 * sec},
		"at the end of one, not long enough": {with(gap, over(10*sec)), [][2]d{{29100 * ms, 30600 * ms}}, 1.5, 5, 1, 30 * sec},
		"windows that overlap a fault":       {with(gap, func(t *loadtest.Threshold) { t.Over, t.Outside = 10*sec, true }), [][2]d{{45 * sec, 47200 * ms}}, 0, 3, 0, 10 * sec},
		"windows of a fault":                 {with(gap, func(t *loadtest.Threshold) { t.Over, t.InFault = sec, "freeze" }), [][2]d{{45100 * ms, 46500 * ms}}, 1.4, 2, 1, 46 * sec},
		"uneven windows":                     {with(gap, over(1550*ms)), [][2]d{{19 * sec, 20700 * ms}}, 1.7, 33, 1, 19300 * ms},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := only(t, disturbed(judge.New(scenario(test.threshold)), stalled(test.stalls...)), end)
			if diff := got.Value - test.value; diff > 1e-5 || diff < -1e-5 {
				t.Errorf("the longest is %g s, want %g", got.Value, test.value)
			}
			if got.Windows != test.windows || got.Failing != test.failing || got.Windows > 0 && got.Worst != test.worst {
				t.Errorf("%d windows, %d failed, the worst at %s; want %d, %d, %s", got.Windows, got.Failing, got.Worst, test.windows, test.failing, test.worst)
			}
			if failed := got.Verdict == loadtest.SLO; failed != (test.value >= 1) {
				t.Errorf("%s, %s", got.Verdict, got.Why)
			}
		})
	}
}

func TestGapIsThatOfTheScenarioNamed(t *testing.T) {
	t.Parallel()
	health := stalled([2]time.Duration{20 * sec, 22 * sec})
	for i := range health {
		health[i].Traffic = 1
	}
	for name, want := range map[string]float64{"health": 2, "hooks": 0} {
		threshold := labelled(limit(of(loadtest.Max, loadtest.MetricGap), loadtest.Less, 1), "scenario", name)
		got := only(t, run(judge.New(scenario(threshold)), append(stalled(), health...)), end)
		if diff := got.Value - want; diff > 1e-5 || diff < -1e-5 {
			t.Errorf("%s: %g s, want %g", name, got.Value, want)
		}
	}
}

func TestGapOfAServiceThatNeverAnswersLastsToTheEnd(t *testing.T) {
	t.Parallel()
	samples := stalled()
	for i := range samples {
		if s := &samples[i]; s.Due > 30*sec {
			s.Done, s.Outcome = s.Sent+2*sec, loadtest.TimedOut
		}
	}
	j := judge.New(scenario(with(limit(of(loadtest.Max, loadtest.MetricGap), loadtest.Less, 1), func(t *loadtest.Threshold) { t.Over, t.Abort = 2*sec, 3 })))
	aborted := time.Duration(0)
	for i := range samples {
		j.Take(&samples[i])
		if r := j.Advance(samples[i].Done); len(r) > 0 {
			aborted = r[0].At
		}
	}
	// The windows that end at 32, 34 and 36 s fail; the last is closed 4 s later.
	if aborted != 40*sec && (aborted < 40*sec || aborted > 40100*ms) {
		t.Errorf("aborted at %s", aborted)
	}
	got := only(t, j, judge.Facts{End: 62 * sec})
	if want := 29.999; got.Value < want || got.Value > want+0.02 || got.Failing != 15 {
		t.Errorf("%g s, %d windows failed", got.Value, got.Failing)
	}
}

func TestInflightIsWhatWasUnderWay(t *testing.T) {
	t.Parallel()
	// 100/s of 105 ms are 11 at most and 10.5 on average; while faults last, of 305 ms.
	took := func(i int) time.Duration {
		if i >= 4000 {
			return 305 * ms
		}
		return 105 * ms
	}
	inflight := func(a loadtest.Aggregate, change func(*loadtest.Threshold)) loadtest.Threshold {
		return with(limit(of(a, loadtest.MetricInflight), loadtest.LessEqual, 20), change)
	}
	steady := func(t *loadtest.Threshold) { t.Phase = "steady" }
	for name, test := range map[string]struct {
		threshold loadtest.Threshold
		value     float64
		verdict   loadtest.Verdict
	}{
		"the most":            {inflight(loadtest.Max, func(*loadtest.Threshold) {}), 31, loadtest.SLO},
		"the most in steady":  {inflight(loadtest.Max, steady), 11, loadtest.Pass},
		"the least in steady": {inflight(loadtest.Min, steady), 10, loadtest.Pass},
		"on average":          {inflight(loadtest.Mean, steady), 10.5, loadtest.Pass},
		"in windows":          {inflight(loadtest.Max, over(5*sec)), 31, loadtest.SLO},
		"least, in windows":   {inflight(loadtest.Min, over(5*sec)), 30, loadtest.SLO},
		"no such value":       {inflight(loadtest.Ratio, steady), 0, loadtest.Inconclusive},
	} {
		got := only(t, run(judge.New(scenario(test.threshold)), load(1, 60*sec+ms, 10*ms, took)), end)
		if diff := got.Value - test.value; diff > 0.02 || diff < -0.02 || got.Verdict != test.verdict {
			t.Errorf("%s: %g, %s; want %g, %s", name, got.Value, got.Verdict, test.value, test.verdict)
		}
	}
}
