package master

import (
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/handoff"
)

// regionRetry is how long a process waits for the room that it needs.
const regionRetry = time.Second

// spawn starts the next incarnation of p, as its current one or, if it has
// one, as its successor. It returns nil if no process of the pool has room
// just now; an empty place is then tried again later.
func (m *master) spawn(p *place) *child {
	region := p.pool.take()
	if region == nil {
		m.Log.Warn("worker is started later: too many of its pool have not ended yet", watchdog.KeyWorker, p.id.String())
		if p.current == nil {
			p.restart = time.Now().Add(regionRetry)
		}
		return nil
	}
	p.pool.incarnations++
	now := time.Now()
	c := &child{
		place: p, incarnation: p.pool.incarnations, generation: m.generation, region: region,
		state: watchdog.Starting, begun: now, since: now, due: now.Add(p.pool.ReadyWithin),
	}
	c.stderr = m.stderrPath(p.pool.Name, c.incarnation)
	c.measures.jitter = rand.Float64()
	region.Begin(c.incarnation, p.id.Index)
	p.restart = time.Time{}
	if p.current == nil {
		p.current = c
	} else {
		p.next = c
	}
	m.order(c)
	return c
}

// order has the spawner start c.
func (m *master) order(c *child) {
	parcel, release, err := m.pack(c)
	if err != nil {
		// As an event, so that the caller has seen c before it is gone.
		m.attended.Go(func() {
			m.events <- func() { m.gone(c, ending{err: err, at: time.Now()}) }
		})
		return
	}
	o := order{pool: c.place.pool.Pool, parcel: parcel, stderr: c.stderr}
	m.spawner.orders <- func() {
		s, err := m.spawner.start(o)
		release()
		m.events <- func() { m.spawned(c, s, err) }
	}
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
		Pool: c.place.id.Pool, Index: c.place.id.Index, Region: c.region.Position(), Incarnation: c.incarnation,
		Master: os.Getpid(), KillGrace: pool.KillGrace, Policy: pool.Policy,
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
	c.region.SetPID(c.pid())
	m.Log.Debug("worker started", watchdog.KeyWorker, c.place.id.String(), watchdog.KeyPID, c.pid(), watchdog.KeyIncarnation, c.incarnation)
	m.attend(c)
	c.say() // what was decided in the meantime
}

// attend makes events of what happens to c from now on.
func (m *master) attend(c *child) {
	m.attended.Go(func() {
		c.attend(
			func(msg handoff.Message) { m.events <- func() { m.heard(c, msg) } },
			func(stopped bool) { m.events <- func() { m.halted(c, stopped) } },
			func(e ending) { m.events <- func() { m.gone(c, e) } },
		)
	})
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

// ready lets a worker accept, or sit down on the bench, and a successor take
// the place of the one that it replaces.
func (m *master) ready(c *child) {
	p := c.place
	m.Log.Info("worker ready", watchdog.KeyWorker, p.id.String(), watchdog.KeyPID, c.pid(),
		watchdog.KeyIncarnation, c.incarnation, watchdog.KeyDuration, time.Since(c.begun).Round(time.Millisecond))
	if p.isBench() {
		m.move(c, watchdog.Spare, 0)
	} else {
		p.pool.everReady = true
		m.employ(c)
	}
	var old *child
	if c == p.next {
		old, p.current, p.next = p.current, c, nil
		p.retiring = append(p.retiring, old)
		m.release(old)
	}
	m.relieveSurvivors(p)
	m.rolled(c, old)
	m.relieve(p.pool)
	m.announce()
}

// employ tells c to accept.
func (m *master) employ(c *child) {
	c.region.Promote()
	m.move(c, watchdog.Ready, 0)
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
	c.state, c.entered, c.due = s, time.Now(), time.Time{}
	if limit > 0 {
		c.due = c.entered.Add(limit)
	}
	if s > watchdog.Quarantined {
		c.region.Dismiss()
	}
	c.region.SetState(s)
	c.say()
}

// gone gets the end of a child.
func (m *master) gone(c *child, e ending) {
	p := c.place
	death := deathOf(c, e, m.boot)
	m.log(death)
	wasNext := c == p.next
	var recorded func()
	switch wasCurrent := p.forget(c); {
	case m.stopping:
	case wasCurrent:
		recorded = m.bereaved(p, c, death, e.at)
	case wasNext && !death.Expected:
		m.successorLost(p, e.at)
	}
	if !m.recorder.put(func() { m.record(death, recorded) }) {
		m.Log.Error("death was not recorded: the disk is stuck", watchdog.KeyWorker, death.ID().String(), watchdog.KeyVerdict, death.Verdict)
	}
	m.bury(c, death)
	m.rollLost(c)
	m.stopOn()
	m.reapOrphans()
}

// bereaved fills a place that has lost its current process, and returns what
// to do once the death is on disk.
func (m *master) bereaved(p *place, c *child, d watchdog.Death, at time.Time) (recorded func()) {
	p.early = m.Backoff.Early(p.early, at.Sub(c.since))
	if !p.pool.everReady && p.early >= m.BootDeaths && !p.pool.survives() {
		m.fail(fmt.Errorf("pool %s does not start: %s (%d times in a row; what it wrote to its log or stderr says more)", p.id.Pool, d.Verdict, p.early))
		return nil
	}
	empty := p
	switch {
	case m.promote(p):
		empty = p.pool.bench
	case p.next != nil:
		p.current, p.next = p.next, nil
	}
	if empty.current != nil {
		return nil
	}
	return m.restartLater(empty, at, p.early)
}

// recordLimit is how long a stuck disk can keep a worker from being restarted.
const recordLimit = time.Second

// restartLater decides when p is filled again, after so many early deaths of
// which the last was at that time, and returns what to do once that is on disk.
func (m *master) restartLater(p *place, at time.Time, early int) (recorded func()) {
	delay := m.Backoff.Delay(early, rand.Float64())
	latest := time.Now().Add(delay + recordLimit)
	p.restart = latest
	if delay > 0 {
		m.Log.Warn("worker restarts later", watchdog.KeyWorker, p.id.String(), watchdog.KeyDelay, delay.Round(time.Millisecond))
	}
	return func() {
		if p.restart.Equal(latest) {
			p.restart = at.Add(delay)
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
