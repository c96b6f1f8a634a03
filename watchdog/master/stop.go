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
				p.children(func(c *child) { m.dismiss(c, farewell{watchdog.Shutdown, stoppedWithService, p.pool.StopGrace}) })
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
	return m.stopping && m.burials == 0 && !m.occupied(func(*place) bool { return true })
}

const stoppedWithService = "was stopped with the service"

// hurry skips what is left of the graces.
func (m *master) hurry(u urgency) {
	if u <= m.urgency {
		return
	}
	m.urgency = u
	for _, p := range m.places {
		p.children(func(c *child) {
			c.tell(watchdog.Shutdown, stoppedWithService)
			switch {
			case u == urgent && c.state < watchdog.Stopping:
				m.move(c, watchdog.Stopping, p.pool.KillGrace)
			case u >= killing && c.state < watchdog.Killed:
				m.move(c, watchdog.Killed, killLimit)
			}
		})
	}
}

// farewell is why a worker is sent away, and how long that may take.
type farewell struct {
	reason watchdog.Reason
	why    string
	grace  time.Duration // 0: until the service stops
}

// tell notes why c goes; the first reason counts.
func (c *child) tell(reason watchdog.Reason, why string) {
	c.told = true
	if c.reason == watchdog.None {
		c.reason = reason
	}
	if c.why == "" {
		c.why = why
	}
}

// dismiss tells a child to finish and go. One that may take for ever may not
// any more if it is told so again with a grace.
func (m *master) dismiss(c *child, f farewell) {
	if c.state >= watchdog.Draining {
		if c.state == watchdog.Draining && c.due.IsZero() && f.grace > 0 {
			c.due = time.Now().Add(f.grace)
		}
		return
	}
	c.tell(f.reason, f.why)
	m.move(c, watchdog.Draining, f.grace)
}

// killLimit is how long the kernel may take to end a killed process before
// that is an alarm.
const killLimit = 10 * time.Second

// escalate gets a child whose state has lasted too long.
func (m *master) escalate(c *child) {
	pool := c.place.pool
	if c.doom != nil && c.doom.examining && c.state < watchdog.Dumping {
		c.doom.note("its examination takes too long")
		m.dump(c)
		return
	}
	switch c.state {
	case watchdog.Starting:
		m.silent(c, fmt.Sprintf("was not ready within %s", pool.ReadyWithin))
	case watchdog.Draining:
		if c.doom != nil {
			m.execute(c)
			return
		}
		m.move(c, watchdog.Stopping, pool.KillGrace)
	case watchdog.Stopping:
		m.silent(c, "")
	case watchdog.Dumping:
		c.doom.note("its stacks take too long")
		m.kill(c)
	default:
		c.due = time.Time{}
		m.Log.Error("worker was killed and does not end: it hangs in the kernel",
			watchdog.KeyWorker, c.place.id.String(), watchdog.KeyPID, c.pid())
	}
}
