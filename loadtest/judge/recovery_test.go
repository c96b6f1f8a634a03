package judge_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/judge"
)

func recover(seconds float64) loadtest.Threshold {
	return loadtest.Threshold{
		Text: "recover(freeze) < 5s", Aggregate: loadtest.Recover, Fault: "freeze", Compare: loadtest.Less, Limit: seconds, Unit: loadtest.Seconds,
	}
}

// ailing is 200 requests a second that are slow in some stretches.
func ailing(slow ...[2]time.Duration) []loadtest.Sample {
	samples := load(1, 60*sec, 5*ms, always(10*ms))
	for i := range samples {
		for _, s := range slow {
			if x := &samples[i]; x.Due >= s[0] && x.Due < s[1] {
				x.Done += 900 * ms
			}
		}
	}
	return samples
}

func TestRecoveryIsFiveGoodSecondsInARow(t *testing.T) {
	t.Parallel()
	p99 := with(limit(p(0.99, loadtest.MetricResponse), loadtest.Less, 0.5), func(t *loadtest.Threshold) { t.Over, t.Phase = 10*sec, "steady" })
	gap := with(limit(of(loadtest.Max, loadtest.MetricGap), loadtest.Less, 0.5), over(10*sec))
	inflight := with(limit(of(loadtest.Max, loadtest.MetricInflight), loadtest.Less, 50), over(10*sec))
	queue := with(served(loadtest.Max, "queue", func(t *loadtest.Threshold) { t.Limit = 100 }), over(10*sec))
	type d = time.Duration
	freeze := []event{began("freeze", 45*sec), ended("freeze", 47*sec)}
	tests := map[string]struct {
		over    []loadtest.Threshold
		slow    [][2]d
		events  []event
		known   bool
		value   float64
		verdict loadtest.Verdict
		why     string
	}{
		"at once":               {[]loadtest.Threshold{p99}, [][2]d{{45 * sec, 47 * sec}}, freeze, true, 0, loadtest.Pass, "held again after 0s"},
		"after three seconds":   {[]loadtest.Threshold{p99}, [][2]d{{45 * sec, 49500 * ms}}, freeze, true, 3, loadtest.Pass, "held again after 3s"},
		"a relapse":             {[]loadtest.Threshold{p99}, [][2]d{{45 * sec, 48 * sec}, {51 * sec, 51100 * ms}}, freeze, true, 5, loadtest.SLO, "it took 5s until the thresholds held again; it must be < 5s"},
		"two relapses":          {[]loadtest.Threshold{p99}, [][2]d{{45 * sec, 48 * sec}, {51 * sec, 51100 * ms}, {54 * sec, 54100 * ms}}, freeze, true, 8, loadtest.SLO, "it took 8s"},
		"a relapse much later":  {[]loadtest.Threshold{p99}, [][2]d{{45 * sec, 48 * sec}, {53 * sec, 54 * sec}}, freeze, true, 1, loadtest.Pass, ""},
		"never":                 {[]loadtest.Threshold{p99}, [][2]d{{45 * sec, 60 * sec}}, freeze, true, 13, loadtest.SLO, "did not hold again within 13s"},
		"too late to be sure":   {[]loadtest.Threshold{p99}, [][2]d{{45 * sec, 47 * sec}}, []event{began("freeze", 55*sec), ended("freeze", 56*sec)}, false, 0, loadtest.Inconclusive, "over too soon"},
		"all must hold":         {[]loadtest.Threshold{p99, inflight}, [][2]d{{45 * sec, 49500 * ms}}, freeze, true, 4, loadtest.Pass, ""},
		"in any order":          {[]loadtest.Threshold{inflight, p99}, [][2]d{{45 * sec, 49500 * ms}}, freeze, true, 4, loadtest.Pass, ""},
		"a gap":                 {[]loadtest.Threshold{gap}, nil, freeze, true, 0, loadtest.Pass, ""},
		"by the service itself": {[]loadtest.Threshold{queue}, nil, append(each("queue", func(i int) float64 { return map[bool]float64{true: 500}[i >= 45 && i < 51] }), freeze...), true, 4, loadtest.Pass, ""},
		"the worst of two":      {[]loadtest.Threshold{p99}, [][2]d{{20 * sec, 26 * sec}, {45 * sec, 48 * sec}}, append([]event{began("freeze", 20*sec), ended("freeze", 22*sec)}, freeze...), true, 4, loadtest.Pass, "held again after 4s"},
		"again, before it had":  {[]loadtest.Threshold{p99}, [][2]d{{20 * sec, 28 * sec}}, append([]event{began("freeze", 20*sec), ended("freeze", 21*sec), began("freeze", 24*sec), ended("freeze", 25*sec)}, freeze...), true, 3, loadtest.Inconclusive, "ended at 21s"},
		"nothing to look at":    {nil, nil, freeze, false, 0, loadtest.Inconclusive, "no end of freeze"},
		"another fault":         {[]loadtest.Threshold{p99}, nil, []event{began("x", sec), ended("x", sec)}, false, 0, loadtest.Inconclusive, "no end of freeze"},
		"it goes on":            {[]loadtest.Threshold{p99}, nil, []event{began("freeze", 45*sec)}, false, 0, loadtest.Inconclusive, "no end of freeze"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := run(judge.New(scenario(append(test.over, recover(5))...)), ailing(test.slow...), test.events...)
			results := j.Results(end)
			got := results[len(results)-1]
			if got.Known != test.known || got.Value != test.value || got.Verdict != test.verdict || !strings.Contains(got.Why, test.why) {
				t.Errorf("known %v, %g s, %s, %q", got.Known, got.Value, got.Verdict, got.Why)
			}
		})
	}
}

func TestRecoveriesAreKnownForEveryFault(t *testing.T) {
	t.Parallel()
	p99 := with(limit(p(0.99, loadtest.MetricResponse), loadtest.Less, 0.5), over(10*sec))
	j := run(judge.New(scenario(p99)), ailing([2]time.Duration{45 * sec, 48500 * ms}),
		began("kill", 20*sec), ended("kill", 20*sec), began("freeze", 45*sec), ended("freeze", 47*sec), began("late", 58*sec), ended("late", 58*sec))
	j.Results(end)
	want := []judge.Recovery{
		{Fault: "kill", Ended: 20 * sec, Known: true},
		{Fault: "freeze", Ended: 47 * sec, Known: true, Took: 2 * sec},
		{Fault: "late", Ended: 58 * sec},
	}
	if diff := cmp.Diff(want, j.Recoveries()); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

func TestFactsOfTheEndHaveVerdictsOfTheirOwn(t *testing.T) {
	t.Parallel()
	count := func(m loadtest.Metric) loadtest.Threshold { return limit(of(loadtest.Count, m), loadtest.Equal, 0) }
	ledger := func(change func(*loadtest.LedgerReport)) judge.Facts {
		l := &loadtest.LedgerReport{Sent: 100, Accepted: 90}
		change(l)
		return judge.Facts{End: 60 * sec, Ledger: l}
	}
	tests := map[string]struct {
		metric loadtest.Metric
		facts  judge.Facts
		want   loadtest.Verdict
		why    string
	}{
		"nothing lost":           {loadtest.MetricLost, ledger(func(*loadtest.LedgerReport) {}), loadtest.Pass, ""},
		"lost":                   {loadtest.MetricLost, ledger(func(l *loadtest.LedgerReport) { l.Lost = 3 }), loadtest.Correctness, "3, it must be == 0"},
		"twice":                  {loadtest.MetricDuplicate, ledger(func(l *loadtest.LedgerReport) { l.Duplicate = 1 }), loadtest.Correctness, ""},
		"refused":                {loadtest.MetricRefused, ledger(func(l *loadtest.LedgerReport) { l.Refused = 1 }), loadtest.Correctness, ""},
		"unknown":                {loadtest.MetricUnknown, ledger(func(l *loadtest.LedgerReport) { l.UnknownOK = 1 }), loadtest.SLO, ""},
		"nothing sent":           {loadtest.MetricLost, ledger(func(l *loadtest.LedgerReport) { l.Sent = 0 }), loadtest.Inconclusive, "nothing was sent"},
		"not complete":           {loadtest.MetricLost, ledger(func(l *loadtest.LedgerReport) { l.Error = "no answer" }), loadtest.Inconclusive, "not complete: no answer"},
		"not complete, and lost": {loadtest.MetricLost, ledger(func(l *loadtest.LedgerReport) { l.Error, l.Lost = "no answer", 1 }), loadtest.Correctness, ""},
		"no hang":                {loadtest.MetricHangs, judge.Facts{}, loadtest.Pass, ""},
		"hangs":                  {loadtest.MetricHangs, judge.Facts{Hangs: 2}, loadtest.Hung, "2, it must be == 0"},
		"nobody looked":          {loadtest.MetricHangs, judge.Facts{Hangs: -1}, loadtest.Inconclusive, "nobody"},
	}
	for name, test := range tests {
		got := only(t, judge.New(scenario(count(test.metric))), test.facts)
		if got.Verdict != test.want || !strings.Contains(got.Why, test.why) {
			t.Errorf("%s: %s, %q; want %s, %q", name, got.Verdict, got.Why, test.want, test.why)
		}
	}
}
