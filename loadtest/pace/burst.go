package pace

import (
	"fmt"
	"math"
	"time"
)

// burst is Size hits at once, every so often. A scaled size need not be whole:
// then bursts take turns, so that the sum is right.
type burst struct {
	size   uint64 // in millionths of a hit
	every  time.Duration
	length time.Duration
	total  uint64
}

const millionths = 1e6

func checkBurst(o order) error {
	size := float64(o.Size) * max(o.scale, 1)
	switch {
	case o.Size < 1:
		return &Problem{"size", fmt.Sprintf("a burst of %d sends nothing", o.Size), "write how many are sent at once"}
	case size > MaxRate:
		return &Problem{"size", fmt.Sprintf("%g at once are more than can be planned", size), "write at most 1000000"}
	}
	if err := within("every", o.Every, time.Millisecond, MaxLength); err != nil {
		return err
	}
	if rate := size / o.Every.Seconds(); rate > MaxRate {
		return &Problem{"every", fmt.Sprintf("%g every %s are %.3g/s, more than can be planned", size, o.Every, rate), "write a longer time, or a smaller size"}
	}
	return nil
}

func newBurst(o order) Schedule {
	b := &burst{size: uint64(math.Round(float64(o.Size) * o.scale * millionths)), every: o.Every, length: o.length}
	b.total = b.Planned(o.length)
	return b
}

func (b *burst) Planned(t time.Duration) uint64 {
	t = min(t, b.length)
	if t <= 0 {
		return 0
	}
	bursts := uint64((t-1)/b.every) + 1 // that began before t
	return product(bursts, b.size).overUp(millionths)
}

// At finds the first burst k that brings the sum above n: (k+1)·size > n.
func (b *burst) At(n uint64) (time.Duration, bool) {
	if n >= b.total {
		return 0, false
	}
	return time.Duration(product(n, millionths).over(b.size)) * b.every, true
}

// peak counts the bursts of the fullest second.
func (b *burst) peak(length time.Duration) float64 {
	window := min(time.Second, length)
	return float64(b.Planned(min(length, b.every*((window-1)/b.every)+1))) / window.Seconds()
}
