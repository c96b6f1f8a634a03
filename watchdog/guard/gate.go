package guard

import (
	"time"

	"github.com/seadog/seadog/watchdog/scoreboard"
)

// The methods in this file need Guard.mu, unless they say otherwise.

// mayAccept reports whether a connection may be accepted.
func (g *Guard) mayAccept() bool {
	if g.draining.Load() {
		return false
	}
	return g.region.Accepting() || g.probing()
}

// probing reports whether the guard closed its gate itself and wants to know
// whether connections are served again.
func (g *Guard) probing() bool {
	return g.probes > 0 && g.gated.Load() && g.region.Order() == scoreboard.Accept
}

// passed notes, without the lock held, that a connection was accepted. If it
// was let in to probe, no other is.
func (g *Guard) passed() {
	if !g.gated.Load() {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.probes > 0 && !g.region.Accepting() {
		g.probes = 0
		g.interrupt()
	}
}

// interrupt makes every Accept look again at whether it may go on.
func (g *Guard) interrupt() {
	for _, l := range g.listeners {
		if l.interruptible != nil {
			// Fails only if it is closed, and then Accept returns anyway.
			_ = l.interruptible.SetDeadline(past)
			l.interrupted = true
		}
	}
	g.announce()
}

//nolint:gochecknoglobals // a constant
var past = time.Unix(1, 0)

// announce wakes those who wait in Accept.
func (g *Guard) announce() {
	if g.waiting > 0 {
		close(g.change)
		g.change = make(chan struct{})
	}
}

// takeSlot returns the number of a free slot; there must be one.
func (g *Guard) takeSlot() int {
	i := g.free[len(g.free)-1]
	g.free = g.free[:len(g.free)-1]
	g.region.Use(i + 1)
	return i
}

// giveBack frees a slot, without the lock held.
func (g *Guard) giveBack(slot int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.free = append(g.free, slot)
	g.announce()
}
