package attack_test

import (
	"math"
	"runtime/metrics"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/attack"
)

func TestEachRuleFindsItsFault(t *testing.T) {
	t.Parallel()
	for name, spec := range map[string]struct {
		change func(*attack.Facts)
		want   []string
	}{
		"all is well":             {func(*attack.Facts) {}, nil},
		"late":                    {attack.Lag(2 * time.Millisecond), []string{"G1"}},
		"as late as it may be":    {attack.Lag(time.Millisecond), nil},
		"not sent":                {attack.Late(11), []string{"G2"}},
		"a few not sent":          {attack.Late(10), nil},
		"busy":                    {attack.Cores(1.71), []string{"G3"}},
		"nearly busy":             {attack.Cores(1.69), nil},
		"no processor":            {attack.Delay(6 * time.Millisecond), []string{"G4"}},
		"ring empty":              {attack.Queues(11, 0, 0), []string{"G5"}},
		"sink slow":               {attack.Queues(6, 5, 0), []string{"G5"}},
		"ring empty now and then": {attack.Queues(10, 0, 0), nil},
		"a result lost":           {attack.Queues(0, 1, 1), []string{"G5"}},
		"no ports":                {attack.Faults(map[string]uint64{"no ports": 1}), []string{"G6"}},
		"too slow a machine":      {attack.Null(loadtest.Calibration{Rate: 1000}), []string{"G8"}},
		"a good machine":          {attack.Null(loadtest.Calibration{Rate: 1000, OK: true}), nil},
	} {
		var broken []string
		rules := attack.Rules(attack.NewFacts(spec.change))
		for _, r := range rules {
			if !r.OK {
				broken = append(broken, r.ID)
			}
			if r.Name == "" || r.Value == "" || r.Limit == "" {
				t.Errorf("%s: %+v says nothing", name, r)
			}
		}
		if !slices.Equal(broken, spec.want) {
			t.Errorf("%s: broke %v, want %v", name, broken, spec.want)
		}
		if len(rules) != 8 {
			t.Errorf("%d rules", len(rules))
		}
	}
}

func TestTheLimitOfLagFollowsTheTightestLatency(t *testing.T) {
	t.Parallel()
	less := func(m loadtest.Metric, limit float64, unit loadtest.Unit) loadtest.Threshold {
		return loadtest.Threshold{Aggregate: loadtest.Quantile, Metric: m, Compare: loadtest.Less, Limit: limit, Unit: unit}
	}
	server := less(loadtest.MetricResponse, 0.001, loadtest.Seconds)
	server.Server = true
	lower := less(loadtest.MetricResponse, 0.001, loadtest.Seconds)
	lower.Compare = loadtest.Greater
	for want, thresholds := range map[time.Duration][]loadtest.Threshold{
		100 * time.Millisecond: {less(loadtest.MetricFailed, 0.001, loadtest.Share), server, lower},
		5 * time.Millisecond:   {less(loadtest.MetricResponse, 0.5, loadtest.Seconds), less(loadtest.MetricService, 0.05, loadtest.Seconds)},
		time.Millisecond:       {less(loadtest.MetricTTFB, 0.002, loadtest.Seconds), less(loadtest.MetricResponse, 0.5, loadtest.Seconds)},
	} {
		if got := attack.LagLimit(thresholds); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestGrowthOfTheHeapIsFoundAndNoiseIsNot(t *testing.T) {
	t.Parallel()
	for name, spec := range map[string]struct {
		length time.Duration
		live   func(seconds int) uint64
		broken bool
	}{
		"flat":                {time.Hour, func(int) uint64 { return 20 << 20 }, false},
		"a saw":               {time.Hour, func(s int) uint64 { return 20<<20 + uint64(s%17)<<20 }, false},
		"a step at the begin": {time.Hour, func(s int) uint64 { return 20<<20 + uint64(min(s, 300))<<18 }, false},
		"100 MiB an hour":     {time.Hour, func(s int) uint64 { return 20<<20 + uint64(s)*(100<<20)/3600 }, true},
		"the same, for long":  {48 * time.Hour, func(s int) uint64 { return 20<<20 + uint64(s)*(100<<20)/3600 }, true},
		"too short to say":    {100 * time.Second, func(s int) uint64 { return uint64(s) << 20 }, false},
	} {
		var h attack.Heap
		for s := range int(spec.length / time.Second) {
			h.Add(time.Duration(s)*time.Second, spec.live(s))
		}
		rules := attack.Rules(attack.NewFacts(attack.Grown(h)))
		if rules[6].OK == spec.broken {
			hour, growth, ok := h.Slope()
			t.Errorf("%s: %+v; %v an hour, %v in all, known: %v", name, rules[6], hour, growth, ok)
		}
		if h.Points() >= 2400 {
			t.Errorf("%s: %d points are kept", name, h.Points())
		}
	}
}

func TestQuantilesOfWhatWasAddedToAHistogram(t *testing.T) {
	t.Parallel()
	buckets := []float64{0, 0.001, 0.002, 0.010, math.Inf(1)}
	of := func(counts ...uint64) *metrics.Float64Histogram {
		return &metrics.Float64Histogram{Counts: counts, Buckets: buckets}
	}
	before := of(1000, 0, 0, 1000)
	got := []time.Duration{
		attack.Quantile(before, of(1990, 10, 0, 1000), 0.99),
		attack.Quantile(before, of(1980, 20, 0, 1000), 0.99),
		attack.Quantile(before, of(1980, 0, 20, 1000), 0.99),
		attack.Quantile(before, of(1000, 0, 0, 1001), 0.99),
		attack.Quantile(before, before, 0.99),
		attack.Quantile(nil, before, 0.99),
	}
	want := []time.Duration{time.Millisecond, 1500 * time.Microsecond, 6 * time.Millisecond, 10 * time.Millisecond, 0, 0}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
