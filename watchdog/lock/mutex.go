package lock

import (
	"context"
	"fmt"
	"sync/atomic"
)

// Mutex is a lock of a [Graph].
type Mutex struct {
	graph *Graph
	name  string

	// owner is the lock itself: free if nil. Who is seen here has taken the
	// lock and has not begun to release it.
	owner   atomic.Pointer[party]
	since   atomic.Int64 // when it was taken, in the time of the graph; 0 for a moment after that, and when it is free
	waiters atomic.Int32 // in the queue, or about to be

	nobody party // stands for holders without a name

	// Under the graph's mutex, from the first that came to the last.
	first, last *waiter
}

// Name returns the name that the lock was made with.
func (m *Mutex) Name() string { return m.name }

// Lock takes the lock, for the holder that ctx names. The error is the cause
// of the end of ctx, if that came first.
func (m *Mutex) Lock(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	p := m.party(ctx)
	if m.try(p) {
		return nil
	}
	return m.wait(ctx, p)
}

// TryLock takes the lock if it is free and nobody waits for it.
func (m *Mutex) TryLock(ctx context.Context) bool { return m.try(m.party(ctx)) }

// Unlock hands the lock to the first who waits for it. It panics if the lock
// is not held.
func (m *Mutex) Unlock() {
	m.since.Store(0)
	if m.owner.Swap(nil) == nil {
		panic(fmt.Sprintf("lock %q: Unlock, but it is not held", m.name))
	}
	// A waiter counts itself first and looks at the owner afterwards, so that
	// one of the two sees the other.
	if m.waiters.Load() != 0 {
		m.wake()
	}
}

func (m *Mutex) party(ctx context.Context) *party {
	if p := partyOf(ctx); p != nil {
		return p
	}
	return &m.nobody
}

// try leaves the lock to those who wait. It can overtake only those who began
// to wait after it looked: nobody is overtaken twice by the same goroutine.
func (m *Mutex) try(p *party) bool {
	if m.waiters.Load() != 0 || !m.owner.CompareAndSwap(nil, p) {
		return false
	}
	m.since.Store(m.graph.now())
	p.took()
	return true
}
