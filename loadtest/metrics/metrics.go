// Package metrics shows a load test to Prometheus while it runs: what is
// planned, sent and answered, how long that takes, how thresholds and faults
// stand, and at last the verdict. Names begin with loadgen_. No label holds a
// URL, an id or a text from elsewhere.
//
// The package starts no goroutine; [Metrics] is safe for concurrent use.
package metrics

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seadog/seadog/loadtest"
)

// buckets lie on the limits of the design, from a millisecond to half a minute.
func buckets() []float64 {
	return []float64{.001, .0025, .005, .01, .025, .03, .05, .1, .2, .25, .5, 1, 2.5, 5, 10, 30}
}

// Metrics counts one run. It is a [loadtest.Sink].
type Metrics struct {
	scenario *loadtest.Scenario

	planned, sent, dropped, responses *prometheus.CounterVec
	response, service, lag            *prometheus.HistogramVec
	inflight                          prometheus.Gauge
	threshold, fault, verdict, info   *prometheus.GaugeVec

	counted []uint64 // planned so far, by traffic
}

// New registers the metrics of a run on reg.
func New(reg prometheus.Registerer, s *loadtest.Scenario, run, version string) (*Metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "loadgen", Name: name, Help: help}, labels)
	}
	histogram := func(name, help string, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "loadgen", Name: name, Help: help, Buckets: buckets(),
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160, NativeHistogramMinResetDuration: time.Hour,
		}, labels)
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "loadgen", Name: name, Help: help}, labels)
	}
	m := &Metrics{
		scenario:  s,
		planned:   counter("hits_planned_total", "Requests that were due.", "scenario"),
		sent:      counter("hits_sent_total", "Requests that were sent.", "scenario"),
		dropped:   counter("hits_dropped_total", "Requests that were due and never sent.", "scenario", "reason"),
		responses: counter("responses_total", "Requests that ended, by status code (0: no answer) and outcome.", "scenario", "code", "outcome"),
		response:  histogram("response_seconds", "Time from when a request was due to its end.", "scenario"),
		service:   histogram("service_seconds", "Time from when a request was sent to its end.", "scenario"),
		lag:       histogram("schedule_lag_seconds", "How late requests were sent: through the generator itself, or waiting for a free slot.", "cause"),
		inflight:  prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "loadgen", Name: "inflight_requests", Help: "Requests on their way."}),
		threshold: gauge("threshold_ok", "1 if the threshold holds so far, 0 if it does not, by its place in the scenario.", "threshold"),
		fault:     gauge("fault_active", "1 while the fault lasts.", "fault"),
		verdict:   gauge("verdict", "1 for the verdict of the run once it has ended, 0 for all others, and for all while it goes on.", "verdict"),
		info:      gauge("run_info", "1: which run this is.", "run_id", "version", "scenario"),
		counted:   make([]uint64, len(s.Traffic)),
	}
	for _, c := range []prometheus.Collector{
		m.planned, m.sent, m.dropped, m.responses, m.response, m.service, m.lag, m.inflight, m.threshold, m.fault, m.verdict, m.info,
	} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	m.info.WithLabelValues(run, version, s.Name).Set(1)
	for _, v := range loadtest.Verdicts() {
		m.verdict.WithLabelValues(string(v)).Set(0)
	}
	for _, t := range s.Traffic { // there from the first scrape on
		m.planned.WithLabelValues(t.Name)
		m.sent.WithLabelValues(t.Name)
		m.dropped.WithLabelValues(t.Name, "late")
		m.response.WithLabelValues(t.Name)
		m.service.WithLabelValues(t.Name)
	}
	for _, f := range s.Faults {
		m.fault.WithLabelValues(f.Name).Set(0)
	}
	return m, nil
}

// Take implements [loadtest.Sink].
func (m *Metrics) Take(s *loadtest.Sample) {
	name := m.scenario.Traffic[s.Traffic].Name
	if s.Outcome == loadtest.Dropped {
		m.dropped.WithLabelValues(name, "late").Inc()
	}
	if s.Sent > 0 {
		m.sent.WithLabelValues(name).Inc()
		m.service.WithLabelValues(name).Observe(s.Service().Seconds())
		m.lag.WithLabelValues("self").Observe(s.SelfLag().Seconds())
		m.lag.WithLabelValues("slot").Observe(s.SlotWait().Seconds())
	}
	m.responses.WithLabelValues(name, strconv.Itoa(s.Status), s.Outcome.String()).Inc()
	m.response.WithLabelValues(name).Observe(s.Response().Seconds())
}

// Stand shows how the run stands: what was due by now, by traffic, what is under
// way, and the thresholds in their order.
func (m *Metrics) Stand(planned []uint64, inflight int, thresholds []loadtest.ThresholdResult) {
	for i, n := range planned {
		if n > m.counted[i] {
			m.planned.WithLabelValues(m.scenario.Traffic[i].Name).Add(float64(n - m.counted[i]))
			m.counted[i] = n
		}
	}
	m.inflight.Set(float64(inflight))
	for i, t := range thresholds {
		ok := 1.0
		if t.Verdict != loadtest.Pass && t.Verdict != loadtest.Inconclusive {
			ok = 0
		}
		m.threshold.WithLabelValues(strconv.Itoa(i + 1)).Set(ok)
	}
}

// Fault shows that a fault has begun or ended.
func (m *Metrics) Fault(name string, active bool) {
	value := 0.0
	if active {
		value = 1
	}
	m.fault.WithLabelValues(name).Set(value)
}

// End shows the verdict.
func (m *Metrics) End(v loadtest.Verdict) {
	for _, known := range loadtest.Verdicts() {
		is := 0.0
		if known == v {
			is = 1
		}
		m.verdict.WithLabelValues(string(known)).Set(is)
	}
}
