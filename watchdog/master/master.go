package master

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/locate"
	"github.com/seadog/seadog/watchdog/process"
	"github.com/seadog/seadog/watchdog/scoreboard"
	"github.com/seadog/seadog/watchdog/selfdump"
)

// master is the state of [Run]. Only the owner loop touches it.
type master struct {
	Config
	board  *scoreboard.Board
	memory *os.File // the scoreboard's
	boot   string
	places []*place
	pools  []*pool

	events   chan func() // run by the owner loop, in order
	attended sync.WaitGroup
	spawner  *spawner
	recorder *queue[func()]
	unlogged atomic.Uint64 // lines of the log that found no room
	notifier *queue[string]

	expected   time.Time // when the owner loop's next pass is due
	tickDue    time.Time // zero if no pool is guarded
	gaps       []gap     // the oldest first
	burials    int       // dead workers that are not buried yet
	measuring  bool      // a goroutine does
	measureDue time.Time
	movable    bool // connections can be taken out of workers
	generation int  // how many rolls there were

	announced bool                // READY=1 was sent
	feed      time.Time           // when WATCHDOG=1 is due; zero: never
	roll      *roll               // nil if none is under way
	ask       func() (int, error) // asks the executable for its protocol; nil: it is the same
	asking    bool                // a goroutine waits for the answer
	stopping  bool
	urgency   urgency
	stage     int // of the pools that stop now
	failure   error
}

// Run runs the pools until it is told to stop: by a signal, or by the end of
// ctx, which counts as the first one. It returns nil after an orderly stop,
// however workers had to be ended, and an error if the service could not start.
// The sockets stay open; the caller releases them.
func Run(ctx context.Context, c Config) error {
	if err := c.Validate(); err != nil {
		return fmt.Errorf("master: %w", err)
	}
	c, err := c.withDefaults()
	if err != nil {
		return fmt.Errorf("master: %w", err)
	}
	m := &master{Config: c, boot: bootID(), events: make(chan func())}
	defer m.queueLog()()
	if err := m.layOut(); err != nil {
		return fmt.Errorf("master: %w", err)
	}
	if m.spawner, err = newSpawner(c); err != nil {
		return errors.Join(fmt.Errorf("master: %w", err), m.fold())
	}
	m.recorder = newQueue(func(write func()) { write() })
	m.notifier = newQueue(c.Notify)

	var wg sync.WaitGroup
	wg.Go(m.spawner.run)
	wg.Go(m.recorder.run)
	wg.Go(m.notifier.run)
	witnessing, silence := context.WithCancel(context.WithoutCancel(ctx))
	m.witness(witnessing, &wg)
	err = m.own(ctx)
	silence()
	close(m.spawner.orders)
	m.recorder.close()
	m.notifier.close()
	m.drainEvents(&wg)
	return errors.Join(err, m.fold())
}

// witness answers who asks for the stacks of this process, until ctx ends.
func (m *master) witness(ctx context.Context, wg *sync.WaitGroup) {
	s, err := selfdump.Listen(selfdump.Config{Name: func() string { return "master" }, Taker: selfdump.NewTaker(nil)})
	if err != nil {
		m.Log.Warn("this process cannot be asked for its stacks", watchdog.KeyError, err)
		return
	}
	wg.Go(func() { _ = s.Run(ctx) }) // fails only if something else closes its socket
}

// layOut makes the scoreboard, and pools and places to it.
func (m *master) layOut() error {
	if err := m.clearStderr(); err != nil {
		return err
	}
	l := scoreboard.Layout{Counters: m.Counters, Routes: m.Routes}
	for _, p := range m.Pools {
		l.Pools = append(l.Pools, scoreboard.PoolLayout{Name: p.Name, Regions: p.Regions(), Slots: p.Slots})
	}
	var err error
	if m.board, m.memory, err = scoreboard.Create(l); err != nil {
		return err
	}
	m.board.Master().Begin(time.Now())
	for _, p := range m.Pools {
		board, err := m.board.Pool(p.Name)
		if err != nil {
			return errors.Join(err, m.fold())
		}
		kept := newPool(p, board)
		m.pools, m.places = append(m.pools, kept), append(m.places, kept.all()...)
	}
	if err := m.publish(); err != nil {
		return errors.Join(err, m.fold())
	}
	return nil
}

func (m *master) publish() error {
	if m.Place == "" {
		return nil
	}
	place, err := locate.Self(m.memory)
	if err != nil {
		return err
	}
	return locate.Write(m.Place, place)
}

// fold gives the scoreboard back.
func (m *master) fold() error {
	var hidden error
	if m.Place != "" {
		hidden = locate.Remove(m.Place)
	}
	return errors.Join(hidden, m.board.Close(), m.memory.Close())
}

// drainEvents runs what still arrives, from the recorder for instance, until
// all goroutines are gone.
func (m *master) drainEvents(wg *sync.WaitGroup) {
	gone := make(chan struct{})
	go func() { // ends with the goroutines that it waits for
		defer close(gone)
		m.attended.Wait()
		wg.Wait()
	}()
	for {
		select {
		case f := <-m.events:
			f()
		case <-gone:
			return
		}
	}
}

// own is the owner loop. It ends when it was told to stop and no child is left.
func (m *master) own(ctx context.Context) error {
	signals, unsubscribe := m.subscribe()
	defer unsubscribe()
	timer := time.NewTimer(0)
	defer timer.Stop()
	if m.Protocol != nil {
		asked, cancel := context.WithCancel(context.WithoutCancel(ctx))
		defer cancel()
		m.ask = func() (int, error) {
			limited, cancel := context.WithTimeout(asked, askLimit)
			defer cancel()
			return m.Protocol(limited)
		}
	}
	if m.WatchdogEvery > 0 {
		m.feed = time.Now().Add(m.WatchdogEvery)
	}
	if slices.ContainsFunc(m.pools, (*pool).guarded) {
		m.tickDue = time.Now().Add(tickEvery)
		m.movable = process.CanSeize() == nil
	}
	m.adopt()
	for _, p := range m.places {
		m.spawn(p)
	}
	done := ctx.Done()
	for !m.over() {
		select {
		case f := <-m.events:
			f()
		case s := <-signals:
			m.signal(s)
		case s := <-m.Signals:
			m.signal(s)
		case <-done:
			done = nil
			m.stop("the service stops")
		case <-timer.C:
		}
		timer.Reset(m.pass(time.Now()))
	}
	return m.failure
}

// askLimit is how long the executable may take to say its protocol.
const askLimit = 10 * time.Second

// subscribe returns the process' signals: those that steer the service, unless
// they come from elsewhere, and those of its children, if orphans are reaped. PIPE is received so that a log nobody reads becomes an error
// of write(2), not the end of the service.
func (m *master) subscribe() (signals <-chan os.Signal, unsubscribe func()) {
	c := make(chan os.Signal, 16)
	var wanted []os.Signal
	if m.ReapOrphans {
		// Refused only by kernels before 3.4.
		_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
		wanted = append(wanted, unix.SIGCHLD)
	}
	if m.Signals == nil {
		wanted = append(wanted, unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGPIPE)
	}
	if len(wanted) > 0 {
		signal.Notify(c, wanted...)
	}
	return c, func() { signal.Stop(c) }
}

func (m *master) signal(s os.Signal) {
	switch s {
	case unix.SIGTERM, unix.SIGINT:
		m.stop("the service was stopped by " + unix.SignalName(s.(unix.Signal)))
	case unix.SIGHUP:
		m.startRoll()
	case unix.SIGCHLD:
		m.reapOrphans()
	}
}

// pass does what is due and returns how long nothing else is.
func (m *master) pass(now time.Time) time.Duration {
	late := m.late(now)
	next := now.Add(time.Hour)
	sooner := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	if !m.tickDue.IsZero() && !now.Before(m.tickDue) {
		m.tick(late)
		m.tickDue = now.Add(m.nextTick())
	}
	sooner(m.tickDue)
	for _, p := range m.places {
		if !p.restart.IsZero() && !now.Before(p.restart) {
			m.spawn(p)
		}
		sooner(p.restart)
		p.children(func(c *child) {
			if !c.due.IsZero() && !now.Before(c.due) {
				m.escalate(c)
			}
			sooner(c.due)
		})
	}
	if m.roll != nil && !m.roll.retry.IsZero() && !now.Before(m.roll.retry) {
		m.rollAgain()
	}
	if m.roll != nil {
		sooner(m.roll.retry)
	}
	if !m.feed.IsZero() && !now.Before(m.feed) {
		m.notifier.put("WATCHDOG=1")
		m.feed = now.Add(m.WatchdogEvery)
	}
	sooner(m.feed)
	m.expected = next
	m.board.Master().SetLost(m.unlogged.Load() + m.LogLost())
	m.board.Master().Pass()
	return time.Until(next)
}

// late is by how much this pass comes later than it should have, if that is
// more than can be tolerated. Then all times move.
func (m *master) late(now time.Time) time.Duration {
	if m.expected.IsZero() || now.Sub(m.expected) <= tolerable {
		return 0
	}
	late := now.Sub(m.expected)
	m.slept(late)
	return late
}
