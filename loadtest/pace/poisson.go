package pace

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"sync/atomic"
	"time"
)

// perBlock is how many hits are expected in one block of a poisson schedule.
// Larger blocks are fewer numbers to keep, and more to draw again for one hit.
const perBlock = 1024

// maxDrawn is how many hits a poisson schedule may have: they are all drawn
// once to be counted, about a second for 10⁸.
const maxDrawn = 2e8

// poisson is arrivals that know nothing of each other: what many users are.
//
// Time is cut into blocks, and each is drawn from a seed of its own, gap by
// gap. A poisson process has no memory, so starting afresh where a block begins
// changes nothing of its law. Drawn once to be counted, a block can be drawn
// again at any time: the schedule keeps one number per block (8 h at 1,000/s:
// 225 KB), and the block that was asked for last.
type poisson struct {
	rate   float64 // per second
	seed   uint64
	block  time.Duration
	length time.Duration
	before []uint64 // hits before block i; the last is the total
	last   atomic.Pointer[drawn]
}

// drawn is one block: immutable, so that callers may share it.
type drawn struct {
	block int
	due   []time.Duration // since the phase began
}

func checkPoisson(o order) error {
	if err := o.rate("rate", o.Rate, false); err != nil {
		return err
	}
	if n := o.Rate * o.scale * o.length.Seconds(); n > maxDrawn {
		return &Problem{"rate", fmt.Sprintf("%.3g arrivals would have to be drawn", n), fmt.Sprintf("use kind: constant for so many, or a shorter phase; %g are allowed", maxDrawn)}
	}
	return nil
}

func newPoisson(o order) Schedule {
	s := &poisson{rate: o.Rate * o.scale, seed: o.seed, length: o.length}
	// The block must not depend on the length, or a longer phase would be another list.
	s.block = time.Duration(min(perBlock/s.rate*1e9, float64(MaxLength)))
	blocks := int((s.length + s.block - 1) / s.block)
	s.before = make([]uint64, blocks+1)
	for i := range blocks {
		n := uint64(0)
		s.draw(i, func(time.Duration) { n++ })
		s.before[i+1] = s.before[i] + n
	}
	return s
}

// draw yields the arrivals of block i in order.
func (s *poisson) draw(i int, yield func(due time.Duration)) {
	random := rand.New(rand.NewPCG(scramble(s.seed), scramble(uint64(i))))
	begin := time.Duration(i) * s.block
	end := float64(min(s.block, s.length-begin))
	mean := 1e9 / s.rate
	for at := random.ExpFloat64() * mean; at < end; at += random.ExpFloat64() * mean {
		yield(begin + time.Duration(at))
	}
}

// scramble spreads seeds that differ in a bit over all of them (the finaliser of SplitMix64).
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// arrivals returns block i, drawn again unless it was the last one.
func (s *poisson) arrivals(i int) []time.Duration {
	if d := s.last.Load(); d != nil && d.block == i {
		return d.due
	}
	d := &drawn{block: i, due: make([]time.Duration, 0, s.before[i+1]-s.before[i])}
	s.draw(i, func(due time.Duration) { d.due = append(d.due, due) })
	s.last.Store(d)
	return d.due
}

func (s *poisson) At(n uint64) (time.Duration, bool) {
	if n >= s.before[len(s.before)-1] {
		return 0, false
	}
	i := sort.Search(len(s.before), func(i int) bool { return s.before[i] > n }) - 1
	return s.arrivals(i)[n-s.before[i]], true
}

func (s *poisson) Planned(t time.Duration) uint64 {
	if t <= 0 {
		return 0
	}
	i := int(t / s.block)
	if t >= s.length || i >= len(s.before)-1 {
		return s.before[len(s.before)-1]
	}
	due := s.arrivals(i)
	return s.before[i] + uint64(sort.Search(len(due), func(k int) bool { return due[k] >= t }))
}
