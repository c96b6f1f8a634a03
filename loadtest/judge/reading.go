package judge

import (
	"math"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/histogram"
)

// reading is a value of what a threshold is about.
type reading struct {
	value  float64
	n      uint64 // what it was taken of
	known  bool   // there was something to take it of
	coarse bool   // within a step of the histogram
	beyond bool   // it is more than value, and nobody knows how much
}

// tally is what has been seen of something, in a window or in the whole scope.
type tally interface {
	// read returns the value of t, over a scope of that many seconds.
	read(t *loadtest.Threshold, seconds float64) reading
	reset()
}

// holds reports whether r keeps to the limit of t. What a histogram cannot tell
// from the limit does not.
func (r reading) holds(t *loadtest.Threshold) bool {
	switch {
	case r.beyond && !lower(t):
		return false
	case r.coarse && math.Abs(r.value-t.Limit) <= step(t):
		return false
	}
	return t.Compare.Holds(r.value, t.Limit)
}

// lower reports whether the limit of t is one that values must be above.
func lower(t *loadtest.Threshold) bool {
	return t.Compare == loadtest.Greater || t.Compare == loadtest.GreaterEqual
}

// step is what a histogram cannot tell from the limit of t. It rounds up, which
// matters below a limit only.
func step(t *loadtest.Threshold) float64 {
	step := histogram.Step * math.Abs(t.Limit)
	if lower(t) {
		return max(step, histogram.Grain.Seconds())
	}
	return step
}

// worse reports whether r is farther beyond the limit of t than o, or nearer to
// it. What lies beyond the last bucket has the highest value as well.
func (r reading) worse(o reading, t *loadtest.Threshold) bool {
	switch {
	case !o.known:
		return true
	case lower(t):
		return r.value < o.value
	case t.Compare == loadtest.Equal:
		return math.Abs(r.value-t.Limit) > math.Abs(o.value-t.Limit)
	}
	return r.value > o.value
}

// margin is how much of the limit is left, negative beyond it.
func margin(t *loadtest.Threshold, value float64) float64 {
	if t.Limit == 0 {
		return 0
	}
	share := value / t.Limit
	switch t.Compare {
	case loadtest.Greater, loadtest.GreaterEqual:
		return share - 1
	case loadtest.Equal:
		return -math.Abs(share - 1)
	}
	return 1 - share
}
