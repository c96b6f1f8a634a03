package master

import (
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/process"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

const (
	tickEvery = 100 * time.Millisecond
	// tickQuiet is how often it is looked at workers that have no connections,
	// and afterBeat how long after the moment at which they beat.
	tickQuiet = 500 * time.Millisecond
	afterBeat = 50 * time.Millisecond
	// tickSoon is when it is looked again at workers that should have beaten.
	tickSoon = 25 * time.Millisecond
	// awaited is the age of a heartbeat at which the next one is late: they
	// come every 100 ms. missed is when it will hardly come any more: late ones
	// are by a third of that, however busy the worker is.
	awaited = 110 * time.Millisecond
	missed  = 150 * time.Millisecond
	// tolerable is by how much the owner loop may be late without anything
	// being thought of it.
	tolerable = time.Second
)

// gap is a time in which nobody watched: the machine slept, or the master was
// stopped.
type gap struct {
	until int64 // in the time of [scoreboard.Now]
	long  time.Duration
}

// mostGaps bounds what is remembered; a request that is older has seen enough.
const mostGaps = 16

// slept shifts everything that the master waits for by a gap: nobody is late
// for something while nobody watches.
func (m *master) slept(late time.Duration) {
	m.Log.Warn("nobody watched for a while: the machine slept, or this process was stopped", watchdog.KeyDuration, late.Round(time.Millisecond))
	m.board.Master().Overslept(late)
	m.gaps = append(m.gaps, gap{until: scoreboard.Now(), long: late})
	m.gaps = m.gaps[max(0, len(m.gaps)-mostGaps):]
	shift := func(t *time.Time) {
		if !t.IsZero() {
			*t = t.Add(late)
		}
	}
	for _, p := range m.places {
		shift(&p.restart)
		shift(&p.hold)
		p.children(func(c *child) {
			shift(&c.due)
			shift(&c.entered)
		})
	}
}

// overslept is how much of the time since begun nobody watched.
func (m *master) overslept(begun int64) time.Duration {
	var d time.Duration
	for _, g := range m.gaps {
		if begun < g.until {
			d += g.long
		}
	}
	return d
}

// beat is how long c has not been heard of while somebody watched.
func (m *master) beat(c *child, now int64) time.Duration {
	last := c.region.Heard()
	if n := len(m.gaps); n > 0 {
		last = max(last, m.gaps[n-1].until)
	}
	return time.Duration(now - last)
}

// tick looks at all guarded pools and obeys what is judged.
func (m *master) tick(late time.Duration) {
	m.measure()
	for _, p := range m.pools {
		m.backlog(p)
		if !p.guarded() {
			continue
		}
		m.lookForHalts(p)
		if late == 0 {
			m.relieveSilence(p)
			m.moveFromStale(p)
			m.relieve(p)
			m.endDrains(p)
		}
		s := m.sight(p, late)
		for _, r := range s.Judge() {
			m.obey(p, r)
		}
		m.alarm(p, s)
	}
}

// nextTick is in how long to look again: sooner if a heartbeat is late, later
// if nothing is going on.
func (m *master) nextTick() time.Duration {
	now := scoreboard.Now()
	next := scoreboard.Leisurely(now, tickQuiet) + afterBeat
	for _, p := range m.pools {
		if !p.guarded() {
			continue
		}
		for _, at := range p.all() {
			at.children(func(c *child) {
				switch {
				case c.survivor:
				case c.state >= watchdog.Ready && c.state <= watchdog.Stopping && m.beat(c, now) > awaited:
					next = tickSoon
				case c.region.Every() <= scoreboard.BeatEvery || c.state > watchdog.Ready:
					next = min(next, tickEvery)
				}
			})
		}
	}
	return next
}

// obey does what was ruled about one worker.
func (m *master) obey(p *pool, r watchdog.Ruling) {
	c := p.find(r.Incarnation)
	switch {
	case c == nil:
	case r.Reason.Kills():
		if lifeless := r.Reason == watchdog.Stopped || r.Reason == watchdog.Frozen; lifeless || !m.stopping {
			m.condemn(c, r)
		}
	case m.stopping || c.wearing != watchdog.None:
	default:
		c.wearing = r.Reason
		m.Log.Info("worker is recycled", watchdog.KeyWorker, c.place.id.String(), watchdog.KeyPID, c.pid(),
			watchdog.KeyIncarnation, c.incarnation, watchdog.KeyReason, r.Reason.String(), watchdog.KeyVerdict, r.Why)
		m.relieve(p)
	}
}

// find returns the process of that incarnation, nil if it is gone.
func (p *pool) find(incarnation uint64) *child {
	var found *child
	for _, at := range p.all() {
		at.children(func(c *child) {
			if c.incarnation == incarnation {
				found = c
			}
		})
	}
	return found
}

// lookForHalts is the net below watchStops, for those that do not beat.
func (m *master) lookForHalts(p *pool) {
	now := scoreboard.Now()
	for _, at := range p.all() {
		at.children(func(c *child) {
			if c.process == nil || c.survivor || !c.state.Serves() || m.beat(c, now) <= p.Policy.Fresh {
				return
			}
			if s, err := process.Stat(c.pid()); err == nil && s.Stopped() != c.halted {
				m.halted(c, s.Stopped())
			}
		})
	}
}

// relieveSilence promotes the spare when nobody in the pool beats who should
// accept: it takes the place of the one that has been silent the longest.
func (m *master) relieveSilence(p *pool) {
	now := scoreboard.Now()
	var worst *place
	for _, at := range p.places {
		if at.current == nil || at.current.state != watchdog.Ready && at.current.state != watchdog.Quarantined {
			continue
		}
		beat := m.beat(at.current, now)
		if beat <= p.Policy.Fresh {
			return
		}
		if worst == nil || beat > m.beat(worst.current, now) {
			worst = at
		}
	}
	if worst != nil && m.spare(p) != nil {
		worst.current.stale = true
		m.promote(worst)
	}
}

// moveFromStale takes the idle connections out of all workers that do not beat.
// Those that serve nobody are condemned much later.
func (m *master) moveFromStale(p *pool) {
	now := scoreboard.Now()
	for _, at := range p.places {
		at.children(func(c *child) {
			if c.state >= watchdog.Ready && c.state <= watchdog.Stopping && !c.survivor && c.rescuers == 0 && m.beat(c, now) > missed {
				m.moveIdle(c)
			}
		})
	}
}

// endDrains goes on with condemned workers in which nothing can be finished.
func (m *master) endDrains(p *pool) {
	for _, at := range p.places {
		at.children(func(c *child) {
			if c.doom == nil || c.doom.examining || c.state != watchdog.Draining {
				return
			}
			if draining := time.Since(c.entered); draining >= tickEvery/2 && c.spent(draining, m.movable) {
				m.execute(c)
			}
		})
	}
}

// backlog publishes how many connections wait to be accepted.
func (m *master) backlog(p *pool) {
	var waiting, limit int
	for _, name := range p.Listeners {
		h, ok := m.Sockets.Held(name)
		if !ok {
			continue
		}
		if w, l, err := process.Backlog(int(h.FD())); err == nil {
			waiting, limit = waiting+w, limit+l
		}
	}
	p.board.Set(scoreboard.Backlog, uint64(waiting))
	p.board.Set(scoreboard.BacklogMax, uint64(limit))
}

// alarm says once that a dependency is down, and once that it is back.
func (m *master) alarm(p *pool, s watchdog.Sight) {
	place, workers, stalled := s.Stall()
	switch {
	case stalled && p.stall == "":
		m.Log.Error("a dependency is down: killing workers that wait for it would help nobody",
			watchdog.KeyPool, p.Name, watchdog.KeyPlace, place, watchdog.KeyWorkers, len(workers))
	case !stalled && p.stall != "":
		m.Log.Info("nobody waits for the dependency any more", watchdog.KeyPool, p.Name, watchdog.KeyPlace, p.stall)
	}
	p.stall = place
}
