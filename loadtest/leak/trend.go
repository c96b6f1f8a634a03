package leak

import (
	"math"
	"slices"
)

// trend is one value for each window.
type trend struct {
	hours  []float64 // the middle of the window
	values []float64
}

// slopes returns those between every two windows, ascending.
func (t trend) slopes() []float64 {
	out := make([]float64, 0, len(t.values)*(len(t.values)-1)/2)
	for i := range t.values {
		for j := range i {
			out = append(out, (t.values[i]-t.values[j])/(t.hours[i]-t.hours[j]))
		}
	}
	slices.Sort(out)
	return out
}

// slope is that of Theil and Sen: the median of all.
func (t trend) slope() float64 { return median(t.slopes()) }

// lower is the lower end of the 95 % interval of slope.
func (t trend) lower() float64 {
	slopes := t.slopes()
	return slopes[max(1, t.rank())-1]
}

// rank says the how manyth of the slopes is the lower end (Sen 1968). Between
// two it is the lesser one.
func (t trend) rank() int {
	n := len(t.values) * (len(t.values) - 1) / 2
	return int((float64(n) - confidence*t.deviation()) / 2)
}

// p is how likely it is that values without a trend rise so often (Mann and
// Kendall; normal approximation with the correction for continuity).
func (t trend) p() float64 {
	score, deviation := float64(t.score()), t.deviation()
	switch {
	case deviation == 0:
		return 1
	case score > 0:
		score--
	case score < 0:
		score++
	}
	return math.Erfc(score/deviation/math.Sqrt2) / 2
}

// score is how many pairs rise, less how many fall.
func (t trend) score() int {
	score := 0
	for i, v := range t.values {
		for _, earlier := range t.values[:i] {
			switch {
			case v > earlier:
				score++
			case v < earlier:
				score--
			}
		}
	}
	return score
}

// deviation is the standard deviation of score if there is no trend; values
// that are equal lower it.
func (t trend) deviation() float64 {
	term := func(n int) float64 { return float64(n * (n - 1) * (2*n + 5)) }
	variance := term(len(t.values))
	sorted := slices.Sorted(slices.Values(t.values))
	for i := 0; i < len(sorted); {
		j := i
		for j < len(sorted) && sorted[j] == sorted[i] {
			j++
		}
		variance -= term(j - i)
		i = j
	}
	return math.Sqrt(variance / 18)
}

// leaks reports whether the rule calls t a leak.
func (t trend) leaks(tolerance float64) bool {
	if t.p() >= significance {
		return false
	}
	below := 0
	for i := range t.values {
		for j := range i {
			if t.values[i]-t.values[j] <= tolerance*(t.hours[i]-t.hours[j]) {
				below++
			}
		}
	}
	return below < max(1, t.rank())
}
