package scoreboard

import (
	"sync/atomic"
	"time"
)

// bounds are the upper bounds of a histogram's buckets: the limits that are
// promised for requests (25, 30, 100 and 200 ms, 2.5 s), so that whether one is
// kept can be counted and need not be guessed, and a few between them.
var bounds = [...]time.Duration{
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	30 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 250 * time.Millisecond,
	500 * time.Millisecond, time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 30 * time.Second,
}

// histogramWords are the buckets, one above the last bound, and the sum in ns.
const histogramWords = len(bounds) + 2

// Bounds returns the upper bounds of the buckets of a [Histogram]; above the
// last one there is one bucket more.
func Bounds() []time.Duration { return bounds[:] }

// Histogram is how long the requests of one route took.
type Histogram struct {
	Counts [len(bounds) + 1]uint64 // not cumulative
	Sum    time.Duration
}

// Count returns the number of requests.
func (h Histogram) Count() uint64 {
	var n uint64
	for _, c := range h.Counts {
		n += c
	}
	return n
}

// Plus returns the sum of two histograms.
func (h Histogram) Plus(other Histogram) Histogram {
	for i, c := range other.Counts {
		h.Counts[i] += c
	}
	h.Sum += other.Sum
	return h
}

// Observe records that a request of that route took so long. It panics if
// there is no such route.
func (r *Region) Observe(route int, took time.Duration) {
	observe(r.histograms[route*histogramWords:(route+1)*histogramWords], took)
}

// Histogram returns what was recorded for a route.
func (r *Region) Histogram(route int) Histogram {
	return histogramOf(r.histograms[route*histogramWords : (route+1)*histogramWords])
}

func observe(words []uint64, took time.Duration) {
	i := 0
	for i < len(bounds) && took > bounds[i] {
		i++
	}
	atomic.AddUint64(&words[i], 1)
	atomic.AddUint64(&words[histogramWords-1], uint64(took))
}

func histogramOf(words []uint64) Histogram {
	var h Histogram
	for i := range h.Counts {
		h.Counts[i] = atomic.LoadUint64(&words[i])
	}
	h.Sum = time.Duration(atomic.LoadUint64(&words[histogramWords-1]))
	return h
}
