package master

import (
	"os"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/handoff"
	"github.com/seadog/seadog/watchdog/process"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// examination is the last look at a worker before it is killed: first what its
// threads do, then what can be done for its clients. It has a goroutine of its
// own, because /proc can take its time, and touches nothing of the owner loop's.
type examination struct {
	process *os.Process
	halt    bool // it is to be stopped first, so that it cannot wake up in between
	worker  scoreboard.Worker
	backlog int
	rescue  rescue
}

func (m *master) examination(c *child) *examination {
	p := c.place.pool
	return &examination{
		process: c.process,
		halt:    c.doom.frozen && !c.doom.halted,
		worker:  c.region.Worker(),
		backlog: int(p.board.Tally(scoreboard.Backlog)),
		rescue:  rescue{process: c.process, region: c.region, incident: c.doom.id, takers: m.takers(p), still: c.doom.frozen, held: m.held(p), control: c.control.Peer()},
	}
}

// takers are the workers of a pool that can take connections over: those that
// have missed no beat.
func (m *master) takers(p *pool) []*handoff.Control {
	var takers []*handoff.Control
	now := scoreboard.Now()
	for _, at := range p.places {
		if c := at.current; c != nil && c.state == watchdog.Ready && !c.halted && m.beat(c, now) <= missed {
			takers = append(takers, c.control)
		}
	}
	return takers
}

// held are the descriptors of the sockets that a pool listens on.
func (m *master) held(p *pool) []int {
	var fds []int
	for _, name := range p.Listeners {
		if h, ok := m.Sockets.Held(name); ok {
			fds = append(fds, int(h.FD()))
		}
	}
	return fds
}

func (x *examination) run() watchdog.Evidence {
	var e watchdog.Evidence
	pid := x.process.Pid
	// What cannot be read is not in the evidence; there is nobody to tell.
	e.Threads, _ = process.Threads(pid)
	v := x.worker.Vitals
	e.Process = watchdog.Process{Goroutines: v.Goroutines, Runnable: v.Runnable, Backlog: x.backlog}
	e.Process.RSSBytes, _ = process.RSS(pid)
	e.Process.Descriptors, _ = process.Descriptors(pid)
	if x.halt {
		halt(x.process)
	}
	x.rescue.run()
	return e
}
