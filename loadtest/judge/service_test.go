package judge_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/judge"
	"github.com/seadog/seadog/loadtest/leak"
)

// served is a threshold of the service's own.
func served(a loadtest.Aggregate, m loadtest.Metric, change func(*loadtest.Threshold)) loadtest.Threshold {
	t := limit(loadtest.Threshold{Aggregate: a, Metric: m, Server: true}, loadtest.LessEqual, 10)
	if change != nil {
		change(&t)
	}
	return t
}

// each shows a value a second, from 1 s to 60 s.
func each(name string, value func(second int) float64) []event {
	var out []event
	for i := 1; i <= 60; i++ {
		if v := value(i); !math.IsNaN(v) {
			out = append(out, shows(name, time.Duration(i)*sec, v))
		}
	}
	return out
}

func TestSeriesOfTheServiceIsJudgedByItsPoints(t *testing.T) {
	t.Parallel()
	second := func(i int) float64 { return float64(i) }
	faults := func(t *loadtest.Threshold) { t.Phase = "faults" }
	restarted := func(i int) float64 { return float64(i % 30 * 2) }
	tests := map[string]struct {
		threshold loadtest.Threshold
		value     func(int) float64
		want      float64
		n         uint64
	}{
		"max":                {served(loadtest.Max, "x", nil), second, 59, 50},
		"min":                {served(loadtest.Min, "x", nil), second, 10, 50},
		"mean":               {served(loadtest.Mean, "x", nil), second, 34.5, 50},
		"count":              {served(loadtest.Count, "x", nil), second, 50, 50},
		"in a phase":         {served(loadtest.Min, "x", faults), second, 40, 20},
		"delta":              {served(loadtest.Delta, "x", nil), second, 50, 50},
		"delta of a phase":   {served(loadtest.Delta, "x", faults), second, 20, 20}, // since 39 s
		"it fell":            {served(loadtest.Delta, "x", nil), restarted, 40, 50}, // 18 before, 58 at the end
		"a counter does not": {served(loadtest.Delta, "x_total", nil), restarted, 98, 50},
		"rate":               {served(loadtest.Rate, "x_total", nil), restarted, 98.0 / 50, 50},
		"rate of any name":   {served(loadtest.Rate, "x", nil), restarted, 98.0 / 50, 50},
		"in a fault":         {served(loadtest.Max, "x", func(t *loadtest.Threshold) { t.InFault = "freeze" }), second, 47, 3},
		"outside faults":     {served(loadtest.Count, "x", func(t *loadtest.Threshold) { t.Outside = true }), second, 45, 45},
		"median":             {served(loadtest.Quantile, "x", func(t *loadtest.Threshold) { t.Q = 0.5 }), second, 34, 50},
		"in windows":         {served(loadtest.Max, "x", over(10*sec)), second, 59, 10},
		"delta in windows":   {served(loadtest.Delta, "x", over(10*sec)), func(i int) float64 { return float64(i * i) }, 59*59 - 49*49, 10},
		"no slope is a rate": {served(loadtest.Ratio, "x", nil), second, 0, 50},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := only(t, disturbed(judge.New(scenario(test.threshold)), nil, each(string(test.threshold.Metric), test.value)...), end)
			if got.Value != test.want || got.N != test.n {
				t.Errorf("%g of %d, want %g of %d", got.Value, got.N, test.want, test.n)
			}
		})
	}
}

func TestNounsNeedNoPrefix(t *testing.T) {
	t.Parallel()
	rss := loadtest.Threshold{Aggregate: loadtest.Max, Metric: loadtest.MetricRSS, Compare: loadtest.Less, Limit: 100 << 20, Unit: loadtest.Bytes}
	got := only(t, run(judge.New(scenario(rss)), nil, each("rss", func(i int) float64 { return float64(i << 20) })...), end)
	if got.Verdict != loadtest.Pass || got.Shown != "59MiB" {
		t.Errorf("%+v", got)
	}
}

func TestSeriesWithTheLabelsAreAddedUp(t *testing.T) {
	t.Parallel()
	var events []event
	for i := 1; i <= 60; i++ {
		at := time.Duration(i) * sec
		for worker := range 3 {
			events = append(events, shows(fmt.Sprintf(`q{kind="mail",worker="%d"}`, worker), at, float64(i*(worker+1))))
		}
		events = append(events, shows(`q{kind="a \"}\\\n"}`, at, 5), shows(`q{quantile="0.5"}`, at, 1000), shows(`q2{kind="mail"}`, at, 1000), shows(`q{broken`, at, 7))
	}
	for labels, want := range map[string]float64{"": 59*6 + 5 + 7, "kind=mail": 59 * 6, "kind=mail,worker=1": 59 * 2, "kind=a \"}\\\n": 5, "quantile=0.5": 1000} {
		threshold := served(loadtest.Max, "q", func(t *loadtest.Threshold) {
			for pair := range strings.SplitSeq(labels, ",") {
				if name, value, ok := strings.Cut(pair, "="); ok {
					*t = labelled(*t, name, value)
				}
			}
		})
		if got := only(t, run(judge.New(scenario(threshold)), nil, events...), end); got.Value != want {
			t.Errorf("{%s}: %g, want %g", labels, got.Value, want)
		}
	}
}

// buckets shows a histogram of two routes a second: bounds 0.1, 0.5, 1 and +Inf.
// From 10 s on route /a gets 10 a second up to 0.1, 20 more up to 0.5, 9 up to 1 and
// slow ones above; /b a hundred up to 0.1. Before, all are slow.
func buckets(slow float64) []event {
	var events []event
	for i := 1; i <= 60; i++ {
		at, n := time.Duration(i)*sec, float64(max(0, i-9))
		cold := float64(min(9, i)) * 1000
		for bound, per := range map[string]float64{"0.1": 10, "0.5": 30, "1": 39, "+Inf": 39 + slow} {
			v := per * n
			if bound == "+Inf" {
				v += cold
			}
			events = append(events, shows(`t_bucket{le="`+bound+`",route="/a"}`, at, v), shows(`t_bucket{le="`+bound+`",route="/b"}`, at, 100*n))
		}
		events = append(events, shows(`t_count{route="/a"}`, at, (39+slow)*n+cold), shows(`t_count{route="/b"}`, at, 100*n))
		events = append(events, shows(`t_sum{route="/a"}`, at, 12*n+9*cold), shows(`t_sum{route="/b"}`, at, 5*n))
		events = append(events, shows(`t_bucket{le="x",route="/a"}`, at, 1e9))
	}
	return events
}

func TestQuantileOfAHistogramIsInterpolatedInItsBucket(t *testing.T) {
	t.Parallel()
	route := func(a loadtest.Aggregate, q float64) loadtest.Threshold {
		return labelled(served(a, "t", func(t *loadtest.Threshold) { t.Q, t.Limit, t.Unit = q, 1, loadtest.Seconds }), "route", "/a")
	}
	tests := map[string]struct {
		threshold loadtest.Threshold
		slow      float64
		want      float64
		n         uint64
		verdict   loadtest.Verdict
	}{
		// 40 a second for 50 s. Rank 20 of 40 is the 10th of 20 between 0.1 and 0.5.
		"p50":                   {route(loadtest.Quantile, 0.5), 1, 0.3, 2000, loadtest.Pass},
		"p10":                   {route(loadtest.Quantile, 0.1), 1, 0.04, 2000, loadtest.Pass},
		"p90":                   {route(loadtest.Quantile, 0.9), 1, 0.5 + 0.5*6/9, 2000, loadtest.Pass},
		"p99, none is slower":   {route(loadtest.Quantile, 0.99), 0, 0.5 + 0.5*(0.99*39-30)/9, 1950, loadtest.Pass},
		"p99, beyond":           {route(loadtest.Quantile, 0.99), 1, 1, 2000, loadtest.SLO},
		"p99.9 needs 10,000":    {route(loadtest.Quantile, 0.999), 0, 0.5 + 0.5*(0.999*39-30)/9, 1950, loadtest.Inconclusive},
		"mean":                  {route(loadtest.Mean, 0), 1, 0.3, 2000, loadtest.Pass},
		"rate":                  {with(route(loadtest.Rate, 0), func(t *loadtest.Threshold) { t.Limit = 50 }), 1, 40, 2000, loadtest.Pass},
		"how many":              {with(route(loadtest.Delta, 0), func(t *loadtest.Threshold) { t.Limit = 1999 }), 1, 2000, 2000, loadtest.SLO},
		"no maximum":            {route(loadtest.Max, 0), 1, 0, 2000, loadtest.Inconclusive},
		"all routes":            {served(loadtest.Quantile, "t", func(t *loadtest.Threshold) { t.Q, t.Limit = 0.5, 0.1 }), 0, 0.1 * 69.5 / 110, 6950, loadtest.Pass},
		"rate of all routes":    {served(loadtest.Rate, "t", func(t *loadtest.Threshold) { t.Limit = 139 }), 0, 139, 6950, loadtest.Pass},
		"in windows":            {with(route(loadtest.Quantile, 0.5), over(10*sec)), 1, 0.3, 400, loadtest.Pass},
		"beyond, which is fine": {limit(route(loadtest.Quantile, 0.99), loadtest.Greater, 0.9), 1, 1, 2000, loadtest.Pass},
		"beyond, in windows":    {with(route(loadtest.Quantile, 0.9), over(20*sec)), 5, 1, 880, loadtest.SLO},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := only(t, run(judge.New(scenario(test.threshold)), nil, buckets(test.slow)...), end)
			if !near(got.Value, test.want) || got.N != test.n || got.Verdict != test.verdict {
				t.Errorf("%g of %d, %s, %s; want %g of %d, %s", got.Value, got.N, got.Verdict, got.Why, test.want, test.n, test.verdict)
			}
			if beyond := strings.Contains(name, "beyond"); beyond != strings.Contains(got.Why, "more than 1s") {
				t.Errorf("%s", got.Why)
			}
		})
	}
}

func TestMetricGoesBeforeAHistogramOfItsName(t *testing.T) {
	t.Parallel()
	second := func(i int) float64 { return float64(i) }
	got := only(t, run(judge.New(scenario(served(loadtest.Max, "x", nil))), nil, append(each("x", second), each("x_count", second)...)...), end)
	if got.Value != 59 {
		t.Errorf("%+v", got)
	}
}

func TestWorstWindowIsTheFarthestFromItsLimit(t *testing.T) {
	t.Parallel()
	workers := func(i int) float64 {
		return map[bool]float64{true: 1, false: 4}[i >= 30 && i < 40] + map[bool]float64{true: 2}[i >= 50]
	}
	exact := served(loadtest.Mean, "workers", func(t *loadtest.Threshold) { t.Over, t.Compare, t.Limit = 10*sec, loadtest.Equal, 4 })
	got := only(t, run(judge.New(scenario(exact)), nil, each("workers", workers)...), end)
	if got.Worst != 30*sec || got.Failing != 2 || got.Verdict != loadtest.SLO || got.Margin != -0.75 {
		t.Errorf("%+v", got)
	}
	// Of two that are equal to the eye, the one that lies beyond the last bucket.
	p90 := served(loadtest.Quantile, "t", func(t *loadtest.Threshold) { t.Over, t.Q, t.Limit = 10*sec, 0.9, 1 })
	p90 = labelled(p90, "route", "/a")
	more := 0.0
	events := append(each(`t_bucket{le="1",route="/a"}`, func(i int) float64 { return float64(100 * i) }),
		each(`t_bucket{le="+Inf",route="/a"}`, func(i int) float64 {
			if i >= 20 && i < 30 {
				more += 100
			}
			return float64(100*i) + more
		})...)
	got = only(t, run(judge.New(scenario(p90)), nil, events...), end)
	if got.Worst != 20*sec || got.Failing != 1 || got.Shown != "more than 1" {
		t.Errorf("%+v", got)
	}
}

func TestHistogramWithoutItsLastBucketHasNoQuantile(t *testing.T) {
	t.Parallel()
	p50 := served(loadtest.Quantile, "t", func(t *loadtest.Threshold) { t.Q = 0.5 })
	for name, events := range map[string][]event{
		"no +Inf":       append(each(`t_bucket{le="1"}`, func(i int) float64 { return float64(i) }), each(`t_bucket{le="2"}`, func(i int) float64 { return float64(i) })...),
		"nothing in it": append(each(`t_bucket{le="1"}`, func(int) float64 { return 7 }), each(`t_bucket{le="+Inf"}`, func(int) float64 { return 7 })...),
	} {
		if got := only(t, run(judge.New(scenario(p50)), nil, events...), end); got.Verdict != loadtest.Inconclusive {
			t.Errorf("%s: %+v", name, got)
		}
	}
	negative := append(each(`t_bucket{le="-1"}`, func(i int) float64 { return float64(100 * i) }), each(`t_bucket{le="+Inf"}`, func(i int) float64 { return float64(100 * i) })...)
	if got := only(t, run(judge.New(scenario(p50)), nil, negative...), end); got.Value != -1 {
		t.Errorf("a first bucket below zero has no lower end: %+v", got)
	}
}

func TestMetricsThatWereGoneAreNoPass(t *testing.T) {
	t.Parallel()
	hole := func(from, to int) func(int) float64 {
		return func(i int) float64 {
			if i > from && i < to {
				return math.NaN()
			}
			return 5
		}
	}
	tests := map[string]struct {
		threshold loadtest.Threshold
		value     func(int) float64
		want      loadtest.Verdict
		why       string
	}{
		"three intervals":       {served(loadtest.Max, "x", nil), hole(20, 23), loadtest.Pass, ""},
		"more":                  {served(loadtest.Max, "x", nil), hole(20, 24), loadtest.Inconclusive, "no x from 20s on for 4s"},
		"before it is judged":   {served(loadtest.Max, "x", nil), hole(1, 12), loadtest.Pass, ""},
		"from the beginning on": {served(loadtest.Max, "x", nil), hole(0, 15), loadtest.Inconclusive, "from 10s on for 5s"},
		"to the end":            {served(loadtest.Max, "x", nil), hole(50, 99), loadtest.Inconclusive, "from 50s on for 10s"},
		"in another phase":      {served(loadtest.Max, "x", func(t *loadtest.Threshold) { t.Phase = "steady" }), hole(50, 99), loadtest.Pass, ""},
		"in a fault":            {served(loadtest.Max, "x", func(t *loadtest.Threshold) { t.Outside = true }), hole(44, 48), loadtest.Pass, ""},
		"also in a fault":       {served(loadtest.Max, "x", nil), hole(44, 48), loadtest.Inconclusive, "for 4s"},
		"windows":               {served(loadtest.Max, "x", over(10*sec)), hole(20, 24), loadtest.Inconclusive, "for 4s"},
		"it fails anyway":       {limit(served(loadtest.Max, "x", nil), loadtest.Less, 5), hole(20, 30), loadtest.SLO, ""},
		"never":                 {served(loadtest.Max, "x", nil), hole(0, 99), loadtest.Inconclusive, "no x in the judged phases"},
		"a slope":               {served(loadtest.Slope, "x", nil), hole(30, 35), loadtest.Inconclusive, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := only(t, disturbed(judge.New(scenario(test.threshold)), nil, each("x", test.value)...), end)
			if got.Verdict != test.want || !strings.Contains(got.Why, test.why) {
				t.Errorf("%s, %s; want %s, %s", got.Verdict, got.Why, test.want, test.why)
			}
		})
	}
}

func TestSlopeIsThatOfTheLeakTest(t *testing.T) {
	t.Parallel()
	grows := func(perHour float64) []event {
		var out []event
		for i := range 600 {
			noise := float64(i * 7919 % 100)
			out = append(out, shows("goroutines", time.Duration(i)*sec, 1000+perHour*float64(i)/3600+noise/1000))
		}
		return out
	}
	threshold := loadtest.Threshold{Aggregate: loadtest.Slope, Metric: loadtest.MetricGoroutines, Compare: loadtest.Less, Limit: 10, PerHour: true, Text: "slope(goroutines) < 10/h"}
	zero := threshold
	zero.Limit = 0
	s := scenario(threshold)
	s.Phases[1].For = 10 * time.Minute
	facts := judge.Facts{End: 600 * sec}
	for perHour, want := range map[float64]loadtest.Verdict{0: loadtest.Pass, 8: loadtest.Pass, 100: loadtest.Leaking} {
		j := run(judge.New(s), nil, grows(perHour)...)
		if got := j.Standing()[0]; got.Verdict != loadtest.Inconclusive || !strings.Contains(got.Why, "at the end") {
			t.Errorf("before the end: %s, %s", got.Verdict, got.Why)
		}
		got := only(t, j, facts)
		leaks := j.Leaks(facts)
		if got.Verdict != want || len(leaks) != 1 || leaks[0].Verdict != want || leaks[0].Series != "goroutines" || got.Value != leaks[0].Slope || got.Why != leaks[0].Why {
			t.Errorf("%g an hour: %+v, %+v", perHour, got, leaks)
		}
		// What is judged is the lower bound, and so it is what is near the limit or not.
		if want := 1 - leaks[0].Lower/threshold.Limit; got.Margin != want {
			t.Errorf("%g an hour: the margin is %g, want %g", perHour, got.Margin, want)
		}
	}
	s.Thresholds[0] = zero
	if got := only(t, run(judge.New(s), nil, grows(8)...), facts); got.Verdict != loadtest.Leaking {
		t.Errorf("nothing is tolerated, and 8 an hour is %s: %s", got.Verdict, got.Why)
	}
	s.Thresholds[0] = threshold
	s.Phases[1].For = 2 * time.Minute
	short := run(judge.New(s), nil, grows(0)[:130]...)
	if got := only(t, short, judge.Facts{End: 130 * sec}); got.Verdict != loadtest.Inconclusive {
		t.Errorf("too short: %s, %s", got.Verdict, got.Why)
	}
	s.Phases[1].For = 165 * sec
	for warmUp, want := range map[time.Duration]loadtest.Verdict{0: loadtest.Inconclusive, sec: loadtest.Pass} {
		f := judge.Facts{End: 175 * sec, Leak: leak.Options{WarmUp: warmUp}}
		if got := only(t, run(judge.New(s), nil, grows(0)[:175]...), f); got.Verdict != want {
			t.Errorf("warm-up of %s: %s, %s", warmUp, got.Verdict, got.Why)
		}
	}
}

// A day of points, with a leak, is no more than half a day's, and is found.
func TestPointsOfALongRunAreMerged(t *testing.T) {
	t.Parallel()
	s := scenario(
		loadtest.Threshold{Aggregate: loadtest.Slope, Metric: loadtest.MetricRSS, Limit: 1 << 20, Unit: loadtest.Bytes},
		served(loadtest.Quantile, "rss", func(t *loadtest.Threshold) { t.Q, t.Limit = 0.5, 1e12 }),
	)
	s.Phases[1].For = 100 * time.Hour
	j := judge.New(s)
	const seconds = 150_000
	for i := range seconds {
		j.Server("rss", loadtest.Point{At: time.Duration(i) * sec, Value: float64(100<<20) + 2<<20*float64(i)/3600 + float64(i%7)*(1<<20)})
	}
	got := j.Results(judge.Facts{End: seconds * sec})
	if got[0].Verdict != loadtest.Leaking || !near(got[0].Value/2, 1<<20) || got[0].N > 40_000 {
		t.Errorf("slope: %+v", got[0])
	}
	if middle := float64(103<<20) + 2<<20*75_005.0/3600; !near(got[1].Value, middle) || got[1].N != seconds-10 {
		t.Errorf("median: %+v, want about %g", got[1], middle)
	}
}

func TestNothingIsTakenAfterTheResults(t *testing.T) {
	t.Parallel()
	j := run(judge.New(scenario(served(loadtest.Max, "x", nil))), nil, each("x", func(int) float64 { return 5 })...)
	before := only(t, j, end)
	j.Server("x", loadtest.Point{At: 30 * sec, Value: 500})
	j.Server("x", loadtest.Point{At: 31 * sec, Value: 500})
	if after := only(t, j, end); after != before {
		t.Errorf("%+v, before %+v", after, before)
	}
}
