package metrics

import (
	"maps"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seadog/seadog/deployer"
)

// The families. Labels are bounded: providers, verdicts, statuses and causes
// are enumerations, and routes are patterns of the route table.
var (
	descDeliveries = prometheus.NewDesc("seadog_deliveries_total",
		"Decisions about verified webhook deliveries.", []string{"provider", "decision"}, nil)
	descUnverified = prometheus.NewDesc("seadog_webhook_authentication_failures_total",
		"Deliveries that were refused because their secret or signature was wrong.", []string{"provider"}, nil)
	descRecorded = prometheus.NewDesc("seadog_recorded_deliveries_total",
		"Deliveries that were to be recorded as they came in, by what became of that.", []string{"result"}, nil)
	descMissed = prometheus.NewDesc("seadog_missed_webhooks_total",
		"Pushes that were found although no webhook had told of them.", nil, nil)
	descDeployments = prometheus.NewDesc("seadog_deployments_total",
		"Deployments that ended, by how.", []string{"status"}, nil)
	descDeployment = prometheus.NewDesc("seadog_deployment_duration_seconds",
		"How long deployments ran, by how they ended.", []string{"status"}, nil)
	descStep = prometheus.NewDesc("seadog_step_duration_seconds",
		"How long steps of deployments took, by how they ended.", []string{"step", "result"}, nil)
	descWaited = prometheus.NewDesc("seadog_queue_wait_seconds",
		"How long deployments had waited for a runner or a lock when they began.", nil, nil)
	descQueueDepth = prometheus.NewDesc("seadog_queue_depth",
		"Deployments that wait for a runner or a lock.", nil, nil)
	descQueueAge = prometheus.NewDesc("seadog_queue_oldest_age_seconds",
		"How long the oldest waiting deployment has waited; 0 if none waits.", nil, nil)
	descRunning = prometheus.NewDesc("seadog_running",
		"Deployments that run.", nil, nil)
	descRunningAge = prometheus.NewDesc("seadog_running_oldest_age_seconds",
		"How long the deployment has been running that has for longest; 0 if none runs.", nil, nil)
	descStalled = prometheus.NewDesc("seadog_running_stalled",
		"Deployments that run and whose step has been silent for half of what it may.", nil, nil)
	descReaped = prometheus.NewDesc("seadog_reaped_total",
		"Deployments that were ended because their owner was gone.", []string{"cause"}, nil)
	descOverBudget = prometheus.NewDesc("seadog_query_budget_exceeded_total",
		"Requests that asked the store more often than they may.", []string{"route"}, nil)
	descRequests = prometheus.NewDesc("seadog_http_requests_total",
		"Answered HTTP requests.", []string{"route", "code"}, nil)
	descStoreUp = prometheus.NewDesc("seadog_store_up",
		"1 if the store answered this scrape in time, else 0 and its numbers are the last known ones.", nil, nil)
	descTallyAge = prometheus.NewDesc("seadog_store_tally_age_seconds",
		"Age of the numbers that come from the store.", nil, nil)
	descStore = prometheus.NewDesc("seadog_store_call_duration_seconds",
		"How long calls of the store took, with the wait for the turn to write.", []string{"call"}, nil)
	descStoreFailures = prometheus.NewDesc("seadog_store_call_failures_total",
		"Calls of the store that could not be answered, or not in time.", []string{"call"}, nil)
	descEngineUp = prometheus.NewDesc("seadog_engine_up",
		"1 if the Docker engine answered the last probe in time.", nil, nil)
	descEngineLatency = prometheus.NewDesc("seadog_engine_latency_seconds",
		"How long the Docker engine took for the last probe.", nil, nil)
	descEngine = prometheus.NewDesc("seadog_engine_call_duration_seconds",
		"How long calls of the Docker engine took.", []string{"call"}, nil)
	descEngineFailures = prometheus.NewDesc("seadog_engine_call_failures_total",
		"Calls that the Docker engine did not answer.", []string{"call"}, nil)
	descBreakerOpen = prometheus.NewDesc("seadog_engine_breaker_open",
		"Processes that ask the Docker engine nothing because it did not answer them several times in a row.", nil, nil)
	descBreakerOpened = prometheus.NewDesc("seadog_engine_breaker_opened_total",
		"Times that a process stopped asking the Docker engine.", nil, nil)
	descBuild = prometheus.NewDesc("seadog_build_info",
		"1, with what this binary was built from.", []string{"version", "goversion"}, nil)
)

func descriptions() []*prometheus.Desc {
	return []*prometheus.Desc{
		descDeliveries, descUnverified, descRecorded, descMissed, descDeployments, descDeployment, descStep, descWaited,
		descQueueDepth, descQueueAge, descRunning, descRunningAge, descStalled, descReaped,
		descOverBudget, descRequests, descStoreUp, descTallyAge, descStore, descStoreFailures,
		descEngineUp, descEngineLatency, descEngine, descEngineFailures, descBreakerOpen, descBreakerOpened, descBuild,
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

func (e emitter) histogram(desc *prometheus.Desc, h Histogram, labels ...string) {
	buckets := make(map[float64]uint64, len(h.Bounds))
	var n uint64
	for i, bound := range h.Bounds {
		n += h.Counts[i]
		buckets[bound.Seconds()] = n
	}
	e.out <- prometheus.MustNewConstHistogram(desc, h.Count(), h.Sum.Seconds(), buckets, labels...)
}

// tally shows what the store counts. Every decision about deliveries of those
// providers, and every end, is shown from the start, so that a rate has a zero to rise from.
func (e emitter) tally(t deployer.Tally, providers []deployer.Provider, now time.Time) {
	deliveries := maps.Clone(t.Deliveries)
	for _, p := range providers {
		for _, v := range deployer.Verdicts() {
			kind := deployer.DeliveryKind{Provider: p, Verdict: v}
			e.counter(descDeliveries, float64(deliveries[kind]), string(p), string(v))
			delete(deliveries, kind)
		}
	}
	for kind, n := range deliveries { // of providers that are not configured any more
		e.counter(descDeliveries, float64(n), string(kind.Provider), string(kind.Verdict))
	}
	for _, status := range deployer.Statuses() {
		if status.Final() {
			e.counter(descDeployments, float64(t.Deployments[status]), string(status))
		}
	}
	e.gauge(descQueueAge, age(t.OldestQueued, now))
	e.gauge(descQueueDepth, float64(t.Queued))
	e.gauge(descRunning, float64(t.Running))
	e.gauge(descRunningAge, age(t.OldestRunning, now))
	e.gauge(descStalled, float64(t.Stalled))
}

// age returns 0 if then is no time.
func age(then, now time.Time) float64 {
	if then.IsZero() {
		return 0
	}
	return max(0, now.Sub(then).Seconds())
}

func (e emitter) counters(c Counters) {
	for kind, n := range c.Requests {
		e.counter(descRequests, float64(n), kind.Route, kind.Class)
	}
	for route, n := range c.OverBudget {
		e.counter(descOverBudget, float64(n), route)
	}
	for provider, n := range c.Unverified {
		e.counter(descUnverified, float64(n), string(provider))
	}
	for result, n := range c.Recorded {
		e.counter(descRecorded, float64(n), result)
	}
	for cause, n := range c.Reaped {
		e.counter(descReaped, float64(n), string(cause))
	}
	for kind, h := range c.Steps {
		e.histogram(descStep, h, string(kind.Step), string(kind.End))
	}
	for end, h := range c.Deployments {
		e.histogram(descDeployment, h, string(end))
	}
	e.histogram(descWaited, c.Queued)
	for call, h := range c.Store {
		e.histogram(descStore, h, string(call))
		e.counter(descStoreFailures, float64(c.StoreFailures[call]), string(call))
	}
	for call, h := range c.Engine {
		e.histogram(descEngine, h, call)
		e.counter(descEngineFailures, float64(c.EngineFailures[call]), call)
	}
	e.counter(descBreakerOpened, float64(c.BreakerOpened))
	e.counter(descMissed, 0) // nobody looks for them yet
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
