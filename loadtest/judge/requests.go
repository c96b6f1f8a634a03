package judge

import (
	"strconv"
	"strings"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/histogram"
)

// requests is a tally of samples.
type requests struct {
	metric   loadtest.Metric
	quantile bool
	filter   filter
	n        uint64 // in scope
	hits     uint64 // of which the metric is about
	sum      float64
	min, max time.Duration
	spread   *histogram.Histogram // of a quantile
}

func (r *requests) take(s *loadtest.Sample) {
	d, is := time.Duration(0), false
	switch r.metric {
	case loadtest.MetricFailed, loadtest.MetricDropped, loadtest.MetricSent:
		if s.Outcome == loadtest.OwnFault {
			return
		}
		is = r.metric == loadtest.MetricFailed && s.Outcome.Failed() ||
			r.metric == loadtest.MetricDropped && s.Outcome == loadtest.Dropped ||
			r.metric == loadtest.MetricSent && s.Sent > 0
	default:
		if d, is = s.Measure(r.metric); !is {
			return
		}
	}
	r.n++
	if !is || !r.filter.counts(s) {
		return
	}
	if r.hits++; r.hits == 1 || d < r.min {
		r.min = d
	}
	r.max = max(r.max, d)
	r.sum += d.Seconds()
	if r.quantile {
		if r.spread == nil {
			r.spread = histogram.New()
		}
		r.spread.Record(d)
	}
}

func (r *requests) read(t *loadtest.Threshold, seconds float64) reading {
	out := reading{n: r.hits, known: r.hits > 0}
	switch t.Aggregate {
	case loadtest.Quantile:
		if r.hits > 0 {
			out.value, out.coarse = r.spread.Quantile(t.Q).Seconds(), true
		}
	case loadtest.Mean:
		if r.hits > 0 {
			out.value = r.sum / float64(r.hits)
		}
	case loadtest.Max:
		out.value = r.max.Seconds()
	case loadtest.Min:
		out.value = r.min.Seconds()
	case loadtest.Count:
		out = reading{value: float64(r.hits), n: r.n, known: r.n > 0}
	case loadtest.Ratio:
		out = reading{n: r.n, known: r.n > 0}
		if r.n > 0 {
			out.value = float64(r.hits) / float64(r.n)
		}
	case loadtest.Rate:
		out = reading{n: r.n, known: r.n > 0 && seconds > 0}
		if out.known {
			out.value = float64(r.hits) / seconds
		}
	default:
		out.known = false
	}
	return out
}

func (r *requests) reset() {
	spread := r.spread
	if spread != nil {
		spread.Reset()
	}
	*r = requests{metric: r.metric, quantile: r.quantile, filter: r.filter, spread: spread}
}

// filter is what the labels of a threshold say beside the scenario and the phase.
type filter struct {
	variant string // which requests: "plain", "replay", "negative", or the name of a negative
	outcome string // which of these count
	code    string // "503", "5xx"
}

func filterOf(t *loadtest.Threshold) filter {
	f := filter{}
	f.variant, _ = t.Label("variant")
	f.outcome, _ = t.Label("outcome")
	f.code, _ = t.Label("code")
	return f
}

// selects reports whether a request is one of those that f is about.
func (f *filter) selects(s *loadtest.Sample, t *loadtest.Traffic) bool {
	switch {
	case f.variant == "":
		return true
	case s.Variant == loadtest.Plain:
		return f.variant == "plain"
	case s.Variant == loadtest.Repeated:
		return f.variant == "replay"
	}
	return f.variant == "negative" ||
		s.Negative >= 0 && s.Negative < len(t.Negatives) && t.Negatives[s.Negative].Name == f.variant
}

// counts reports whether what became of a request is what f is about.
func (f *filter) counts(s *loadtest.Sample) bool {
	if f.outcome != "" && s.Outcome.String() != f.outcome {
		return false
	}
	if f.code == "" {
		return true
	}
	class, rest := f.code[:1], strings.TrimLeft(f.code[1:], "x")
	if rest == "" {
		return s.Status > 0 && strconv.Itoa(s.Status/100) == class
	}
	return strconv.Itoa(s.Status) == f.code
}
