package judge

import (
	"maps"
	"math"
	"slices"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/histogram"
)

// mostValues are kept for a quantile: those of 18 hours at one a second. Then
// every second one goes.
const mostValues = 1 << 16

// gauge is a tally of the service's own values.
type gauge struct {
	quantile bool
	trend    *points // the points themselves, of a slope; nil otherwise
	n        uint64
	sum      float64
	min, max float64
	values   []float64 // of a quantile
	stride   int       // points that one of values stands for
	rise     float64   // of all that came after another one
	seconds  float64   // in which it rose
	risen    uint64

	histogram bool                // what follows was seen
	buckets   map[float64]float64 // by bound: how many more are below it
	total     float64
	number    float64
}

func (g *gauge) take(p loadtest.Point) {
	if g.trend != nil {
		g.trend.add(p)
	}
	v := p.Value
	if g.n++; g.n == 1 {
		g.min, g.max = v, v
	}
	g.min, g.max = min(g.min, v), max(g.max, v)
	g.sum += v
	if !g.quantile {
		return
	}
	g.stride = max(g.stride, 1)
	if g.n%uint64(g.stride) != 0 {
		return
	}
	if len(g.values) == mostValues {
		for i := range mostValues / 2 {
			g.values[i] = g.values[2*i+1]
		}
		g.values = g.values[:mostValues/2]
		g.stride *= 2
	}
	g.values = append(g.values, v)
}

// part takes by how much a part of a histogram rose.
func (g *gauge) part(f feed, rise float64) {
	g.histogram = true
	switch f.part {
	case bucket:
		if g.buckets == nil {
			g.buckets = map[float64]float64{}
		}
		g.buckets[f.bound] += rise
	case total:
		g.total += rise
	case number:
		g.number += rise
	case plain:
	}
}

func (g *gauge) read(t *loadtest.Threshold, _ float64) reading {
	if g.histogram && g.n == 0 {
		return g.readHistogram(t)
	}
	out := reading{n: g.n, known: g.n > 0}
	switch t.Aggregate {
	case loadtest.Quantile:
		if out.known {
			sorted := slices.Sorted(slices.Values(g.values))
			out.value = sorted[histogram.Rank(t.Q, uint64(len(sorted)))-1]
		}
	case loadtest.Mean:
		out.value = g.sum / max(1, float64(g.n))
	case loadtest.Max:
		out.value = g.max
	case loadtest.Min:
		out.value = g.min
	case loadtest.Count:
		out.value = float64(g.n)
	case loadtest.Delta:
		out.value, out.n, out.known = g.rise, g.risen, g.risen > 0
	case loadtest.Rate:
		out.n, out.known = g.risen, g.seconds > 0
		out.value = g.rise / max(g.seconds, 1e-9)
	default:
		out.known = false
	}
	return out
}

func (g *gauge) readHistogram(t *loadtest.Threshold) reading {
	out := reading{n: uint64(max(0, g.number)), known: g.number > 0}
	switch t.Aggregate {
	case loadtest.Quantile:
		return g.quantileOf(t.Q)
	case loadtest.Mean:
		out.value = g.total / max(1, g.number)
	case loadtest.Count, loadtest.Delta:
		out.value, out.known = g.number, true
	case loadtest.Rate:
		out.value, out.known = g.number/max(g.seconds, 1e-9), g.seconds > 0
	default:
		out.known = false
	}
	return out
}

// quantileOf interpolates within the bucket that the quantile lies in, as
// Prometheus does. It has no value in the last one, which has no end.
func (g *gauge) quantileOf(q float64) reading {
	bounds := slices.Sorted(maps.Keys(g.buckets))
	if len(bounds) < 2 || !math.IsInf(bounds[len(bounds)-1], 1) {
		return reading{}
	}
	all := 0.0
	for _, n := range g.buckets {
		all = max(all, n)
	}
	if all <= 0 {
		return reading{}
	}
	out := reading{n: uint64(all), known: true}
	rank, below, from := q*all, 0.0, 0.0
	for i, bound := range bounds {
		upTo := max(below, g.buckets[bound])
		switch {
		case upTo < rank:
		case math.IsInf(bound, 1):
			out.value, out.beyond = bounds[i-1], true
			return out
		case i == 0 && bound <= 0:
			out.value = bound
			return out
		default:
			out.value = from + (bound-from)*(rank-below)/(upTo-below)
			return out
		}
		below, from = upTo, max(from, bound)
	}
	return out
}

func (g *gauge) reset() { *g = gauge{quantile: g.quantile, trend: g.trend, values: g.values[:0]} }
