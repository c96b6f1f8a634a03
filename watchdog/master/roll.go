package master

import (
	"fmt"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/handoff"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// roll is the replacement of all workers that were started before it, one
// after the other. What it waits for is child, until that is ready, and then
// old, until that is gone.
type roll struct {
	child *child
	old   *child    // nil until child is ready
	retry time.Time // when the next is tried again; zero if it was started
	again bool      // asked for once more meanwhile
	// becomes is the protocol of the executable that this process is to become
	// when nothing is half done; 0: none.
	becomes int
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
		m.roll = &roll{}
		m.generation++
		m.agree()
	}
}

// agree begins with the first place when the executable was asked for its
// protocol: workers that do not understand this process are of no use.
func (m *master) agree() {
	if m.ask == nil {
		m.rollOn()
		return
	}
	asking := m.roll
	m.asking = true
	m.attended.Go(func() {
		protocol, err := m.ask()
		m.events <- func() {
			m.asking = false
			m.reapOrphans()
			if m.roll == asking {
				m.agreed(protocol, err)
			}
		}
	})
}

func (m *master) agreed(protocol int, err error) {
	switch {
	case err != nil:
		m.Log.Error("the executable does not say which protocol it speaks, the workers stay as they are", watchdog.KeyError, err)
		m.endRoll(false)
	case protocol != handoff.Protocol && m.Self != nil && m.Sockets != nil:
		m.replace(protocol)
	case protocol != handoff.Protocol:
		m.Log.Error("the executable speaks another protocol, the workers stay as they are: restart the service",
			watchdog.KeyProtocol, handoff.Protocol, watchdog.KeyExecutable, protocol)
		m.endRoll(false)
	default:
		m.rollOn()
	}
}

// rollOn goes on with the next place. One that is empty just now is filled at
// once: perhaps what it died of has been mended. A successor that is on its way
// already is waited for.
func (m *master) rollOn() {
	r := m.roll
	p := m.outdated()
	if p == nil {
		m.Log.Info("all workers were replaced")
		m.endRoll(r.again)
		return
	}
	r.old, r.retry, r.child = nil, time.Time{}, p.next
	if r.child == nil {
		r.child = m.spawn(p)
	}
	if r.child == nil {
		r.retry = time.Now().Add(regionRetry)
	}
}

// rollAgain tries what could not be done before.
func (m *master) rollAgain() {
	if m.roll.becomes != 0 {
		m.replace(m.roll.becomes)
		return
	}
	m.rollOn()
}

// outdated returns the first place that the roll has not come to yet.
func (m *master) outdated() *place {
	for _, p := range m.places {
		if p.current == nil || p.current.generation < m.generation {
			return p
		}
	}
	return nil
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
