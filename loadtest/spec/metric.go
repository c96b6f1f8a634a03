package spec

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/seadog/seadog/loadtest"
)

// class is what can be said of a metric.
type class struct {
	metrics    []loadtest.Metric
	unit       loadtest.Unit
	aggregates []loadtest.Aggregate
	labels     string // that it may have; of the service's own metrics, any
	requests   bool   // of requests
	whole      bool   // of the whole run only
}

const (
	quantile = loadtest.Quantile
	mean     = loadtest.Mean
	most     = loadtest.Max
	least    = loadtest.Min
	counted  = loadtest.Count
	perTime  = loadtest.Rate
	ratio    = loadtest.Ratio
	slope    = loadtest.Slope
	delta    = loadtest.Delta
)

// classes are all metrics of ours. The service's own are one class for themselves.
func classes() []class {
	type ms = []loadtest.Metric
	type as = []loadtest.Aggregate
	gauge := as{quantile, mean, most, least, slope, delta}
	const ofRequests, ofFlight = "scenario variant outcome code", "scenario variant"
	return []class{
		{ms{loadtest.MetricResponse, loadtest.MetricService, loadtest.MetricSelfLag, loadtest.MetricSlotWait, loadtest.MetricTTFB}, loadtest.Seconds, as{quantile, mean, most, least}, ofRequests, true, false},
		{ms{loadtest.MetricGap}, loadtest.Seconds, as{most}, ofFlight, true, false},
		{ms{loadtest.MetricFailed, loadtest.MetricDropped, loadtest.MetricSent}, loadtest.NoUnit, as{counted, perTime, ratio}, ofRequests, true, false},
		{ms{loadtest.MetricInflight}, loadtest.NoUnit, as{mean, most, least}, ofFlight, true, false},
		{ms{loadtest.MetricLost, loadtest.MetricDuplicate, loadtest.MetricUnknown, loadtest.MetricRefused, loadtest.MetricHangs}, loadtest.NoUnit, as{counted}, "", false, true},
		{ms{loadtest.MetricRSS, loadtest.MetricHeapLive}, loadtest.Bytes, gauge, "", false, false},
		{ms{loadtest.MetricGoroutines, loadtest.MetricFDs, loadtest.MetricThreads}, loadtest.NoUnit, gauge, "", false, false},
	}
}

// classOf returns what can be said of the metric of p.
func classOf(t *loadtest.Threshold) class {
	for _, c := range classes() {
		if slices.Contains(c.metrics, t.Metric) && (!t.Server || ofProcess(t.Metric)) {
			return c
		}
	}
	return class{unit: unitOf(string(t.Metric)), aggregates: []loadtest.Aggregate{quantile, mean, most, least, perTime, slope, delta}}
}

func isOurs(name string) bool { return slices.Contains(ourMetrics(), name) }

func ourMetrics() []string {
	var names []string
	for _, c := range classes() {
		for _, m := range c.metrics {
			names = append(names, string(m))
		}
	}
	return names
}

// ofProcess reports whether m is of the service's process: such metrics may be
// written with or without server.
func ofProcess(m loadtest.Metric) bool {
	switch m {
	case loadtest.MetricRSS, loadtest.MetricHeapLive, loadtest.MetricGoroutines, loadtest.MetricFDs, loadtest.MetricThreads:
		return true
	}
	return false
}

// unitOf reads the unit of a metric of the service from its name, as the rules
// for such names want it. Where it says none, any unit will do.
func unitOf(name string) loadtest.Unit {
	name = strings.TrimSuffix(strings.TrimSuffix(name, "_total"), "_sum")
	switch {
	case strings.HasSuffix(name, "_seconds"):
		return loadtest.Seconds
	case strings.HasSuffix(name, "_bytes"):
		return loadtest.Bytes
	}
	return loadtest.NoUnit
}

// check says whether the parts of a threshold go together.
func (p *parsed) check() *ThresholdError {
	if p.Aggregate == loadtest.Recover {
		return p.checkRecover()
	}
	c := classOf(&p.Threshold)
	if !slices.Contains(c.aggregates, p.Aggregate) {
		var known []string
		for _, a := range c.aggregates {
			known = append(known, shownAggregate(a))
		}
		return wrongAt(p.aggregate, "write "+strings.Join(known, ", "), "%s has no %s", p.Metric, shownAggregate(p.Aggregate))
	}
	if err := p.checkUnit(c); err != nil {
		return err
	}
	switch {
	case p.Compare == loadtest.Equal && p.Unit == loadtest.Seconds:
		return wrongAt(p.compare, "write <= or >=", "no time is ever exactly %s", p.Format(p.Limit))
	case c.whole && (p.Over > 0 || p.Phase != "" || p.InFault != "" || p.Outside):
		return wrongAt(max(p.over, p.scope), "leave it out", "%s is of the whole run", p.Metric)
	case c.whole && len(p.Labels) > 0:
		return wrongAt(p.labels[0], "leave it out", "%s is of all scenarios", p.Metric)
	case p.Aggregate == slope && p.Over > 0:
		return wrongAt(p.over, "leave over out", "a slope has no windows")
	case ofProcess(p.Metric) && len(p.Labels) > 0:
		return wrongAt(p.labels[0], "leave it out", "%s has no labels", p.Metric)
	}
	if c.requests {
		return p.checkLabels(strings.Fields(c.labels))
	}
	return nil
}

var codeRE = regexp.MustCompile(`^[2-5]([0-9][0-9]|xx)$`)

// checkLabels checks the labels of requests, but for names of the scenario's.
func (p *parsed) checkLabels(known []string) *ThresholdError {
	for i, l := range p.Labels {
		switch {
		case !slices.Contains(known, l.Name):
			return wrongAt(p.labels[i], suggest(l.Name, known, "labels of "+string(p.Metric)+" are "), "unknown label %s", cut(l.Name))
		case l.Name == "outcome" && !slices.Contains(outcomes(), l.Value):
			return wrongAt(p.labels[i], suggest(l.Value, outcomes(), "there are "), "there is no outcome %s", cut(l.Value))
		case l.Name == "code" && !codeRE.MatchString(l.Value):
			return wrongAt(p.labels[i], "write code=503, or code=5xx for all of them", "%s is not the status of an answer", cut(l.Value))
		}
	}
	return nil
}

// outcomes are the names of those that are booked on the target.
func outcomes() []string {
	var names []string
	for o := range loadtest.Outcome(loadtest.Outcomes) {
		if o != loadtest.OwnFault {
			names = append(names, o.String())
		}
	}
	return names
}

func (p *parsed) checkRecover() *ThresholdError {
	switch {
	case p.Server:
		return wrongAt(p.aggregate, "leave server. out", "recover is of a fault")
	case p.Compare != loadtest.Less && p.Compare != loadtest.LessEqual:
		return wrongAt(p.compare, "write <", "recover has an upper limit")
	case p.Over > 0 || p.Phase != "" || p.InFault != "" || p.Outside:
		return wrongAt(max(p.over, p.scope), "leave it out", "recover counts from the end of the fault, wherever that is")
	}
	return p.checkUnit(class{unit: loadtest.Seconds})
}

// checkUnit compares the unit with what the aggregate comes in.
func (p *parsed) checkUnit(c class) *ThresholdError {
	want, is := c.unit, "a number"
	switch p.Aggregate {
	case counted:
		want = loadtest.NoUnit
	case perTime:
		want = loadtest.PerSecond
	case ratio:
		want = loadtest.Share
	}
	example := "10"
	switch want {
	case loadtest.Seconds:
		is, example = "a time", "50ms"
	case loadtest.Bytes:
		is, example = "a size", "4MiB"
	case loadtest.PerSecond:
		is, example = "a rate", "5/s"
	case loadtest.Share:
		is, example = "a share", "0.1%"
	}
	if p.Aggregate == slope {
		is, example = is+" per hour", example+"/h"
	}
	free := p.Server && !ofProcess(p.Metric) && want == loadtest.NoUnit && p.Unit != loadtest.PerSecond
	if (p.Unit == want || free) && p.PerHour == (p.Aggregate == slope) {
		if want == loadtest.Share && p.Limit > 1 {
			return wrongAt(p.limit, "write at most 100%", "a share of %s cannot be", p.Format(p.Limit))
		}
		return nil
	}
	name := shownAggregate(p.Aggregate)
	if p.Aggregate == quantile {
		name = "p" + shifted(p.Q, 2)
	}
	return wrongAt(p.limit, fmt.Sprintf("write it with its unit, like %s %s", p.Compare, example), "%s of %s is %s", name, p.of(), is)
}

// of names what is measured.
func (p *parsed) of() string {
	if p.Fault != "" {
		return p.Fault
	}
	return string(p.Metric)
}

func shownAggregate(a loadtest.Aggregate) string {
	if a == quantile {
		return "percentile like p99"
	}
	return string(a)
}

// checkSeries reads a metric of the service with its labels, as hang rules name it.
func checkSeries(text string) *ThresholdError {
	s, p := &scanner{text: text}, &parsed{Threshold: loadtest.Threshold{Server: true}, metric: 1}
	err := p.series(s)
	if s.space(); err == nil && s.pos < len(s.text) {
		err = s.wrong(`write a metric, like queue_depth or queue_depth{kind="mail"}`, "unexpected %s", s.rest())
	}
	return err
}
