package master

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/process"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// doom is the hard path of one worker: why it has to go, and what was found
// out and done on the way.
//
//	Quarantined ─▶ Draining ─▶ (examined) ─▶ Dumping ─▶ Killed ─▶ buried
//	      a replacement accepts                 ▲
//	frozen: it can finish nothing ──────────────┘
type doom struct {
	id        string // of the incident
	ruling    watchdog.Ruling
	at        time.Time
	frozen    bool // it can finish nothing: no drain
	halted    bool // somebody else's signal has stopped it: it gets none but KILL
	examining bool
	evidence  watchdog.Evidence
	outcomes  []outcome // of requests that were looked after
	timeline  []watchdog.Moment
}

func newDoom(r watchdog.Ruling) *doom {
	now := time.Now()
	d := &doom{id: watchdog.NewIncidentID(now), ruling: r, at: now}
	d.note("%s: %s", r.Reason, r.Why)
	return d
}

// note adds a line to the timeline.
func (d *doom) note(format string, args ...any) {
	d.timeline = append(d.timeline, watchdog.Moment{AfterMS: time.Since(d.at).Milliseconds(), What: fmt.Sprintf(format, args...)})
}

// condemn begins the hard path, or takes what is left of it at once if the
// worker froze on its way.
func (m *master) condemn(c *child, r watchdog.Ruling) {
	frozen := r.Reason == watchdog.Stopped || r.Reason == watchdog.Frozen
	if c.state >= watchdog.Dumping || c.doom != nil && (c.doom.examining || !frozen) {
		return
	}
	if c.doom == nil {
		c.doom = newDoom(r)
	} else {
		c.doom.note("%s: %s", r.Reason, r.Why)
	}
	d := c.doom
	c.reason = r.Reason
	m.Log.Error("worker is condemned", watchdog.KeyIncident, d.id, watchdog.KeyWorker, c.place.id.String(), watchdog.KeyPID, c.pid(),
		watchdog.KeyIncarnation, c.incarnation, watchdog.KeyReason, r.Reason.String(), watchdog.KeyVerdict, r.Why)
	switch {
	case frozen:
		d.frozen = true
		m.vacate(c)
		m.execute(c)
	case c.state >= watchdog.Draining:
		c.due = time.Now().Add(min(c.place.pool.Policy.Drain, max(0, time.Until(c.due))))
	default:
		m.move(c, watchdog.Quarantined, 0)
		m.relieve(c.place.pool)
	}
}

// drainDoomed lets a condemned worker finish what is not stuck.
func (m *master) drainDoomed(c *child) {
	if c.doom.frozen || c.state >= watchdog.Draining {
		return
	}
	c.doom.note("a replacement accepts")
	m.move(c, watchdog.Draining, c.place.pool.Policy.Drain)
}

const (
	// readingLimit is how long a request may go on arriving at a worker that
	// is to be killed.
	readingLimit = time.Second
	// closingLimit is how long such a worker has to close connections that
	// nobody can take out of it.
	closingLimit = 1500 * time.Millisecond
)

// spent reports whether nothing is left in a condemned worker that could be
// finished, after it has been draining for that long.
func (c *child) spent(draining time.Duration, movable bool) bool {
	stuck := map[int]bool{}
	for _, slot := range c.doom.ruling.Slots {
		stuck[slot] = true
	}
	used := c.region.Used()
	for i := range used {
		switch phase := used[i].Token().Phase(); phase {
		case scoreboard.Running, scoreboard.Interim, scoreboard.Answering:
			if !stuck[i] {
				return false
			}
		case scoreboard.Reading, scoreboard.Hijacked: // or between two requests
			if draining < readingLimit {
				return false
			}
		case scoreboard.Idle:
			if draining < closingLimit && !(movable && canMove(used[i].View(i))) {
				return false
			}
		}
	}
	return true
}

// silent gets a child that did not become ready, or did not end, in time.
func (m *master) silent(c *child, why string) {
	if why != "" {
		c.why = why
	}
	c.reason = watchdog.Silent
	if c.process == nil || c.stderr == "" && !c.place.pool.guarded() {
		m.move(c, watchdog.Killed, killLimit)
		return
	}
	if c.doom == nil {
		c.doom = newDoom(watchdog.Ruling{ID: c.place.id, Incarnation: c.incarnation, Reason: watchdog.Silent, Why: c.why})
	}
	m.execute(c)
}

// examineLimit is how long the examination of a worker may take. It bounds
// itself to less; this is for a /proc that hangs.
const examineLimit = 3 * time.Second

// execute has c examined and its clients looked after; then it is dumped and killed.
func (m *master) execute(c *child) {
	d := c.doom
	if d.examining || c.state >= watchdog.Dumping {
		return
	}
	d.examining, d.halted = true, c.halted
	c.region.Dismiss()
	c.due = time.Now().Add(examineLimit)
	x := m.examination(c)
	c.rescuers++
	m.attended.Go(func() {
		evidence := x.run()
		m.events <- func() { m.examined(c, evidence, &x.rescue) }
	})
}

// examined gets what was found in c, which may be dead by now.
func (m *master) examined(c *child, e watchdog.Evidence, r *rescue) {
	d := c.doom
	d.examining, d.evidence, d.outcomes = false, e, r.outcomes
	if summary := r.summary(); summary != "" {
		d.note("%s", summary)
	}
	if alive := c.afterwards == nil; alive {
		m.dump(c)
	}
	m.rescued(c, r)
}

// What a dump may take: the base, and more for each goroutine.
const (
	dumpBase         = 2 * time.Second
	dumpPerGoroutine = time.Millisecond
)

// dump has c write its stacks, which ends it. One that was stopped could not,
// and one without a file would write them to the log.
func (m *master) dump(c *child) {
	if c.state >= watchdog.Dumping {
		return
	}
	if c.stderr == "" || c.doom.halted {
		m.kill(c)
		return
	}
	c.doom.note("its stacks are written")
	goroutines := time.Duration(c.region.Worker().Vitals.Goroutines)
	c.dumping = time.Now()
	m.move(c, watchdog.Dumping, min(c.place.pool.Policy.Dump, dumpBase+goroutines*dumpPerGoroutine))
}

// kill ends a condemned worker, and what its requests had started.
func (m *master) kill(c *child) {
	c.doom.note("killed")
	m.move(c, watchdog.Killed, killLimit)
	m.killGroups(c)
}

// killGroups kills the process groups that the requests of a worker had
// started. Numbers that cannot be such a group are left alone.
func (m *master) killGroups(c *child) {
	used := c.region.Used()
	for i := range used {
		group := used[i].Group()
		if phase := used[i].Token().Phase(); group == 0 || phase == scoreboard.Empty || phase == scoreboard.Idle || m.isWorker(group) {
			continue
		}
		if leader, err := process.Stat(group); err == nil && leader.Started < c.ticks {
			continue // it was there before the worker
		}
		if err := process.KillGroup(group, unix.SIGKILL); err != nil {
			m.Log.Warn("process group of a request was not killed", watchdog.KeyWorker, c.place.id.String(), watchdog.KeyError, err)
		}
	}
}

// isWorker reports whether pid is one of our processes, each of which leads a
// group of its own.
func (m *master) isWorker(pid int) bool {
	found := false
	for _, p := range m.places {
		p.children(func(c *child) { found = found || c.pid() == pid })
	}
	return found
}
