package master

import (
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/handoff"
)

// spawn starts the next incarnation of p, as its current one or, if it has
// one, as its successor.
func (m *master) spawn(p *place) *child {
	p.incarnations++
	c := &child{place: p, incarnation: p.incarnations, state: watchdog.Starting, begun: time.Now()}
	c.due = c.begun.Add(p.pool.ReadyWithin)
	if p.current == nil {
		p.current = c
	} else {
		p.next = c
	}
	parcel, release, err := m.pack(c)
	if err != nil {
		// As an event, so that the caller has seen c before it is gone.
		m.attended.Go(func() {
			m.events <- func() { m.gone(c, ending{err: err, at: time.Now()}) }
		})
		return c
	}
	m.spawner.orders <- order{pool: p.pool.Pool, parcel: parcel, started: func(s started, err error) {
		release()
		m.events <- func() { m.spawned(c, s, err) }
	}}
	return c
}

// pack makes the child's control socket and collects what it inherits.
func (m *master) pack(c *child) (*handoff.Parcel, func(), error) {
	control, end, release, err := handoff.NewControl()
	if err != nil {
		return nil, nil, err
	}
	c.control = control
	pool := c.place.pool
	parcel := handoff.NewParcel(handoff.Manifest{
		Pool: c.place.id.Pool, Index: c.place.id.Index, Incarnation: c.incarnation,
		Master: os.Getpid(), KillGrace: pool.KillGrace,
	}, end, m.memory)
	for _, name := range pool.Listeners {
		if h, ok := m.Sockets.Held(name); ok {
			parcel.Listener(name, h)
		}
	}
	for _, name := range pool.Doorbells {
		parcel.Doorbell(m.doorbell(name))
	}
	return parcel, release, nil
}

// spawned gets the spawner's answer.
func (m *master) spawned(c *child, s started, err error) {
	defer m.reapOrphans() // postponed while the pid was unknown
	if err != nil {
		_ = c.control.Close()
		m.gone(c, ending{err: err, at: time.Now()})
		return
	}
	c.process, c.ticks = s.process, s.ticks
	if c == c.place.current {
		c.place.show(c)
	}
	m.Log.Debug("worker started", watchdog.KeyWorker, c.place.id.String(), watchdog.KeyPID, c.pid(), watchdog.KeyIncarnation, c.incarnation)
	m.attended.Go(func() {
		c.attend(
			func(msg handoff.Message) { m.events <- func() { m.heard(c, msg) } },
			func(state *os.ProcessState, err error) {
				e := ending{state: state, err: err, at: time.Now()}
				m.events <- func() { m.gone(c, e) }
			})
	})
	c.say() // what was decided in the meantime
}

// heard gets a message of a worker.
func (m *master) heard(c *child, msg handoff.Message) {
	switch {
	case msg.Kind == handoff.MessageFailed:
		c.message = msg.Text
	case msg.Kind == handoff.MessageReady && c.state == watchdog.Starting:
		m.ready(c)
	}
}

// ready lets a successor take the place of the one that it replaces.
func (m *master) ready(c *child) {
	p := c.place
	p.pool.everReady = true
	m.move(c, watchdog.Ready, 0)
	m.Log.Info("worker ready", watchdog.KeyWorker, p.id.String(), watchdog.KeyPID, c.pid(),
		watchdog.KeyIncarnation, c.incarnation, watchdog.KeyDuration, time.Since(c.begun).Round(time.Millisecond))
	var old *child
	if c == p.next {
		old, p.current, p.next = p.current, c, nil
		p.retiring = append(p.retiring, old)
		p.show(c)
		m.dismiss(old, "was replaced", p.pool.Patient)
	}
	m.rolled(c, old)
	m.announce()
}

// announce tells the service manager once every pool has a worker.
func (m *master) announce() {
	if m.announced || m.stopping {
		return
	}
	for _, p := range m.pools {
		if !p.everReady {
			return
		}
	}
	m.announced = true
	m.Log.Info("service ready")
	m.notifier.put("READY=1")
}

// move puts c into a state that may last for limit; without limit if 0.
func (m *master) move(c *child, s watchdog.State, limit time.Duration) {
	c.state, c.due = s, time.Time{}
	if limit > 0 {
		c.due = time.Now().Add(limit)
	}
	c.place.region.SetState(c.incarnation, s)
	c.say()
}

// gone gets the end of a child.
func (m *master) gone(c *child, e ending) {
	p := c.place
	death := deathOf(c, e, m.boot)
	m.log(death)
	p.region.SetState(c.incarnation, watchdog.Absent)
	if !death.Expected {
		p.region.CountDeath()
	}
	wasCurrent := p.forget(c)
	var recorded func()
	if wasCurrent && !m.stopping && p.next == nil {
		recorded = m.restartLater(p, death)
	}
	if !m.recorder.put(record{death, recorded}) {
		m.Log.Error("death was not recorded: the disk is stuck", watchdog.KeyVerdict, death.Verdict)
	}
	if wasCurrent && p.next != nil {
		p.current, p.next = p.next, nil
		p.show(p.current)
	}
	m.rollLost(c)
	m.stopOn()
	m.reapOrphans()
}

// recordLimit is how long a stuck disk can keep a worker from being restarted.
const recordLimit = time.Second

// restartLater decides when p is filled again, and returns what to do once the
// death is on disk.
func (m *master) restartLater(p *place, d watchdog.Death) (recorded func()) {
	p.early = m.Backoff.Early(p.early, d.Uptime())
	if !p.pool.everReady && p.early >= m.BootDeaths {
		m.fail(fmt.Errorf("pool %s does not start: %s (%d times in a row; what it wrote to its log or stderr says more)", p.id.Pool, d.Verdict, p.early))
		return nil
	}
	delay := m.Backoff.Delay(p.early, rand.Float64())
	due := d.Time.Add(delay)
	p.restart = time.Now().Add(delay + recordLimit)
	if delay > 0 {
		m.Log.Warn("worker restarts later", watchdog.KeyWorker, p.id.String(), watchdog.KeyDelay, delay.Round(time.Millisecond))
	}
	return func() {
		if !p.restart.IsZero() {
			p.restart = due
		}
	}
}

// fail ends a service that cannot start.
func (m *master) fail(err error) {
	if m.failure == nil {
		m.failure = err
	}
	m.stop("the service does not start")
	m.hurry(urgent)
}

func (m *master) log(d watchdog.Death) {
	level := m.Log.Warn
	if d.Expected {
		level = m.Log.Info
	}
	level("worker ended", watchdog.KeyWorker, d.ID().String(), watchdog.KeyPID, d.PID,
		watchdog.KeyIncarnation, d.Incarnation, watchdog.KeyVerdict, d.Verdict)
}
