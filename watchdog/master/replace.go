package master

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/handoff"
	"github.com/seadog/seadog/watchdog/process"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// A master whose executable on disk speaks another protocol replaces itself: it
// runs that executable in its own place. The process, its sockets and its
// children stay. The scoreboard does not: what is in it is what the protocol
// is about. So the new master makes a scoreboard and workers of its own, and
// dismisses the survivors one by one as these accept. Of a survivor it knows
// no more than pid and control socket, and it judges none.

// replace becomes the executable on disk as soon as nothing is half done.
func (m *master) replace(protocol int) {
	r := m.roll
	r.becomes, r.retry = protocol, time.Now().Add(regionRetry)
	if !m.settled() {
		return
	}
	// What is known must be on disk before it is forgotten.
	m.recorder.put(func() {
		m.events <- func() {
			if m.roll == r && m.settled() && m.recorder.empty() {
				m.become(protocol)
			}
		}
	})
}

// settled reports whether no process is being started, looked at or buried. A
// worker that has not reported ready yet is waited for: the next image could not
// tell it to accept, so it would be of no use to anybody if the new ones fail.
func (m *master) settled() bool {
	settled := m.burials == 0
	for _, p := range m.places {
		p.children(func(c *child) {
			starting := c.state == watchdog.Starting && !p.isBench()
			settled = settled && c.process != nil && c.rescuers == 0 && !starting
		})
	}
	return settled
}

// become returns only if it fails. It is the one thing for which the owner loop
// waits: whatever it did meanwhile would be forgotten.
func (m *master) become(protocol int) {
	m.Log.Info("this process becomes the new executable", watchdog.KeyProtocol, handoff.Protocol, watchdog.KeyExecutable, protocol)
	env, takeBack, err := m.Sockets.Bequeath(m.survivors())
	if err == nil {
		failed := make(chan error)
		// On the spawner's thread: when that ends, the kernel kills the workers.
		// The thread that executes does not end.
		m.spawner.orders <- func() {
			failed <- syscall.Exec(m.Executable, append([]string{m.Executable}, m.Self...), env)
		}
		err = <-failed
		takeBack()
	}
	m.Log.Error("this process cannot become the new executable, the workers stay as they are: restart the service", watchdog.KeyError, err)
	m.endRoll(false)
}

// survivors are all workers, for the next image of this process.
func (m *master) survivors() []handoff.Survivor {
	var list []handoff.Survivor
	now, clock := time.Now(), scoreboard.Now()
	for _, p := range m.places {
		p.children(func(c *child) {
			list = append(list, handoff.Survivor{
				Pool: p.id.Pool, Index: p.id.Index, Incarnation: c.incarnation, PID: c.pid(), Started: c.ticks,
				Begun:   clock - int64(now.Sub(c.begun)),
				Serving: c.state == watchdog.Ready || c.state == watchdog.Quarantined,
				Stderr:  c.stderr, Control: c.control,
			})
		})
	}
	return list
}

// adopt takes over the workers that this process had before it became this
// executable. A pool that is not there any more has no use for them.
func (m *master) adopt() {
	if m.Sockets == nil {
		return
	}
	for _, s := range m.Sockets.Survivors() {
		c, err := m.survivor(s)
		if err != nil {
			m.Log.Warn("worker was not taken over, it ends", watchdog.KeyPool, s.Pool, watchdog.KeyPID, s.PID, watchdog.KeyError, err)
			_ = s.Control.Close() // to the worker this is its master's death
			continue
		}
		c.place.retiring = append(c.place.retiring, c)
		c.place.pool.incarnations = max(c.place.pool.incarnations, c.incarnation)
		m.attend(c)
		if !s.Serving || c.place.isBench() {
			m.release(c)
		}
	}
}

// survivor makes a child of what is known about it.
func (m *master) survivor(s handoff.Survivor) (*child, error) {
	p := m.placeOf(watchdog.ID{Pool: s.Pool, Index: s.Index})
	if p == nil {
		return nil, fmt.Errorf("there is no pool %s", s.Pool)
	}
	status, err := process.Stat(s.PID)
	if err != nil {
		return nil, err
	}
	if status.Started != s.Started || status.Parent != os.Getpid() {
		return nil, fmt.Errorf("process %d is another one now", s.PID)
	}
	found, err := os.FindProcess(s.PID)
	if err != nil {
		return nil, err
	}
	region := p.pool.take()
	if region == nil {
		return nil, unix.ENOSPC
	}
	region.Begin(s.Incarnation, s.Index)
	region.SetPID(s.PID)
	region.SetState(watchdog.Ready)
	begun := time.Now().Add(-time.Duration(scoreboard.Now() - s.Begun))
	return &child{
		place: p, incarnation: s.Incarnation, generation: -1, region: region, control: s.Control, process: found,
		ticks: s.Started, stderr: s.Stderr, state: watchdog.Ready, begun: begun, since: begun, survivor: true,
	}, nil
}

// placeOf returns the place of that id, or another one of its pool if there are
// fewer places now, and nil if there is no such pool.
func (m *master) placeOf(id watchdog.ID) *place {
	var found *place
	for _, p := range m.places {
		if p.id == id || found == nil && p.id.Pool == id.Pool {
			found = p
		}
	}
	return found
}

// relieveSurvivors dismisses those whose place has a worker of this master.
func (m *master) relieveSurvivors(p *place) {
	for _, c := range p.retiring {
		if c.survivor && c.state == watchdog.Ready {
			m.release(c)
		}
	}
}

// survives reports whether a worker of an earlier image still serves the pool.
func (p *pool) survives() bool {
	for _, at := range p.all() {
		for _, c := range at.retiring {
			if c.survivor && c.state == watchdog.Ready {
				return true
			}
		}
	}
	return false
}
