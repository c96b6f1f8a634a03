package pace

import (
	"math"
	"time"
)

// curve is a schedule whose integral is a formula in floating point. Hits are
// found by bisection, which needs nothing of the integral but that it never
// falls; ramp and sine are written so that rounding cannot make it fall.
type curve struct {
	integral integral
	length   time.Duration
	total    uint64
}

type integral interface {
	// hits returns the area below the rate from 0 to t. It must not decrease.
	hits(t time.Duration) float64
	peak(length time.Duration) float64
}

func newCurve(f integral, length time.Duration) *curve {
	c := &curve{integral: f, length: length}
	c.total = c.Planned(length)
	return c
}

// rounding is what is taken off an area before it is rounded up: a few units
// in its last place. Where the area is a whole number, the formula may come out
// just above it, and that is no hit. Of a time, it is far below a nanosecond.
const rounding = 1.0 / (1 << 50)

func (c *curve) Planned(t time.Duration) uint64 {
	t = min(t, c.length)
	if t <= 0 {
		return 0
	}
	area := c.integral.hits(t)
	return uint64(math.Ceil(area - area*rounding))
}

// At returns the last moment before which no more than n hits are due.
func (c *curve) At(n uint64) (time.Duration, bool) {
	if n >= c.total {
		return 0, false
	}
	before, after := time.Duration(0), c.length // Planned(before) ≤ n < Planned(after)
	for after-before > 1 {
		middle := before + (after-before)/2
		if c.Planned(middle) <= n {
			before = middle
		} else {
			after = middle
		}
	}
	return before, true
}

func (c *curve) peak(length time.Duration) float64 { return c.integral.peak(min(length, c.length)) }
