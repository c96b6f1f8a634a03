package metrics_test

import (
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
)

// value returns a series, whose labels are given in the order of their names.
func (f *fixture) value(t *testing.T, name string, labels ...string) (n, sum float64) {
	t.Helper()
	families, err := f.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
	series:
		for _, m := range family.GetMetric() {
			for i, l := range m.GetLabel() {
				if l.GetValue() != labels[i] {
					continue series
				}
			}
			return m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount()), m.GetHistogram().GetSampleSum()
		}
	}
	t.Errorf("%s%v is not shown", name, labels)
	return 0, 0
}

func TestWhatProcessesCountIsShown(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.Request("/healthz", 200)
	f.Request("/healthz", 204)
	f.Request("/hooks/{hook}", 503)
	f.Request("/hooks/{hook}", 999)
	f.Request("/unknown", 200)
	f.OverBudget("/healthz")
	f.Unverified(deployer.GitLab)
	f.Recorded("overflow")
	f.Recorded("nothing of the kind")
	f.Reaped(deployer.CauseOwnerDied)
	f.Step(deployer.StepBuild, deployer.TimedOut, 90*time.Second)
	f.Deployed(deployer.Failed, 2*time.Minute, 3*time.Second)
	f.Stored(deployer.StoreAccept, 20*time.Millisecond, nil)
	f.Stored(deployer.StoreAccept, 10*time.Second, deployer.Errorf(deployer.CodeUnavailable, "full"))
	f.Stored(deployer.StoreRead, time.Millisecond, deployer.Errorf(deployer.CodeNotFound, "there is none"))
	f.Called("container list", time.Second, true)
	f.Called("an unknown call", time.Second, true)
	f.Breaker(true)
	f.Breaker(false)
	for _, want := range []struct {
		n, sum float64
		name   string
		labels []string
	}{
		{2, 0, "seadog_http_requests_total", []string{"2xx", "/healthz"}},
		{2, 0, "seadog_http_requests_total", []string{"5xx", "/hooks/{hook}"}},
		{0, 0, "seadog_http_requests_total", []string{"1xx", "/hooks/{hook}"}},
		{1, 0, "seadog_query_budget_exceeded_total", []string{"/healthz"}},
		{1, 0, "seadog_webhook_authentication_failures_total", []string{"gitlab"}},
		{0, 0, "seadog_webhook_authentication_failures_total", []string{"github"}},
		{1, 0, "seadog_recorded_deliveries_total", []string{"overflow"}},
		{0, 0, "seadog_recorded_deliveries_total", []string{"written"}},
		{1, 0, "seadog_reaped_total", []string{"owner_died"}},
		{0, 0, "seadog_reaped_total", []string{"shutdown"}},
		{1, 90, "seadog_step_duration_seconds", []string{"timed_out", "build"}},
		{0, 0, "seadog_step_duration_seconds", []string{"succeeded", "build"}},
		{1, 120, "seadog_deployment_duration_seconds", []string{"failed"}},
		{1, 3, "seadog_queue_wait_seconds", nil},
		{2, 10.02, "seadog_store_call_duration_seconds", []string{"accept"}},
		{1, 0, "seadog_store_call_failures_total", []string{"accept"}},
		{1, 0.001, "seadog_store_call_duration_seconds", []string{"read"}},
		{0, 0, "seadog_store_call_failures_total", []string{"read"}},
		{1, 1, "seadog_engine_call_duration_seconds", []string{"container list"}},
		{1, 0, "seadog_engine_call_failures_total", []string{"container list"}},
		{1, 0, "seadog_engine_breaker_opened_total", nil},
		{0, 0, "seadog_missed_webhooks_total", nil},
	} {
		if n, sum := f.value(t, want.name, want.labels...); n != want.n || sum != want.sum {
			t.Errorf("%s%v is %v (sum %v), want %v (sum %v)", want.name, want.labels, n, sum, want.n, want.sum)
		}
	}
}

func TestBucketsOfADurationAreCumulative(t *testing.T) {
	t.Parallel()
	f := start(t)
	for _, d := range []time.Duration{-time.Second, time.Minute, time.Minute + 1, time.Hour} {
		f.Deployed(deployer.Failed, 0, d)
	}
	f.shows(t, `
# HELP seadog_queue_wait_seconds How long deployments had waited for a runner or a lock when they began.
# TYPE seadog_queue_wait_seconds histogram
seadog_queue_wait_seconds_bucket{le="0.1"} 1
seadog_queue_wait_seconds_bucket{le="0.5"} 1
seadog_queue_wait_seconds_bucket{le="1"} 1
seadog_queue_wait_seconds_bucket{le="2.5"} 1
seadog_queue_wait_seconds_bucket{le="5"} 1
seadog_queue_wait_seconds_bucket{le="10"} 1
seadog_queue_wait_seconds_bucket{le="30"} 1
seadog_queue_wait_seconds_bucket{le="60"} 2
seadog_queue_wait_seconds_bucket{le="120"} 3
seadog_queue_wait_seconds_bucket{le="300"} 3
seadog_queue_wait_seconds_bucket{le="600"} 3
seadog_queue_wait_seconds_bucket{le="1800"} 3
seadog_queue_wait_seconds_bucket{le="+Inf"} 4
seadog_queue_wait_seconds_sum 3720.000000001
seadog_queue_wait_seconds_count 4
`, "seadog_queue_wait_seconds")
}

func TestABreakerThatWasOpenWhenItsProcessDiedIsClosedForTheNext(t *testing.T) {
	t.Parallel()
	f := start(t)
	value := func(i int) uint64 { return f.values[i] }
	add := func(i int, n uint64) { f.values[i] += n }
	f.Breaker(true)
	if !f.table.BreakerOpen(value) {
		t.Error("it is not open")
	}
	f.table.Settle(value, add)
	f.table.Settle(value, add)
	if f.table.BreakerOpen(value) {
		t.Error("it is open still")
	}
	f.Breaker(true)
	if !f.table.BreakerOpen(value) {
		t.Error("the next one does not open")
	}
}
