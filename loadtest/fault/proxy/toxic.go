package proxy

import (
	"math/rand/v2"
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
)

// entrance passes everything on, and counts it. A chain begins with it, because
// the buffer of a toxic lies before it, and something must fill it.
type entrance struct{ link *link }

// Pipe implements [toxics.Toxic].
func (t *entrance) Pipe(stub *toxics.ToxicStub) {
	for {
		select {
		case <-stub.Interrupt:
			return
		case c := <-stub.Input:
			if c == nil {
				stub.Close()
				return
			}
			t.link.passed++
			stub.Output <- c
		}
	}
}

// latency passes everything on late, ± jitter, in order.
type latency struct {
	late, jitter time.Duration
	random       *rand.Rand
}

// GetBufferSize is how many chunks may be on their way at once: 4 MiB at most.
func (t *latency) GetBufferSize() int { return 128 }

// Pipe implements [toxics.Toxic].
func (t *latency) Pipe(stub *toxics.ToxicStub) {
	for {
		select {
		case <-stub.Interrupt:
			return
		case c := <-stub.Input:
			if c == nil {
				stub.Close()
				return
			}
			interrupted := pauseUntil(stub, c.Timestamp.Add(t.delay()))
			c.Timestamp = time.Now() // as it comes to the next one
			stub.Output <- c
			if interrupted {
				return
			}
		}
	}
}

func (t *latency) delay() time.Duration {
	if t.jitter <= 0 {
		return t.late
	}
	return t.late + time.Duration(t.random.Int64N(int64(2*t.jitter)+1)) - t.jitter
}

// bandwidth passes so many bytes a second on.
type bandwidth struct {
	rate int64
	next time.Time // when all that was passed on is paid for
}

// beat is how often something is passed on at most.
const beat = 50 * time.Millisecond

// Pipe implements [toxics.Toxic].
func (t *bandwidth) Pipe(stub *toxics.ToxicStub) {
	piece := max(1, t.rate*int64(beat)/int64(time.Second))
	for {
		select {
		case <-stub.Interrupt:
			return
		case c := <-stub.Input:
			if c == nil {
				stub.Close()
				return
			}
			for interrupted := false; len(c.Data) > 0; {
				n := min(piece, int64(len(c.Data)))
				if interrupted {
					n = int64(len(c.Data))
				} else {
					interrupted = t.pay(stub, n)
				}
				stub.Output <- &stream.StreamChunk{Data: c.Data[:n], Timestamp: c.Timestamp}
				c.Data = c.Data[n:]
				if interrupted && len(c.Data) == 0 {
					return
				}
			}
		}
	}
}

// pay waits until n bytes more may pass.
func (t *bandwidth) pay(stub *toxics.ToxicStub, n int64) (interrupted bool) {
	if now := time.Now(); t.next.Before(now) {
		t.next = now
	}
	t.next = t.next.Add(time.Duration(n) * time.Second / time.Duration(t.rate))
	return pauseUntil(stub, t.next)
}

// slicer passes everything on in pieces.
type slicer struct {
	size, vary int64
	delay      time.Duration
	random     *rand.Rand
}

// Pipe implements [toxics.Toxic].
func (t *slicer) Pipe(stub *toxics.ToxicStub) {
	for {
		select {
		case <-stub.Interrupt:
			return
		case c := <-stub.Input:
			if c == nil {
				stub.Close()
				return
			}
			if t.slice(stub, c) {
				return
			}
		}
	}
}

func (t *slicer) slice(stub *toxics.ToxicStub, c *stream.StreamChunk) (interrupted bool) {
	for rest := c.Data; len(rest) > 0; {
		n := int64(len(rest))
		if !interrupted {
			n = min(n, t.piece())
		}
		stub.Output <- &stream.StreamChunk{Data: rest[:n], Timestamp: c.Timestamp}
		rest = rest[n:]
		if !interrupted {
			interrupted = pauseUntil(stub, time.Now().Add(t.delay))
		}
	}
	return interrupted
}

func (t *slicer) piece() int64 {
	if t.vary <= 0 {
		return t.size
	}
	return max(1, t.size+t.random.Int64N(2*t.vary+1)-t.vary)
}

// pauseUntil waits, and reports whether the toxic must stop instead.
func pauseUntil(stub *toxics.ToxicStub, at time.Time) (interrupted bool) {
	t := time.NewTimer(time.Until(at))
	defer t.Stop()
	select {
	case <-t.C:
		return false
	case <-stub.Interrupt:
		return true
	}
}
