package judge_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/judge"
)

const (
	ms  = time.Millisecond
	sec = time.Second
)

// scenario has an unjudged warm-up of 10 s, 30 s that are judged, and 20 s of
// faults that are judged too.
func scenario(thresholds ...loadtest.Threshold) *loadtest.Scenario {
	for i := range thresholds {
		t := &thresholds[i]
		if t.Text == "" {
			t.Text = string(t.Aggregate) + "(" + string(t.Metric) + ")"
		}
		if t.Compare == "" {
			t.Compare = loadtest.Less
		}
	}
	return &loadtest.Scenario{
		Client: loadtest.Client{Timeout: 2 * sec, LateLimit: sec},
		Phases: []loadtest.Phase{
			{Name: "warmup", For: 10 * sec}, {Name: "steady", For: 30 * sec, Judged: true}, {Name: "faults", For: 20 * sec, Judged: true},
		},
		Traffic: []loadtest.Traffic{
			{Name: "hooks", Judged: true, Negatives: []loadtest.Negative{{Name: "bad-signature"}, {Name: "too-big"}}},
			{Name: "health", Judged: true},
			{Name: "noise"},
		},
		Thresholds: thresholds,
	}
}

// answer is a request that was sent when it was due.
func answer(due, took time.Duration) loadtest.Sample {
	s := loadtest.Sample{Due: due, Ready: due, Slot: due, Sent: due, First: due + took/2, Done: due + took, Status: 202}
	switch {
	case due >= 40*sec:
		s.Phase = 2
	case due >= 10*sec:
		s.Phase = 1
	}
	return s
}

// load is requests at a constant rate, each of which takes what took says.
func load(from, to, every time.Duration, took func(i int) time.Duration) []loadtest.Sample {
	var out []loadtest.Sample
	for i := range int((to - from) / every) {
		out = append(out, answer(from+time.Duration(i)*every, took(i)))
	}
	return out
}

func always(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }

// event is a call that is not a sample.
type event struct {
	at time.Duration
	do func(j *judge.Judge, at time.Duration)
}

func began(name string, at time.Duration) event {
	return event{at, func(j *judge.Judge, at time.Duration) { j.FaultBegan(name, at) }}
}

func ended(name string, at time.Duration) event {
	return event{at, func(j *judge.Judge, at time.Duration) { j.FaultEnded(name, at) }}
}

func shows(name string, at time.Duration, value float64) event {
	return event{at, func(j *judge.Judge, at time.Duration) { j.Server(name, loadtest.Point{At: at, Value: value}) }}
}

// run gives a judge samples, in the order of their ends, and events in between.
func run(j *judge.Judge, samples []loadtest.Sample, events ...event) *judge.Judge {
	slices.SortStableFunc(samples, func(a, b loadtest.Sample) int { return int(a.Done - b.Done) })
	slices.SortStableFunc(events, func(a, b event) int { return int(a.at - b.at) })
	for i := range samples {
		for len(events) > 0 && events[0].at <= samples[i].Done {
			events[0].do(j, events[0].at)
			events = events[1:]
		}
		j.Take(&samples[i])
	}
	for _, e := range events {
		e.do(j, e.at)
	}
	return j
}

var end = judge.Facts{End: 60 * sec}

// only returns the result of the only threshold.
func only(t *testing.T, j *judge.Judge, f judge.Facts) loadtest.ThresholdResult {
	t.Helper()
	results := j.Results(f)
	if len(results) != 1 {
		t.Fatalf("%d results", len(results))
	}
	if diff := cmp.Diff(results, j.Results(f)); diff != "" {
		t.Errorf("asked again, it says something else:\n%s", diff)
	}
	return results[0]
}

func p(q float64, m loadtest.Metric) loadtest.Threshold {
	return loadtest.Threshold{Aggregate: loadtest.Quantile, Q: q, Metric: m, Unit: loadtest.Seconds}
}

func of(a loadtest.Aggregate, m loadtest.Metric) loadtest.Threshold {
	t := loadtest.Threshold{Aggregate: a, Metric: m}
	switch m {
	case loadtest.MetricResponse, loadtest.MetricService, loadtest.MetricSelfLag, loadtest.MetricSlotWait, loadtest.MetricTTFB, loadtest.MetricGap:
		t.Unit = loadtest.Seconds
	}
	switch a {
	case loadtest.Ratio:
		t.Unit = loadtest.Share
	case loadtest.Rate:
		t.Unit = loadtest.PerSecond
	}
	return t
}

func with(t loadtest.Threshold, change func(*loadtest.Threshold)) loadtest.Threshold {
	change(&t)
	return t
}

func limit(t loadtest.Threshold, c loadtest.Comparison, limit float64) loadtest.Threshold {
	t.Compare, t.Limit = c, limit
	return t
}

func labelled(t loadtest.Threshold, pairs ...string) loadtest.Threshold {
	for i := 0; i < len(pairs); i += 2 {
		t.Labels = append(t.Labels, loadtest.Label{Name: pairs[i], Value: pairs[i+1]})
	}
	return t
}

// mixed is one request of every kind: of 100 that are judged, 4 fail.
func mixed() []loadtest.Sample {
	out := load(ms, 10*sec+ms, sec, always(9*ms)) // warm-up
	for i := range 100 {
		s := answer(10*sec+time.Duration(i)*200*ms, 10*ms)
		switch i {
		case 10:
			s.Outcome, s.Status = loadtest.Unexpected, 503
		case 11:
			s.Outcome, s.Status, s.Done = loadtest.TimedOut, 0, s.Sent+2*sec
		case 12:
			s = loadtest.Sample{Phase: 1, Due: s.Due, Ready: s.Due, Done: s.Due + sec, Outcome: loadtest.Dropped}
		case 13:
			s.Outcome, s.Status = loadtest.Broken, 0
			s.Variant = loadtest.Repeated
		case 14, 15:
			s.Variant, s.Negative, s.Status = loadtest.Spoiled, 0, 401
		case 16:
			s.Variant, s.Negative, s.Status = loadtest.Spoiled, 1, 413
		}
		if i >= 50 {
			s.Traffic = 1
			s.Done += 10 * ms
		}
		out = append(out, s)
	}
	own := answer(20*sec, 0)
	own.Sent, own.Outcome = 0, loadtest.OwnFault
	noise := answer(20*sec, sec)
	noise.Traffic, noise.Outcome = 2, loadtest.Broken
	return append(out, own, noise)
}

func TestValuesAreThoseOfPaperAndPencil(t *testing.T) {
	t.Parallel()
	tests := []struct {
		threshold loadtest.Threshold
		value     float64
		n         uint64
		verdict   loadtest.Verdict
	}{
		{limit(of(loadtest.Count, loadtest.MetricFailed), loadtest.LessEqual, 4), 4, 100, loadtest.Pass},
		{limit(of(loadtest.Count, loadtest.MetricFailed), loadtest.Equal, 0), 4, 100, loadtest.SLO},
		{limit(of(loadtest.Ratio, loadtest.MetricFailed), loadtest.LessEqual, 0.039), 0.04, 100, loadtest.SLO},
		{limit(of(loadtest.Rate, loadtest.MetricFailed), loadtest.Less, 0.1), 0.08, 100, loadtest.Pass}, // in 50 s
		{limit(labelled(of(loadtest.Ratio, loadtest.MetricFailed), "scenario", "hooks"), loadtest.Less, 1), 0.08, 50, loadtest.Pass},
		{limit(labelled(of(loadtest.Count, loadtest.MetricFailed), "scenario", "health"), loadtest.Equal, 0), 0, 50, loadtest.Pass},
		{limit(labelled(of(loadtest.Count, loadtest.MetricFailed), "scenario", "noise"), loadtest.Equal, 0), 1, 1, loadtest.SLO},
		{limit(of(loadtest.Count, loadtest.MetricDropped), loadtest.Equal, 0), 1, 100, loadtest.SLO},
		{limit(of(loadtest.Count, loadtest.MetricSent), loadtest.GreaterEqual, 100), 99, 100, loadtest.SLO},
		{limit(labelled(of(loadtest.Count, loadtest.MetricFailed), "variant", "replay"), loadtest.Equal, 0), 1, 1, loadtest.SLO},
		{limit(labelled(of(loadtest.Count, loadtest.MetricFailed), "variant", "negative"), loadtest.Equal, 0), 0, 3, loadtest.Pass},
		{limit(labelled(of(loadtest.Count, loadtest.MetricSent), "variant", "bad-signature"), loadtest.Equal, 2), 2, 2, loadtest.Pass},
		{limit(labelled(of(loadtest.Count, loadtest.MetricSent), "variant", "plain"), loadtest.GreaterEqual, 1), 95, 96, loadtest.Pass},
		{limit(labelled(of(loadtest.Count, loadtest.MetricSent), "code", "5xx"), loadtest.Equal, 0), 1, 100, loadtest.SLO},
		{limit(labelled(of(loadtest.Count, loadtest.MetricSent), "code", "413"), loadtest.Equal, 1), 1, 100, loadtest.Pass},
		{limit(labelled(of(loadtest.Ratio, loadtest.MetricSent), "outcome", "timeout"), loadtest.Less, 0.01), 0.01, 100, loadtest.SLO},
		// 45 answers of 10 ms and 50 of 20 ms, 3 of 10 ms that failed or were refused, a
		// second for the dropped one, two for the one that timed out.
		{limit(of(loadtest.Mean, loadtest.MetricResponse), loadtest.Less, 0.045), 0.0448, 100, loadtest.Pass},
		{limit(of(loadtest.Max, loadtest.MetricResponse), loadtest.Less, 2), 2, 100, loadtest.SLO},
		{limit(of(loadtest.Min, loadtest.MetricResponse), loadtest.GreaterEqual, 0.01), 0.01, 100, loadtest.Pass},
		{limit(p(0.5, loadtest.MetricResponse), loadtest.Less, 0.025), 0.02, 100, loadtest.Pass},
		{limit(p(0.9, loadtest.MetricResponse), loadtest.Less, 0.025), 0.02, 100, loadtest.Pass},
		{limit(of(loadtest.Max, loadtest.MetricService), loadtest.LessEqual, 2), 2, 99, loadtest.Pass},
		{limit(of(loadtest.Max, loadtest.MetricSlotWait), loadtest.Less, 0.5), 1, 100, loadtest.SLO},
		{limit(of(loadtest.Max, loadtest.MetricSelfLag), loadtest.LessEqual, 0), 0, 101, loadtest.Pass},
		{limit(labelled(of(loadtest.Max, loadtest.MetricResponse), "outcome", "ok"), loadtest.Less, 0.021), 0.02, 96, loadtest.Pass},
		{with(limit(of(loadtest.Count, loadtest.MetricSent), loadtest.Equal, 10), func(t *loadtest.Threshold) { t.Phase = "warmup" }), 10, 10, loadtest.Pass},
	}
	for _, test := range tests {
		got := only(t, run(judge.New(scenario(test.threshold)), mixed()), end)
		if !got.Known || got.N != test.n || got.Verdict != test.verdict || !near(got.Value, test.value) {
			t.Errorf("%s%v %s %g: value %g of %d, %s, %q; want %g of %d, %s", got.Text, test.threshold.Labels,
				test.threshold.Compare, got.Limit, got.Value, got.N, got.Verdict, got.Why, test.value, test.n, test.verdict)
		}
	}
}

func near(a, b float64) bool { return a-b <= 0.001*max(a, b) && b-a <= 0.001*max(a, b) }

func TestTooLittleIsInconclusive(t *testing.T) {
	t.Parallel()
	slow, fast := load(10*sec, 20*sec, 10*ms, always(30*ms)), load(10*sec, 20*sec, 10*ms, always(3*ms))
	p99 := limit(p(0.99, loadtest.MetricResponse), loadtest.Less, 0.02)
	tests := map[string]struct {
		threshold loadtest.Threshold
		samples   []loadtest.Sample
		want      loadtest.Verdict
		why       string
	}{
		"just enough":               {p99, fast, loadtest.Pass, "3ms, it must be < 20ms"},
		"one too few":               {p99, fast[1:], loadtest.Inconclusive, "999 samples, and it needs 1000"},
		"one too few, and too slow": {p99, slow[1:], loadtest.Inconclusive, "999 samples"},
		"nothing at all":            {p99, nil, loadtest.Inconclusive, "no request was due in the judged phases"},
		"nothing in the phase": {
			with(limit(labelled(of(loadtest.Count, loadtest.MetricFailed), "scenario", "hooks"), loadtest.Equal, 0), func(t *loadtest.Threshold) { t.Phase = "faults" }),
			fast, loadtest.Inconclusive, "no request of {scenario=hooks} was due in faults",
		},
		"no fault": {
			with(limit(of(loadtest.Count, loadtest.MetricFailed), loadtest.Equal, 0), func(t *loadtest.Threshold) { t.InFault = "freeze" }),
			fast, loadtest.Inconclusive, "while freeze lasted",
		},
		"nothing for a gap":              {limit(of(loadtest.Max, loadtest.MetricGap), loadtest.Less, 1), nil, loadtest.Inconclusive, "no request"},
		"nothing under way":              {limit(of(loadtest.Max, loadtest.MetricInflight), loadtest.Less, 1), nil, loadtest.Inconclusive, "no request"},
		"no lower bound either":          {limit(of(loadtest.Rate, loadtest.MetricSent), loadtest.Greater, 1), nil, loadtest.Inconclusive, "no request"},
		"no ledger":                      {limit(of(loadtest.Count, loadtest.MetricLost), loadtest.Equal, 0), fast, loadtest.Inconclusive, "no ledger"},
		"no metric of the service":       {limit(with(of(loadtest.Max, "queue"), func(t *loadtest.Threshold) { t.Server = true }), loadtest.Less, 1), fast, loadtest.Inconclusive, "the service showed no queue"},
		"no end of a fault":              {with(limit(loadtest.Threshold{Aggregate: loadtest.Recover, Unit: loadtest.Seconds}, loadtest.Less, 5), func(t *loadtest.Threshold) { t.Fault = "freeze" }), fast, loadtest.Inconclusive, "no end of freeze"},
		"an aggregate that there is not": {limit(of(loadtest.Delta, loadtest.MetricResponse), loadtest.Less, 5), fast, loadtest.Inconclusive, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := only(t, run(judge.New(scenario(test.threshold)), slices.Clone(test.samples)), end)
			if got.Verdict != test.want || !strings.Contains(got.Why, test.why) {
				t.Errorf("got %s, %q; want %s, %q", got.Verdict, got.Why, test.want, test.why)
			}
		})
	}
}

func TestWhatCannotBeToldFromTheLimitFails(t *testing.T) {
	t.Parallel()
	for took, want := range map[time.Duration]loadtest.Verdict{
		49_900 * time.Microsecond: loadtest.Pass, 49_951 * time.Microsecond: loadtest.SLO, 50 * ms: loadtest.SLO, 51 * ms: loadtest.SLO,
	} {
		got := only(t, run(judge.New(scenario(limit(p(0.99, loadtest.MetricResponse), loadtest.Less, 0.05))), load(10*sec, 20*sec, 10*ms, always(took))), end)
		if got.Verdict != want {
			t.Errorf("%s below 50ms: %s, %s", took, got.Verdict, got.Why)
		}
		if between := took > 49_900*time.Microsecond && took < 50*ms; between != strings.Contains(got.Why, "cannot be told from the limit") {
			t.Errorf("%s: %s", took, got.Why)
		}
	}
	for took, want := range map[time.Duration]loadtest.Verdict{50 * ms: loadtest.SLO, 50_040 * time.Microsecond: loadtest.SLO, 50_200 * time.Microsecond: loadtest.Pass} {
		got := only(t, run(judge.New(scenario(limit(p(0.01, loadtest.MetricResponse), loadtest.Greater, 0.05))), load(10*sec, 20*sec, 10*ms, always(took))), end)
		if got.Verdict != want {
			t.Errorf("%s above 50ms: %s, %s", took, got.Verdict, got.Why)
		}
	}
	// A histogram rounds up to microseconds, which must not lift anything above a limit.
	tiny := append(load(10*sec, 20*sec, 10*ms, always(100_200)), answer(20*sec, ms))
	if got := only(t, run(judge.New(scenario(limit(p(0.01, loadtest.MetricResponse), loadtest.Greater, 100.5e-6))), tiny), end); got.Verdict != loadtest.SLO {
		t.Errorf("100.2 µs are above 100.5 µs: %s", got.Why)
	}
	// Means and maxima are exact.
	got := only(t, run(judge.New(scenario(limit(of(loadtest.Max, loadtest.MetricResponse), loadtest.Less, 0.05))), load(10*sec, 20*sec, 10*ms, always(49_999*time.Microsecond))), end)
	if got.Verdict != loadtest.Pass || got.Shown != "49.999ms" || !near(got.Margin, 0.00002) {
		t.Errorf("max: %+v", got)
	}
}

func TestResultIsWholeAndReadable(t *testing.T) {
	t.Parallel()
	slow := func(i int) time.Duration { // the third window of steady is slow, and the last one a little
		switch {
		case i >= 2000 && i < 3000:
			return 800 * ms
		case i >= 3000:
			return 600 * ms
		}
		return 10 * ms
	}
	threshold := with(limit(p(0.99, loadtest.MetricResponse), loadtest.Less, 0.5), func(t *loadtest.Threshold) {
		t.Text, t.Over, t.Abort = "p99(response) < 500ms over 10s, abort after 2", 10*sec, 2
	})
	j := judge.New(scenario(threshold))
	run(j, load(10*sec, 60*sec, 10*ms, slow))
	got := only(t, j, end)
	want := loadtest.ThresholdResult{
		Text: threshold.Text, Verdict: loadtest.SLO, Value: 0.8, Known: true, Limit: 0.5, Shown: "800ms", Margin: -0.6,
		N: 1000, Needs: 1000, Windows: 5, Failing: 3, Worst: 30 * sec,
		Why: "3 of 5 windows of 10s failed; the worst began at 30s: 800ms, it must be < 500ms",
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0.001, 0)); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	aborts := j.Advance(61 * sec)
	wantAborts := []loadtest.Reason{{
		Verdict: loadtest.Aborted, Threshold: threshold.Text, At: 60 * sec,
		Text: "p99(response) < 500ms over 10s, abort after 2: 3 windows of 10s failed in a row; 800ms, it must be < 500ms",
	}}
	if diff := cmp.Diff(wantAborts, aborts, cmpopts.EquateApproxTime(sec), cmpopts.IgnoreFields(loadtest.Reason{}, "At")); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	if again := j.Advance(62 * sec); len(again) > 0 {
		t.Errorf("told twice: %+v", again)
	}
}
