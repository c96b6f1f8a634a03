package lock

import (
	"context"
	"time"
)

// waiter is somebody in the queue of a mutex. Its fields are under the
// graph's mutex from when it is queued until it has left.
type waiter struct {
	mutex      *Mutex
	party      *party
	ctx        context.Context
	ticket     uint64 // ascending in a graph
	since      int64
	queued     bool
	prev, next *waiter
	walk       uint64        // of the last search that came by
	ready      chan struct{} // room for one: the lock is yours
}

func (m *Mutex) wait(ctx context.Context, p *party) error {
	g := m.graph
	g.mu.Lock()
	m.waiters.Add(1)
	if m.first == nil && m.owner.CompareAndSwap(nil, p) {
		m.waiters.Add(-1)
		g.mu.Unlock()
		m.since.Store(g.now())
		p.took()
		return nil
	}
	w := g.queue(m, p, ctx)
	g.mu.Unlock()

	select {
	case <-w.ready:
		g.idle.Put(w)
		return nil
	case <-ctx.Done():
	}

	g.mu.Lock()
	left := w.queued
	if left {
		g.remember(w)
		g.leave(w)
	}
	g.mu.Unlock()
	if !left { // it was given the lock in between
		<-w.ready
		g.idle.Put(w)
		return nil
	}
	g.idle.Put(w)
	return context.Cause(ctx)
}

// wake gives a free lock to the first waiter. If somebody else was faster, his
// Unlock will.
func (m *Mutex) wake() {
	g := m.graph
	g.mu.Lock()
	defer g.mu.Unlock()
	w := m.first
	if w == nil || !m.owner.CompareAndSwap(nil, w.party) {
		return
	}
	m.since.Store(g.now())
	g.leave(w)
	w.ready <- struct{}{}
}

// queue puts a waiter at the end of the queue. The graph's mutex is held.
func (g *Graph) queue(m *Mutex, p *party, ctx context.Context) *waiter {
	w, _ := g.idle.Get().(*waiter)
	if w == nil {
		w = &waiter{ready: make(chan struct{}, 1)}
	}
	g.tickets++
	w.mutex, w.party, w.ctx, w.ticket, w.since, w.queued = m, p, ctx, g.tickets, g.now(), true
	w.prev, w.next = m.last, nil
	if m.last != nil {
		m.last.next = w
	} else {
		m.first = w
		g.wanted[m] = struct{}{}
	}
	m.last = w
	if p != &m.nobody {
		p.wait()
		g.waits[p] = w
	}
	return w
}

// leave takes a waiter out of the queue. The graph's mutex is held.
func (g *Graph) leave(w *waiter) {
	m := w.mutex
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		m.first = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	} else {
		m.last = w.prev
	}
	if m.first == nil {
		delete(g.wanted, m)
	}
	if w.party != &m.nobody {
		w.party.waiting.Add(-1)
		if g.waits[w.party] == w {
			delete(g.waits, w.party)
		}
	}
	m.waiters.Add(-1)
	w.mutex, w.party, w.ctx, w.queued, w.prev, w.next = nil, nil, nil, false, nil, nil
}

func (g *Graph) now() int64 { return int64(time.Since(g.base)) }
