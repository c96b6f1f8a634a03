package master

import (
	"fmt"
	"strconv"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// sight is what there is to be judged about one pool.
func (m *master) sight(p *pool, late time.Duration) watchdog.Sight {
	s := watchdog.Sight{
		Policy: p.Policy, Places: p.Count, Late: late,
		Replaceable: m.spare(p) != nil,
		Recycling:   m.roll != nil || m.stopping,
	}
	now := scoreboard.Now()
	for _, at := range p.all() {
		at.children(func(c *child) {
			if c.survivor {
				return // its beats are on another board
			}
			s.Recycling = s.Recycling || c.wearing != watchdog.None
			s.Workers = append(s.Workers, m.seen(c, now))
		})
	}
	return s
}

// seen is what there is to be judged about one process.
func (m *master) seen(c *child, now int64) watchdog.Seen {
	w := c.region.Worker()
	s := watchdog.Seen{
		ID: c.place.id, Incarnation: c.incarnation, State: c.state, Ruled: c.ruled(),
		Accepting: w.Accepting, Stopped: c.halted,
		Age: time.Since(c.begun), Beat: m.beat(c, now), Jitter: c.measures.jitter,
		Requests: w.Served, RSS: c.measures.takeRSS(), Heavy: c.measures.heavy,
		Goroutines: w.Vitals.Goroutines, Runnable: w.Vitals.Runnable, Latency: w.Vitals.Latency, Procs: w.Vitals.Procs,
		Descriptors: c.measures.descriptors, Deadlock: w.Deadlock,
	}
	if w.Dumping != 0 && now-w.Dumping > int64(dumpingLimit) {
		s.Beat = max(s.Beat, c.place.pool.Policy.Frozen+1) // it has stopped its own world, and cannot get out of it
	}
	for _, v := range w.Busy {
		if t, ok := m.task(v, now); ok {
			s.Busy = append(s.Busy, t)
		}
	}
	return s
}

// dumpingLimit is how long a worker may be busy with its own evidence.
const dumpingLimit = 500 * time.Millisecond

// ruled is why c is being replaced already.
func (c *child) ruled() watchdog.Reason {
	if c.doom != nil {
		return c.doom.ruling.Reason
	}
	return c.wearing
}

// nameOf is how people call a request.
func (m *master) nameOf(r scoreboard.Request) string {
	route := "a request"
	if r.Route >= 0 && r.Route < len(m.Routes) {
		route = m.Routes[r.Route]
	}
	if r.ID == "" {
		return route
	}
	return fmt.Sprintf("%s (request %s)", route, r.ID)
}

// task is what there is to be judged about one slot. The times in which nobody
// watched do not count.
func (m *master) task(v scoreboard.View, now int64) (watchdog.Task, bool) {
	if v.Torn || v.Token.Phase() == scoreboard.Seized {
		return watchdog.Task{}, false
	}
	r := v.Request
	slept := m.overslept(r.Begun)
	since := func(from int64) time.Duration { return max(1, time.Duration(now-from)-slept) }
	t := watchdog.Task{
		Slot: v.Index, Name: m.nameOf(r), Generation: v.Token.Generation(), Stream: r.Stream, Age: since(r.Begun),
	}
	if v.Waiting != 0 {
		t.Waiting = strconv.FormatUint(v.Waiting, 16)
	}
	if r.Stream {
		t.Age = since(max(r.Begun, v.Touched))
	}
	switch {
	case v.Token.Phase() == scoreboard.Killed && v.Killed != 0:
		t.Abandoned = since(v.Killed)
	case r.Hard != 0:
		t.Overdue = time.Duration(now-r.Hard) - slept
		if r.Stream {
			t.Overdue = t.Age - time.Duration(r.Hard-r.Begun)
		}
	}
	return t, true
}
