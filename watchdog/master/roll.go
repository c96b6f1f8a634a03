package master

import (
	"fmt"
	"slices"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// roll is the replacement of all workers, one place after the other. What it
// waits for is child, until that is ready, and then old, until that is gone.
type roll struct {
	queue []*place // not begun
	child *child
	old   *child // nil until child is ready
	again bool   // asked for once more meanwhile
}

// startRoll begins a roll, or remembers that another one is wanted.
func (m *master) startRoll() {
	switch {
	case m.stopping:
	case m.roll != nil:
		m.roll.again = true
	default:
		m.Log.Info("replacing all workers")
		m.notifier.put(fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", time.Duration(scoreboard.Now()).Microseconds()))
		m.roll = &roll{queue: slices.Clone(m.places)}
		m.rollOn()
	}
}

// rollOn goes on with the next place. One that is empty just now is filled at
// once: perhaps what it died of has been mended.
func (m *master) rollOn() {
	r := m.roll
	if len(r.queue) == 0 {
		m.Log.Info("all workers were replaced")
		m.endRoll(r.again)
		return
	}
	p := r.queue[0]
	r.queue = r.queue[1:]
	p.restart = time.Time{}
	r.old, r.child = nil, m.spawn(p)
}

// rolled gets a child that became ready, and the one that it replaced.
func (m *master) rolled(c, old *child) {
	switch {
	case m.roll == nil || m.roll.child != c:
	case old == nil || c.place.pool.Patient:
		m.rollOn()
	default:
		m.roll.old = old
	}
}

// rollLost gets a child that is gone.
func (m *master) rollLost(c *child) {
	switch {
	case m.roll == nil:
	case c == m.roll.old:
		m.rollOn()
	case c == m.roll.child && m.roll.old == nil:
		m.Log.Error("a replacement did not become ready, the workers that are left stay as they are",
			watchdog.KeyWorker, c.place.id.String())
		m.endRoll(false)
	}
}

func (m *master) endRoll(again bool) {
	m.roll = nil
	m.notifier.put("READY=1")
	if again {
		m.startRoll()
	}
}
