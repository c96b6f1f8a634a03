package guard

import (
	"math"
	"time"

	"github.com/seadog/seadog/watchdog/scoreboard"
)

// lookIdle closes a connection that has been idle long enough.
func (g *Guard) lookIdle(i int, t scoreboard.Token, now int64) {
	w := &g.watches[i]
	if w.since == 0 || w.idle != t.Generation() {
		w.idle, w.since = t.Generation(), now
	}
	if now-w.since >= int64(idleAge) {
		g.closeIdle(i, t)
	}
}

// seizedAge is how long the master has to take the socket out of this process
// after it took the token.
const seizedAge = 500 * time.Millisecond

// lookSeized lets go of a connection that the master has given to another
// process, although this one lives.
func (g *Guard) lookSeized(i int, t scoreboard.Token, now int64) {
	w := &g.watches[i]
	if w.taken != t.Generation() {
		w.taken, w.takenAt = t.Generation(), now
	}
	if now-w.takenAt < int64(seizedAge) {
		return
	}
	if c := g.table[i].Load(); c != nil && c.hold() {
		_ = c.bottom.Close() // the server notices, and ends it
		c.drop()
	}
}

// closeIdle closes a connection in order, unless something of a request has
// arrived. It reports whether it did.
func (g *Guard) closeIdle(i int, t scoreboard.Token) bool {
	c := g.table[i].Load()
	if c == nil || !c.hold() {
		return false
	}
	defer c.drop()
	slot := &g.slots[i]
	// Two steps: as long as the token says between, the server takes it back
	// when it has something to read.
	if !slot.Swap(t, t.To(between)) {
		return false
	}
	if c.socket != nil && !empty(c.socket) {
		slot.Swap(t.To(between), t)
		return false
	}
	if !slot.Swap(t.To(between), t.To(scoreboard.Seized)) {
		return false
	}
	_ = c.bottom.Close() // the server notices, and ends it
	return true
}

// makeRoom closes the connection that has been idle for longest if three
// quarters of the slots are in use.
func (g *Guard) makeRoom() {
	g.mu.Lock()
	used := len(g.slots) - len(g.free)
	g.mu.Unlock()
	if 4*used > 3*len(g.slots) {
		g.closeOldest()
	}
}

// serveStarving closes an idle connection if others wait for a slot.
func (g *Guard) serveStarving() {
	g.mu.Lock()
	starving := g.waiting > 0 && len(g.free) == 0
	g.mu.Unlock()
	if starving {
		g.closeOldest()
	}
}

// closeOldest closes the idle connection whose last request began first.
func (g *Guard) closeOldest() {
	for {
		oldest, token := g.oldestIdle()
		if oldest < 0 || g.closeIdle(oldest, token) || g.slots[oldest].Token() == token {
			return
		}
	}
}

// oldestIdle returns the slot of that connection, -1 if there is none, and its
// token. A connection on which nothing was asked yet is left alone for a
// moment: its first request is on its way.
func (g *Guard) oldestIdle() (oldest int, token scoreboard.Token) {
	oldest = -1
	first, now := int64(math.MaxInt64), g.clock.now()
	used := g.region.Used()
	for i := range used {
		t, begun := used[i].Token(), used[i].Begun()
		if t.Phase() != scoreboard.Idle || begun >= first {
			continue
		}
		if c := g.table[i].Load(); c == nil || c.born == t.Generation() && now-begun < int64(idleAge) {
			continue
		}
		oldest, token, first = i, t, begun
	}
	return oldest, token
}
