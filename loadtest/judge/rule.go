package judge

import (
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/flight"
)

// kind is where the values of a threshold come from.
type kind int

const (
	byRequest kind = iota // samples, one by one
	byFlight              // samples: what was under way
	byService             // the service's series
	bySlope               // the same, for a leak
	byFacts               // told at the end
	byFault               // the times that a fault took to be over
)

func kindOf(t *loadtest.Threshold) kind {
	switch t.Metric {
	case loadtest.MetricRSS, loadtest.MetricHeapLive, loadtest.MetricGoroutines, loadtest.MetricFDs, loadtest.MetricThreads:
		if t.Aggregate == loadtest.Slope {
			return bySlope
		}
		return byService
	}
	switch {
	case t.Aggregate == loadtest.Recover:
		return byFault
	case t.Aggregate == loadtest.Slope:
		return bySlope
	case t.Server:
		return byService
	}
	switch t.Metric {
	case loadtest.MetricGap, loadtest.MetricInflight:
		return byFlight
	case loadtest.MetricLost, loadtest.MetricDuplicate, loadtest.MetricUnknown, loadtest.MetricRefused, loadtest.MetricHangs:
		return byFacts
	}
	return byRequest
}

// rule is a threshold and all that was seen for it.
type rule struct {
	t       *loadtest.Threshold
	kind    kind
	scope   scope
	traffic []bool             // by index: it counts
	sent    []loadtest.Traffic // of the scenario
	filter  filter
	whole   tally    // without windows
	windows *windows // with "over"
	flights *flights // byFlight
	service *service // byService, bySlope
	points  *points  // bySlope
	aborts  int      // windows in a row; 0 once it has aborted the run
}

func newRule(s *loadtest.Scenario, t *loadtest.Threshold, f *faults) *rule {
	r := &rule{
		t: t, kind: kindOf(t), scope: scopeOf(s, t, f), traffic: make([]bool, len(s.Traffic)), sent: s.Traffic,
		filter: filterOf(t), aborts: t.Abort,
	}
	name, named := t.Label("scenario")
	for i, x := range s.Traffic {
		r.traffic[i] = x.Name == name || !named && x.Judged
	}
	switch r.kind {
	case byFlight:
		r.flights = &flights{ended: never}
		if t.Metric == loadtest.MetricInflight {
			r.flights.level = flight.NewLevel(horizon(s))
		}
	case bySlope, byService:
		r.service = &service{every: every(s)}
		if r.kind == bySlope {
			r.points = &points{bytes: t.Unit == loadtest.Bytes}
		}
	}
	r.whole = r.fresh()
	if t.Over > 0 && r.kind <= byService {
		r.windows = newWindows(t, r.fresh)
	}
	return r
}

// fresh returns an empty tally.
func (r *rule) fresh() tally {
	quantile := r.t.Aggregate == loadtest.Quantile
	switch r.kind {
	case byFlight:
		return &flow{}
	case byService, bySlope:
		return &gauge{quantile: quantile, trend: r.points}
	}
	return &requests{metric: r.t.Metric, quantile: quantile, filter: r.filter}
}

// tally returns where something counts that was at that time in a phase or
// fault; nil if its window is closed.
func (r *rule) tally(in *stretch, at time.Duration) tally {
	if r.windows == nil {
		return r.whole
	}
	return r.windows.at(in, at)
}

func (r *rule) take(s *loadtest.Sample) {
	if r.kind > byFlight || !r.traffic[s.Traffic] || !r.filter.selects(s, &r.sent[s.Traffic]) {
		return
	}
	if r.flights != nil {
		r.flights.take(s)
	}
	in := r.scope.sample(s)
	if in == nil {
		return
	}
	switch t := r.tally(in, s.Due).(type) {
	case *requests:
		t.take(s)
	case *flow:
		t.n++
	}
}

// advance settles everything up to line, a multiple of settling: nothing can
// come any more that was before it.
func (r *rule) advance(line time.Duration) {
	if r.service != nil && r.service.pending.at < line {
		r.service.flush(r)
	}
	if r.flights != nil {
		r.flights.settle(r, line)
	}
	if r.windows != nil {
		r.windows.close(line, &r.scope)
	}
}

// end says that the run has ended.
func (r *rule) end(at time.Duration) {
	if r.windows != nil {
		r.windows.ended = at
	}
	if r.flights != nil {
		r.flights.ended = at
	}
}
