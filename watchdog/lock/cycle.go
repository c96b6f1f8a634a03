package lock

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Cycle is holders that wait for each other: each step waits for the lock that
// the next one holds, and the last for the one of the first.
type Cycle struct {
	// ID is the same for as long as the cycle lasts, and no other cycle of the
	// graph ever has it.
	ID    uint64
	Steps []Step // from the one that has waited longest
	// Ending is true if the context of somebody in it has ended: it dissolves,
	// or has dissolved.
	Ending bool
	// Ended is when it dissolved; zero while it lasts.
	Ended time.Time
}

// Step is one holder in a [Cycle].
type Step struct {
	Holder Holder
	Holds  string // the name of a lock
	Wants  string
	Waited time.Duration // for Wants
}

// Waited returns how long the cycle has been one: since the last of it began
// to wait.
func (c Cycle) Waited() time.Duration {
	shortest := time.Duration(1<<63 - 1)
	for _, s := range c.Steps {
		shortest = min(shortest, s.Waited)
	}
	return shortest
}

// String tells the whole cycle, in the past tense if it dissolves.
func (c Cycle) String() string {
	holds, waits := "holds", "waits"
	if c.Ending {
		holds, waits = "held", "waited"
	}
	if len(c.Steps) == 1 {
		return fmt.Sprintf("%s %s lock %q and %s for it once more", c.Steps[0].Holder, holds, c.Steps[0].Holds, waits)
	}
	var said []string
	for _, s := range c.Steps {
		said = append(said, fmt.Sprintf("%s %s lock %q and %s for %q", s.Holder, holds, s.Holds, waits, s.Wants))
	}
	return strings.Join(said, ", ")
}

// Cycles returns the deadlocks that there are now. Each is proof, not a guess:
//
// Who waits is queued and leaves the queue under the graph's mutex, which this
// holds all the time; so all who are seen waiting wait all at the same moment.
// Who waits runs no code, so it releases nothing. It was seen as the owner of
// a lock at some moment of that time; it took that lock before it was queued
// and cannot release it before it leaves the queue, so it owned it all the
// time. An Unlock at the same time is one of somebody who does not wait: he is
// in no cycle, whichever owner of that lock was seen.
//
// That holds for holders that are one thread of execution each, see the
// package's comment.
func (g *Graph) Cycles() []Cycle {
	g.mu.Lock()
	found := g.cycles()
	cycles := make([]Cycle, 0, len(found))
	contexts := make([][]context.Context, 0, len(found))
	now := g.now()
	for _, c := range found {
		cycles = append(cycles, newCycle(c, now))
		var ctxs []context.Context
		for _, w := range c {
			ctxs = append(ctxs, w.ctx)
		}
		contexts = append(contexts, ctxs)
	}
	g.mu.Unlock()
	for i, ctxs := range contexts { // code of others, so not under the mutex
		cycles[i].Ending = slices.ContainsFunc(ctxs, func(ctx context.Context) bool { return ctx.Err() != nil })
	}
	return cycles
}

// Dissolved returns the last cycles that ended because a context did, oldest first.
func (g *Graph) Dissolved() []Cycle {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.dissolved)
}

// cycles searches from every waiter, and passes none twice. The graph's mutex is held.
func (g *Graph) cycles() [][]*waiter {
	var found [][]*waiter
	before := g.walks
	for m := range g.wanted {
		for w := m.first; w != nil; w = w.next {
			if w.walk > before {
				continue
			}
			if c := g.follow(w, before); c != nil {
				found = append(found, c)
			}
		}
	}
	return found
}

// follow goes from a waiter to whoever holds what it waits for, and on, until
// it comes to somebody who does not wait, to one whom a walk after before has
// passed, or in a circle, which it returns.
func (g *Graph) follow(w *waiter, before uint64) []*waiter {
	g.walks++
	var path []*waiter
	for w != nil && w.walk <= before {
		w.walk = g.walks
		path = append(path, w)
		w = g.next(w)
	}
	if w == nil || w.walk != g.walks {
		return nil
	}
	return path[slices.Index(path, w):]
}

// next returns the wait of the holder of what w waits for; nil if he does not
// wait, has no name, or is known to be several.
func (g *Graph) next(w *waiter) *waiter {
	owner := w.mutex.owner.Load()
	if owner == nil || owner == &w.mutex.nobody || owner.shared.Load() {
		return nil
	}
	return g.waits[owner]
}

// remember keeps the cycle that w is in and is about to leave. The graph's mutex is held.
func (g *Graph) remember(w *waiter) {
	path := g.follow(w, g.walks)
	if path == nil || path[0] != w {
		return
	}
	c := newCycle(path, g.now())
	c.Ending, c.Ended = true, time.Now()
	if len(g.dissolved) == mostDissolved {
		g.dissolved = slices.Delete(g.dissolved, 0, 1)
	}
	g.dissolved = append(g.dissolved, c)
}

func newCycle(waiters []*waiter, now int64) Cycle {
	oldest := 0
	var c Cycle
	for i, w := range waiters {
		c.ID = max(c.ID, w.ticket)
		if w.ticket < waiters[oldest].ticket {
			oldest = i
		}
	}
	for i := range waiters {
		at := (oldest + i) % len(waiters)
		w, before := waiters[at], waiters[(at+len(waiters)-1)%len(waiters)]
		c.Steps = append(c.Steps, Step{
			Holder: w.party.holder, Holds: before.mutex.name, Wants: w.mutex.name, Waited: time.Duration(now - w.since),
		})
	}
	return c
}
