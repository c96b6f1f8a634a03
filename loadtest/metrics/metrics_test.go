package metrics_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/metrics"
)

func TestARunIsCounted(t *testing.T) {
	t.Parallel()
	s := &loadtest.Scenario{Name: "gate", Traffic: []loadtest.Traffic{{Name: "hooks"}, {Name: "health"}}, Faults: []loadtest.Fault{{Name: "freeze"}}}
	reg := prometheus.NewRegistry()
	m, err := metrics.New(reg, s, "r1", "v1")
	if err != nil {
		t.Fatal(err)
	}
	m.Take(&loadtest.Sample{Due: time.Second, Ready: time.Second, Slot: time.Second, Sent: time.Second + time.Millisecond, Done: 1100 * time.Millisecond, Status: 202})
	m.Take(&loadtest.Sample{Due: time.Second, Done: 3 * time.Second, Outcome: loadtest.Dropped})
	m.Take(&loadtest.Sample{Traffic: 1, Due: time.Second, Sent: time.Second, Done: 4 * time.Second, Outcome: loadtest.TimedOut})
	for range 2 { // what was counted is not counted again
		m.Stand([]uint64{10, 5}, 3, []loadtest.ThresholdResult{{Verdict: loadtest.Pass}, {Verdict: loadtest.SLO}, {Verdict: loadtest.Inconclusive}})
	}
	m.Fault("freeze", true)
	m.End(loadtest.SLO)
	m.End(loadtest.Hung)
	want := map[string]float64{
		`loadgen_hits_planned_total{scenario="hooks"}`:                          10,
		`loadgen_hits_planned_total{scenario="health"}`:                         5,
		`loadgen_hits_sent_total{scenario="hooks"}`:                             1,
		`loadgen_hits_dropped_total{reason="late",scenario="hooks"}`:            1,
		`loadgen_responses_total{code="202",outcome="ok",scenario="hooks"}`:     1,
		`loadgen_responses_total{code="0",outcome="timeout",scenario="health"}`: 1,
		`loadgen_inflight_requests{}`:                                           3,
		`loadgen_threshold_ok{threshold="1"}`:                                   1,
		`loadgen_threshold_ok{threshold="2"}`:                                   0,
		`loadgen_threshold_ok{threshold="3"}`:                                   1,
		`loadgen_fault_active{fault="freeze"}`:                                  1,
		`loadgen_verdict{verdict="FAIL: hang"}`:                                 1,
		`loadgen_run_info{run_id="r1",scenario="gate",version="v1"}`:            1,
		`loadgen_response_seconds{scenario="hooks"}`:                            2,
		`loadgen_service_seconds{scenario="hooks"}`:                             1,
		`loadgen_schedule_lag_seconds{cause="self"}`:                            2,
	}
	got := gather(t, reg)
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is %v, want %v", name, got[name], value)
		}
	}
	if was, known := got[`loadgen_verdict{verdict="FAIL: SLO"}`]; !known || was != 0 {
		t.Error("the verdict before still holds")
	}
	if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}
}

// gather returns the values of a registry by name and labels; of histograms, how many they counted.
func gather(t *testing.T, reg *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName() + "{"
			for i, l := range m.GetLabel() {
				if i > 0 {
					name += ","
				}
				name += l.GetName() + `="` + l.GetValue() + `"`
			}
			name += "}"
			switch {
			case m.GetCounter() != nil:
				values[name] = m.GetCounter().GetValue()
			case m.GetGauge() != nil:
				values[name] = m.GetGauge().GetValue()
			case m.GetHistogram() != nil:
				values[name] = float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return values
}
