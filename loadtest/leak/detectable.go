package leak

import (
	"math"
	"math/rand/v2"

	"github.com/seadog/seadog/loadtest"
)

const (
	shuffles = 100
	found    = 0.9  // of them
	finesse  = 1.05 // the answer is at most so many times too large
)

// detectable is the growth per hour from which on a leak would have been found.
func (t trend) detectable(o Options) float64 {
	runs := t.shuffled(o)
	high := max(o.Tolerance, math.SmallestNonzeroFloat64)
	for range 100 {
		if runs.find(high, o) {
			break
		}
		high *= 2
	}
	low := high / 2
	if high == o.Tolerance {
		return high
	}
	for high/low > finesse {
		if middle := math.Sqrt(low * high); runs.find(middle, o) {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}

// runs are series without a trend that fluctuate as one that was seen.
type runs struct {
	trend
	noise  [][]float64
	whole  bool      // values are whole numbers
	phases []float64 // of whole numbers: where between two of them the level lies
}

// shuffled takes the trend out of t and puts what remains into other orders.
// The seed is fixed: the same points give the same answer.
func (t trend) shuffled(o Options) runs {
	r := rand.New(rand.NewPCG(1, 1))
	slope := t.slope()
	rest := make([]float64, len(t.values))
	out := runs{trend: t, whole: o.Unit != loadtest.Bytes}
	for i, v := range t.values {
		rest[i] = v - slope*t.hours[i]
		out.whole = out.whole && v == math.Trunc(v*2)/2 // the median of two may lie between
	}
	for range shuffles {
		noise := make([]float64, len(rest))
		for i, from := range r.Perm(len(rest)) {
			noise[i] = rest[from]
		}
		out.noise = append(out.noise, noise)
		out.phases = append(out.phases, r.Float64())
	}
	return out
}

// find reports whether a leak of that size is found often enough.
func (r runs) find(perHour float64, o Options) bool {
	hits := 0
	with := trend{hours: r.hours, values: make([]float64, len(r.values))}
	for i, noise := range r.noise {
		for j := range noise {
			v := noise[j] + perHour*r.hours[j]
			if r.whole {
				v = math.Floor(v + r.phases[i])
			}
			with.values[j] = v
		}
		if with.leaks(o.Tolerance) {
			hits++
		}
	}
	return float64(hits) >= found*shuffles
}
