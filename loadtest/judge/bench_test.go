package judge_test

import (
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/judge"
)

// The thresholds of a usual scenario: what a request costs.
func BenchmarkTake(b *testing.B) {
	s := scenario(
		limit(labelled(p(0.99, loadtest.MetricResponse), "scenario", "hooks"), loadtest.Less, 0.05),
		limit(labelled(p(0.999, loadtest.MetricResponse), "scenario", "health"), loadtest.Less, 0.05),
		with(limit(p(0.99, loadtest.MetricResponse), loadtest.Less, 0.5), over(10*sec)),
		limit(of(loadtest.Ratio, loadtest.MetricFailed), loadtest.LessEqual, 0.001),
		limit(of(loadtest.Count, loadtest.MetricDropped), loadtest.Equal, 0),
		with(limit(of(loadtest.Max, loadtest.MetricGap), loadtest.Less, 1), func(t *loadtest.Threshold) { t.Outside = true }),
		limit(of(loadtest.Max, loadtest.MetricInflight), loadtest.Less, 256),
		limit(of(loadtest.Count, loadtest.MetricLost), loadtest.Equal, 0),
	)
	s.Phases[1].For = 10_000 * time.Hour
	j := judge.New(s)
	samples := make([]loadtest.Sample, 1<<12)
	for i := range samples {
		samples[i] = answer(20*sec, time.Duration(200+i*7919%3000)*time.Microsecond)
		samples[i].Traffic = i % 2
	}
	at := 20 * sec
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		x := samples[i&(1<<12-1)]
		at += sec / 30_000
		took := x.Done - x.Due
		x.Due, x.Ready, x.Slot, x.Sent, x.First, x.Done = at-took, at-took, at-took, at-took, at-took/2, at
		j.Take(&x)
	}
}
