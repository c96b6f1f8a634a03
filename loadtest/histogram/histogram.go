package histogram

import (
	"fmt"
	"math"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/seadog/seadog/loadtest"
)

const (
	// Longest is the longest duration that quantiles tell from longer ones.
	Longest = 10 * time.Minute
	// Grain is the shortest difference between two durations that they show.
	Grain = time.Microsecond
	// Step is the relative error of quantiles of a [New] histogram.
	Step = 0.001

	fine, coarse = 3, 2 // significant digits
)

// Histogram counts durations. It is not safe for concurrent use.
type Histogram struct {
	hdr      *hdr.Histogram // of microseconds, rounded up: nothing looks faster than it was
	sum      float64        // nanoseconds; an int64 is full after 10⁸ requests of a minute and a half
	min, max time.Duration
}

// New returns an empty histogram with three significant digits; it takes 160 KiB.
func New() *Histogram { return &Histogram{hdr: empty(fine)} }

// NewCoarse returns an empty histogram with two significant digits, for many
// short stretches of time: it takes 24 KiB, and its quantiles are off by up to
// a hundredth. It merges with others of its kind only.
func NewCoarse() *Histogram { return &Histogram{hdr: empty(coarse)} }

func empty(digits int) *hdr.Histogram { return hdr.New(1, Longest.Microseconds(), digits) }

// Record counts d. One below zero, which only a broken clock gives, counts as
// 0; one above [Longest] has its true length in all but quantiles.
func (h *Histogram) Record(d time.Duration) {
	d = max(d, 0)
	if h.N() == 0 || d < h.min {
		h.min = d
	}
	h.max = max(h.max, d)
	h.sum += float64(d)
	// The only error is a value out of range, which the clamp excludes.
	_ = h.hdr.RecordValue(int64((min(d, Longest) + Grain - 1) / Grain))
}

// Reset forgets everything.
func (h *Histogram) Reset() {
	if h.N() > 0 {
		h.hdr.Reset()
	}
	h.sum, h.min, h.max = 0, 0, 0
}

// Merge adds what o counted. Both must have the same digits.
func (h *Histogram) Merge(o *Histogram) {
	if o.N() == 0 {
		return
	}
	if h.N() == 0 || o.min < h.min {
		h.min = o.min
	}
	h.max = max(h.max, o.max)
	h.sum += o.sum
	h.hdr.Merge(o.hdr)
}

// N returns how many were counted.
func (h *Histogram) N() uint64 { return uint64(h.hdr.TotalCount()) }

// Min returns the shortest, 0 if there is none.
func (h *Histogram) Min() time.Duration { return h.min }

// Max returns the longest, 0 if there is none.
func (h *Histogram) Max() time.Duration { return h.max }

// Mean returns the arithmetic mean, 0 if there is none.
func (h *Histogram) Mean() time.Duration {
	if h.N() == 0 {
		return 0
	}
	return time.Duration(math.Round(h.sum / float64(h.N())))
}

// Quantile returns the duration at q, 0 … 1: of n in order the ⌈q·n⌉th. What
// it returns is never less than that, and at most a [Step] and a [Grain] more.
func (h *Histogram) Quantile(q float64) time.Duration {
	n := h.hdr.TotalCount()
	if n == 0 {
		return 0
	}
	// The library rounds to the nearest rank; asked for the share that a rank
	// is of all, it finds just that rank.
	share := 100 * float64(Rank(q, uint64(n))) / float64(n)
	value := h.hdr.ValueAtPercentile(share)
	if value >= Longest.Microseconds() {
		return h.max
	}
	return min(time.Duration(value)*Grain, h.max)
}

// Rank returns which of n values in order, counted from 1, is the one at q.
func Rank(q float64, n uint64) uint64 {
	const exact = 1e-9 // 0.07 × 100 is more than 7
	rank := math.Ceil(q*float64(n)*(1-exact) - exact)
	return uint64(min(max(rank, 1), float64(n)))
}

// quantiles are the points of a report's curve.
var quantiles = [...]float64{0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999}

// Percentiles returns the points for which there are enough samples, with the
// histogram itself if there is anything in it.
func (h *Histogram) Percentiles() (loadtest.Percentiles, error) {
	p := loadtest.Percentiles{N: h.N(), Min: h.min, Mean: h.Mean(), Max: h.max}
	if p.N == 0 {
		return p, nil
	}
	for _, q := range quantiles {
		t := loadtest.Threshold{Aggregate: loadtest.Quantile, Q: q}
		if p.N >= t.Needs() {
			p.Points = append(p.Points, loadtest.Percentile{Q: q, Value: h.Quantile(q)})
		}
	}
	text, err := h.hdr.Encode(hdr.V2CompressedEncodingCookieBase)
	if err != nil {
		return p, fmt.Errorf("encode histogram: %w", err)
	}
	p.HDR = string(text)
	return p, nil
}

// Merged returns what one histogram would have shown, had it counted
// everything that ps are of: runs of a scenario, or machines of one run.
func Merged(ps ...loadtest.Percentiles) (loadtest.Percentiles, error) {
	whole := New()
	for i, p := range ps {
		if p.N == 0 {
			continue
		}
		part, err := hdr.Decode([]byte(p.HDR))
		if err != nil {
			return loadtest.Percentiles{}, fmt.Errorf("decode histogram %d: %w", i+1, err)
		}
		if uint64(part.TotalCount()) != p.N {
			return loadtest.Percentiles{}, fmt.Errorf("histogram %d holds %d values, and %d were counted", i+1, part.TotalCount(), p.N)
		}
		whole.Merge(&Histogram{hdr: part, sum: float64(p.Mean) * float64(p.N), min: p.Min, max: p.Max})
	}
	return whole.Percentiles()
}
