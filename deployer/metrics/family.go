package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seadog/seadog/deployer"
)

// The families. Labels are bounded: providers, verdicts, statuses and causes
// are enumerations, and routes are patterns of the route table.
var (
	descDeliveries = prometheus.NewDesc("seadog_deliveries_total",
		"Decisions about verified webhook deliveries.", []string{"provider", "verdict"}, nil)
	descDeployments = prometheus.NewDesc("seadog_deployments_total",
		"Deployments that ended, by how.", []string{"status"}, nil)
	descQueueDepth = prometheus.NewDesc("seadog_queue_depth",
		"Deployments that wait for a runner or a lock.", nil, nil)
	descQueueAge = prometheus.NewDesc("seadog_queue_oldest_age_seconds",
		"How long the oldest waiting deployment has waited; 0 if none waits.", nil, nil)
	descRunning = prometheus.NewDesc("seadog_running",
		"Deployments that run.", nil, nil)
	descReaped = prometheus.NewDesc("seadog_reaped_total",
		"Deployments that were ended because their owner was gone.", []string{"cause"}, nil)
	descOverBudget = prometheus.NewDesc("seadog_query_budget_exceeded_total",
		"Requests that asked the store more often than they may.", []string{"route"}, nil)
	descRequests = prometheus.NewDesc("seadog_http_requests_total",
		"Answered HTTP requests.", []string{"route", "code"}, nil)
	descStoreUp = prometheus.NewDesc("seadog_store_up",
		"1 if the store answered this scrape in time, else 0 and its numbers are the last known ones.", nil, nil)
	descEngineUp = prometheus.NewDesc("seadog_engine_up",
		"1 if the Docker engine answered the last probe in time.", nil, nil)
	descEngineLatency = prometheus.NewDesc("seadog_engine_latency_seconds",
		"How long the Docker engine took for the last probe.", nil, nil)
)

func descriptions() []*prometheus.Desc {
	return []*prometheus.Desc{
		descDeliveries, descDeployments, descQueueDepth, descQueueAge, descRunning, descReaped,
		descOverBudget, descRequests, descStoreUp, descEngineUp, descEngineLatency,
	}
}

// emitter turns snapshots into metrics.
type emitter struct{ out chan<- prometheus.Metric }

func (e emitter) gauge(desc *prometheus.Desc, value float64, labels ...string) {
	e.out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
}

func (e emitter) counter(desc *prometheus.Desc, value float64, labels ...string) {
	e.out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, value, labels...)
}

func (e emitter) tally(t deployer.Tally, now time.Time) {
	for kind, n := range t.Deliveries {
		e.counter(descDeliveries, float64(n), string(kind.Provider), string(kind.Verdict))
	}
	// Every end is shown from the start, so that a rate of failures has a zero to rise from.
	for _, status := range deployer.Statuses() {
		if status.Final() {
			e.counter(descDeployments, float64(t.Deployments[status]), string(status))
		}
	}
	age := 0.0
	if !t.OldestQueued.IsZero() {
		age = max(0, now.Sub(t.OldestQueued).Seconds())
	}
	e.gauge(descQueueAge, age)
	e.gauge(descQueueDepth, float64(t.Queued))
	e.gauge(descRunning, float64(t.Running))
}

func (e emitter) counters(c Counters) {
	for kind, n := range c.Requests {
		e.counter(descRequests, float64(n), kind.Route, kind.Class)
	}
	for route, n := range c.OverBudget {
		e.counter(descOverBudget, float64(n), route)
	}
	for _, cause := range []deployer.Cause{deployer.CauseOwnerDied, deployer.CauseLeaseExpired, deployer.CauseCanceled} {
		e.counter(descReaped, float64(c.Reaped[cause]), string(cause))
	}
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
