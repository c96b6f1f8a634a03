package flight

import "time"

const (
	fineness = 10 * time.Millisecond
	width    = 10 // of fineness: a tenth of a second
)

// Burst finds the tenth of a second in which the most was sent, in steps of
// 10 ms. It is not safe for concurrent use.
type Burst struct {
	sends ring
	last  [width]int // the last ones that were settled
	sum   int        // of last
	next  int
	most  int
}

// NewBurst returns a Burst for requests that take up to horizon.
func NewBurst(horizon time.Duration) *Burst {
	return &Burst{sends: newRing(int((horizon+2*time.Second)/fineness) + 1)}
}

// Take adds a request that was sent.
func (b *Burst) Take(sent time.Duration) {
	at := int64(sent / fineness)
	if late := at - b.sends.end(); late >= 0 {
		b.advance(b.sends.first + late + 1)
	}
	b.sends.add(at, 1)
}

// Settle says that all that was sent before until has been taken.
func (b *Burst) Settle(until time.Duration) { b.advance(int64(until / fineness)) }

func (b *Burst) advance(end int64) {
	for b.sends.first < end {
		n := b.sends.shift()
		b.sum += n - b.last[b.next]
		b.last[b.next] = n
		b.next = (b.next + 1) % width
		b.most = max(b.most, b.sum)
	}
}

// Most returns the most that was sent within a tenth of a second so far, as a
// rate per second.
func (b *Burst) Most() float64 {
	return float64(b.most) / (width * fineness).Seconds()
}
