package observe

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"

	dto "github.com/prometheus/client_model/go"

	"github.com/seadog/seadog/loadtest"
)

// reading is one series at one time.
type reading struct {
	metric string
	labels []loadtest.Label
	name   string
	value  float64
	counts bool // it only rises: of two values the later says all
}

// readings returns the series of families that are wanted, in a stable order.
func readings(families map[string]*dto.MetricFamily, wants []Want) []reading {
	var out []reading
	for _, name := range slices.Sorted(maps.Keys(families)) {
		if !slices.ContainsFunc(wants, func(w Want) bool { return concerns(w, name) }) {
			continue
		}
		for _, m := range families[name].Metric {
			for _, r := range flatten(name, families[name].GetType(), m) {
				if math.IsNaN(r.value) || math.IsInf(r.value, 0) || !wanted(wants, name, r) {
					continue
				}
				r.name = Name(r.metric, r.labels...)
				out = append(out, r)
			}
		}
	}
	return out
}

// concerns reports whether w may select something of a family, so that the
// others are not even taken apart.
func concerns(w Want, family string) bool {
	return w.Metric == family || w.Metric == family+"_bucket" || w.Metric == family+"_sum" || w.Metric == family+"_count"
}

func wanted(wants []Want, family string, r reading) bool {
	return slices.ContainsFunc(wants, func(w Want) bool { return w.of(family, r) })
}

// flatten returns the series that a metric consists of.
func flatten(name string, kind dto.MetricType, m *dto.Metric) []reading {
	labels := make([]loadtest.Label, 0, len(m.Label)+1)
	for _, l := range m.Label {
		labels = append(labels, loadtest.Label{Name: l.GetName(), Value: l.GetValue()})
	}
	slices.SortFunc(labels, func(a, b loadtest.Label) int { return cmp.Compare(a.Name, b.Name) })
	with := func(label string, value float64) []loadtest.Label {
		return append(slices.Clone(labels), loadtest.Label{Name: label, Value: bound(value)})
	}
	switch kind {
	case dto.MetricType_COUNTER:
		return []reading{{metric: name, labels: labels, value: m.GetCounter().GetValue(), counts: true}}
	case dto.MetricType_GAUGE:
		return []reading{{metric: name, labels: labels, value: m.GetGauge().GetValue()}}
	case dto.MetricType_SUMMARY:
		s := m.GetSummary()
		out := parts(name, labels, s.GetSampleSum(), float64(s.GetSampleCount()))
		for _, q := range s.Quantile {
			out = append(out, reading{metric: name, labels: with("quantile", q.GetQuantile()), value: q.GetValue()})
		}
		return out
	case dto.MetricType_HISTOGRAM, dto.MetricType_GAUGE_HISTOGRAM:
		h := m.GetHistogram()
		out := parts(name, labels, h.GetSampleSum(), float64(h.GetSampleCount()))
		last := 0.0
		for _, b := range h.Bucket {
			last = b.GetUpperBound()
			out = append(out, reading{metric: name + "_bucket", labels: with("le", last), value: float64(b.GetCumulativeCount()), counts: true})
		}
		if !math.IsInf(last, 1) {
			out = append(out, reading{metric: name + "_bucket", labels: with("le", math.Inf(1)), value: float64(h.GetSampleCount()), counts: true})
		}
		return out
	}
	return []reading{{metric: name, labels: labels, value: m.GetUntyped().GetValue()}}
}

func parts(name string, labels []loadtest.Label, sum, count float64) []reading {
	return []reading{
		{metric: name + "_sum", labels: labels, value: sum, counts: true},
		{metric: name + "_count", labels: labels, value: count, counts: true},
	}
}

// bound writes the limit of a bucket, or a quantile, as Prometheus does.
func bound(v float64) string {
	if math.IsInf(v, 1) {
		return "+Inf"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
