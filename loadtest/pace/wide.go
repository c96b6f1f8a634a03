package pace

import (
	"math"
	"math/bits"
	"time"
)

// wide is a number of 128 bits. Areas below a rate are kept in it, in units of
// 1/(perHit) of a hit: there a rate per second, minute or hour with a few
// decimals is a whole number, and no sum of them is ever rounded.
type wide struct{ hi, lo uint64 }

const (
	// unitsPerSecond is 1/s as a rate in whole numbers. It is a multiple of
	// 3,600, so that 1/min and 1/h are whole as well. The largest rate
	// takes 52 bits.
	unitsPerSecond = 3_600_000_000
	// perHit is the area of one hit: a rate in units times nanoseconds.
	perHit = unitsPerSecond * uint64(time.Second)
)

// units turns a rate per second into whole units.
func units(rate float64) uint64 { return uint64(math.Round(rate * unitsPerSecond)) }

func product(a, b uint64) wide {
	hi, lo := bits.Mul64(a, b)
	return wide{hi, lo}
}

func (w wide) plus(x wide) wide {
	lo, carry := bits.Add64(w.lo, x.lo, 0)
	hi, _ := bits.Add64(w.hi, x.hi, carry)
	return wide{hi, lo}
}

func (w wide) minus(x wide) wide {
	lo, borrow := bits.Sub64(w.lo, x.lo, 0)
	hi, _ := bits.Sub64(w.hi, x.hi, borrow)
	return wide{hi, lo}
}

func (w wide) less(x wide) bool { return w.hi < x.hi || w.hi == x.hi && w.lo < x.lo }

// over returns w/d rounded down. It must fit 64 bits.
func (w wide) over(d uint64) uint64 {
	q, _ := bits.Div64(w.hi, w.lo, d)
	return q
}

// overUp returns w/d rounded up. It must fit 64 bits.
func (w wide) overUp(d uint64) uint64 {
	q, r := bits.Div64(w.hi, w.lo, d)
	if r > 0 {
		q++
	}
	return q
}
