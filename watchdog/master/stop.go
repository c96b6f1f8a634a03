package master

import (
	"fmt"
	"math"
	"time"

	"github.com/seadog/seadog/watchdog"
)

// urgency is how the service stops. It only rises.
type urgency int

const (
	orderly urgency = iota // stage by stage, within every pool's grace
	urgent                 // everything gives up now
	killing                // everything is killed
)

// stop begins the end of the service, or hurries it.
func (m *master) stop(why string) {
	if m.stopping {
		m.hurry(m.urgency + 1)
		return
	}
	m.Log.Info("service stops", watchdog.KeyVerdict, why)
	m.notifier.put("STOPPING=1")
	m.stopping, m.roll = true, nil
	for _, p := range m.places {
		p.restart = time.Time{}
	}
	m.stage = math.MinInt
	m.stopOn()
}

// stopOn lets the next stage drain when the one before is empty.
func (m *master) stopOn() {
	for m.stopping && !m.occupied(func(p *place) bool { return p.pool.StopStage <= m.stage }) {
		next, more := m.nextStage()
		if !more {
			return
		}
		m.stage = next
		for _, p := range m.places {
			if p.pool.StopStage == next {
				p.children(func(c *child) { m.dismiss(c, "was stopped with the service", false) })
			}
		}
	}
}

// nextStage returns the lowest stage above the present one.
func (m *master) nextStage() (stage int, more bool) {
	stage = math.MaxInt
	for _, p := range m.pools {
		if p.StopStage > m.stage && p.StopStage <= stage {
			stage, more = p.StopStage, true
		}
	}
	return stage, more
}

// occupied reports whether any of the places has a process.
func (m *master) occupied(which func(*place) bool) bool {
	for _, p := range m.places {
		if which(p) && !p.empty() {
			return true
		}
	}
	return false
}

// over reports whether the service has stopped.
func (m *master) over() bool {
	return m.stopping && !m.occupied(func(*place) bool { return true })
}

// hurry skips what is left of the graces.
func (m *master) hurry(u urgency) {
	if u <= m.urgency {
		return
	}
	m.urgency = u
	for _, p := range m.places {
		p.children(func(c *child) {
			c.told = true
			if c.why == "" {
				c.why = "was stopped with the service"
			}
			switch {
			case u == urgent && c.state < watchdog.Stopping:
				m.move(c, watchdog.Stopping, p.pool.KillGrace)
			case u >= killing && c.state < watchdog.Killed:
				m.move(c, watchdog.Killed, killLimit)
			}
		})
	}
}

// dismiss tells a child to finish and go. A patient child may take as long as
// it needs, until the service stops.
func (m *master) dismiss(c *child, why string, patient bool) {
	grace := c.place.pool.StopGrace
	if c.state >= watchdog.Draining {
		if c.state == watchdog.Draining && c.due.IsZero() {
			c.due = time.Now().Add(grace)
		}
		return
	}
	c.told, c.why = true, why
	if patient {
		grace = 0
	}
	m.move(c, watchdog.Draining, grace)
}

// killLimit is how long the kernel may take to end a killed process before
// that is an alarm.
const killLimit = 10 * time.Second

// escalate gets a child whose state has lasted too long.
func (m *master) escalate(c *child) {
	pool := c.place.pool
	switch c.state {
	case watchdog.Starting:
		c.why = fmt.Sprintf("was not ready within %s", pool.ReadyWithin)
		m.move(c, watchdog.Killed, killLimit)
	case watchdog.Draining:
		m.move(c, watchdog.Stopping, pool.KillGrace)
	case watchdog.Stopping:
		m.move(c, watchdog.Killed, killLimit)
	default:
		c.due = time.Time{}
		m.Log.Error("worker was killed and does not end: it hangs in the kernel",
			watchdog.KeyWorker, c.place.id.String(), watchdog.KeyPID, c.pid())
	}
}
