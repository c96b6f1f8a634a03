package attack

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/seadog/seadog/loadtest"
)

const (
	// outboxSize is how many samples wait for the sink at most. Two such boxes
	// are all memory that samples take, however many there are.
	outboxSize = 8192
	// batch is how long samples wait so that more come with them: a goroutine
	// that is woken for each would cost more than the sample.
	batch = 2 * time.Millisecond
	// patience is how long a worker waits for room before its sample is lost,
	// and with it all that come before there is room again.
	patience = time.Second
)

// outbox hands samples to the sink, from one goroutine. Workers wait only if
// the sink does not keep up, and only so long; both is counted.
type outbox struct {
	deliver func([]loadtest.Sample)
	waited  atomic.Uint64 // samples that had to wait for room
	lost    atomic.Uint64

	mu      sync.Mutex
	filling []loadtest.Sample
	room    chan struct{} // closed when there is some again
	stuck   bool          // somebody has waited in vain

	some   chan struct{} // there are samples
	urgent chan struct{} // there are many
	over   chan struct{} // nothing more will come
	empty  []loadtest.Sample
}

func newOutbox(deliver func([]loadtest.Sample)) *outbox {
	return &outbox{
		deliver: deliver, filling: make([]loadtest.Sample, 0, outboxSize), empty: make([]loadtest.Sample, 0, outboxSize),
		room: make(chan struct{}), some: make(chan struct{}, 1), urgent: make(chan struct{}, 1), over: make(chan struct{}),
	}
}

// put adds a sample. One that was sent may wait for room; what was dropped may
// come in thousands at once, and leaves half of the room to the others.
func (o *outbox) put(s *loadtest.Sample) {
	most := outboxSize
	if s.Outcome == loadtest.Dropped {
		most /= 2
	}
	o.mu.Lock()
	if len(o.filling) >= most && !o.wait(most, s.Outcome != loadtest.Dropped) {
		o.mu.Unlock()
		o.lost.Add(1)
		return
	}
	o.filling = append(o.filling, *s)
	n := len(o.filling)
	o.mu.Unlock()
	switch n {
	case 1:
		nudge(o.some)
	case outboxSize / 4:
		nudge(o.urgent)
	}
}

// wait waits for room with mu held, and returns whether there is some.
func (o *outbox) wait(most int, count bool) bool {
	if count {
		o.waited.Add(1)
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for len(o.filling) >= most && !o.stuck {
		room := o.room
		o.mu.Unlock()
		nudge(o.urgent)
		late := false
		select {
		case <-room:
		case <-timer.C:
			late = true
		}
		o.mu.Lock()
		o.stuck = o.stuck || late && len(o.filling) >= most
	}
	return len(o.filling) < most
}

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run delivers until close has been called and all is delivered.
func (o *outbox) run() {
	timer := time.NewTimer(batch)
	defer timer.Stop()
	for over := false; !over; {
		select {
		case <-o.some:
			timer.Reset(batch)
			select {
			case <-timer.C:
			case <-o.urgent:
			case <-o.over:
			}
		case <-o.over:
			over = true
		}
		o.flush()
	}
}

func (o *outbox) flush() {
	for {
		o.mu.Lock()
		full := o.filling
		o.filling, o.empty, o.stuck = o.empty, nil, false
		close(o.room)
		o.room = make(chan struct{})
		o.mu.Unlock()
		if len(full) > 0 {
			o.deliver(full)
		}
		o.empty = full[:0]
		if len(full) < outboxSize/4 {
			return
		}
	}
}

// close says that put will not be called any more.
func (o *outbox) close() { close(o.over) }
