package master

import (
	"math/rand/v2"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// spare returns the spare of a pool if it can take a place at once.
func (m *master) spare(p *pool) *child {
	if p.bench == nil || p.bench.current == nil {
		return nil
	}
	c := p.bench.current
	if c.state != watchdog.Spare || c.halted || m.beat(c, scoreboard.Now()) > p.Policy.Fresh {
		return nil
	}
	return c
}

// promote gives p to the spare, whoever has it now. It returns false if there
// is none that could take it.
func (m *master) promote(p *place) bool {
	c := m.spare(p.pool)
	if c == nil || p.isBench() || m.stopping {
		return false
	}
	bench := p.pool.bench
	bench.current, bench.next = bench.next, nil
	old := p.current
	c.place, c.since = p, time.Now()
	p.current, p.restart = c, time.Time{}
	c.region.SetIndex(p.id.Index)
	m.employ(c)
	m.Log.Info("spare promoted", watchdog.KeyWorker, p.id.String(), watchdog.KeyPID, c.pid(), watchdog.KeyIncarnation, c.incarnation)
	if old != nil {
		p.retiring = append(p.retiring, old)
		m.release(old)
		m.refill(bench)
	}
	return true
}

// refill starts a new spare, unless that is to wait for something.
func (m *master) refill(bench *place) {
	if bench.current == nil && bench.restart.IsZero() && !m.stopping {
		m.spawn(bench)
	}
}

// relieve replaces those workers of a pool that need it, as far as it can at
// this moment. It is called whenever something has changed that could help,
// and with every tick.
func (m *master) relieve(p *pool) {
	if m.stopping {
		return
	}
	for _, at := range p.places {
		c := at.current
		if c == nil || !c.needsRelief() || m.promote(at) || c.halted && c.doom == nil {
			continue
		}
		if p.bench == nil && at.next == nil && !time.Now().Before(at.hold) {
			m.spawn(at)
		}
	}
}

// needsRelief reports whether c is to be replaced, now or as soon as possible.
func (c *child) needsRelief() bool {
	return c.state != watchdog.Starting && (c.halted || c.doom != nil || c.wearing != watchdog.None)
}

// release sends away a worker whose replacement accepts.
func (m *master) release(c *child) {
	pool := c.place.pool
	switch {
	case c.doom != nil:
		m.drainDoomed(c)
	case c.halted:
		// It hears it when it goes on, if it lives to see that.
		m.dismiss(c, farewell{watchdog.Stopped, "was stopped by a signal and replaced", pool.StopGrace})
		m.moveIdle(c)
	case c.stale:
		m.dismiss(c, farewell{watchdog.Frozen, "did not beat and was replaced", pool.StopGrace})
		m.moveIdle(c)
	case c.wearing == watchdog.MemoryHard:
		m.dismiss(c, farewell{c.wearing, "was recycled", hardDrain})
	case c.wearing != watchdog.None:
		m.dismiss(c, farewell{c.wearing, "was recycled", pool.patience()})
	default:
		m.dismiss(c, farewell{watchdog.Reload, "was replaced", pool.patience()})
	}
}

// hardDrain is how long a worker that eats the machine's memory may finish.
const hardDrain = 5 * time.Second

// patience is how long a replaced worker may take; 0 is for ever.
func (p *pool) patience() time.Duration {
	if p.Patient {
		return 0
	}
	return p.StopGrace
}

// vacate gives the place of a worker that serves nobody any more to another
// one: to the spare, or else to a new process.
func (m *master) vacate(c *child) {
	p := c.place
	if c != p.current || m.stopping || m.promote(p) {
		return
	}
	p.retiring = append(p.retiring, c)
	p.current, p.next = p.next, nil
	if p.current == nil {
		m.spawn(p)
	}
}

// successorLost holds the next successor back.
func (m *master) successorLost(p *place, at time.Time) {
	p.early = m.Backoff.Early(p.early, 0)
	p.hold = at.Add(max(successorPause, m.Backoff.Delay(p.early, rand.Float64())))
}

// successorPause is the least time between two successors that do not start.
const successorPause = time.Second

// halted gets the news that a signal has stopped a child, or that it goes on.
func (m *master) halted(c *child, stopped bool) {
	c.halted = stopped
	if stopped && c.doom == nil {
		m.Log.Warn("worker was stopped by a signal", watchdog.KeyWorker, c.place.id.String(), watchdog.KeyPID, c.pid())
		m.relieve(c.place.pool)
	}
}
