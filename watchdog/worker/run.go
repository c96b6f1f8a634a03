package worker

import (
	"context"
	"errors"
	"net"
	"os"
	"os/signal"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/handoff"
	"github.com/seadog/seadog/watchdog/sched"
	"github.com/seadog/seadog/watchdog/scoreboard"
	"github.com/seadog/seadog/watchdog/selfdump"
)

const (
	quietBeat   = 500 * time.Millisecond
	parentEvery = time.Second - quietBeat/2 // with every second quiet beat
)

// Run calls serve and returns its error, once, when all goroutines of the
// package are gone. The end of ctx is an order to stop. An error is also told
// to the master, so that it stands in the journal.
func (w *Worker) Run(ctx context.Context, serve func(intake, work context.Context) error) error {
	work, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	intake, drain := context.WithCancelCause(work)
	defer drain(nil)
	o := &orders{worker: w, drain: drain, stop: stop, over: make(chan struct{})}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGPIPE)
	defer signal.Stop(signals)

	var wg sync.WaitGroup
	wg.Go(o.beat)
	wg.Go(o.listen)
	wg.Go(func() { o.obey(signals) })
	relax := w.guardian(ctx)
	defer func() {
		relax()
		close(o.over)
		_ = w.control.SetReadDeadline(time.Unix(1, 0)) // ends listen
		wg.Wait()
	}()

	err := serve(intake, work)
	if err != nil && !errors.Is(err, ErrMasterGone) {
		// Nothing better can be done if the master does not hear it.
		_ = w.control.Send(handoff.Message{Kind: handoff.MessageFailed, Text: err.Error()})
	}
	return err
}

// guardian runs guard, detector and what answers for the process from outside,
// until relax is called: they outlive every context of the work, because what is
// stuck is stuck in a drain as well.
func (w *Worker) guardian(ctx context.Context) (relax func()) {
	watching, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var runs []func(context.Context) error
	if w.guard != nil {
		runs = append(runs, w.guard.Run, w.detector.Run)
	}
	witness, err := selfdump.Listen(selfdump.Config{
		Name: func() string { return w.ID().String() }, Taker: w.taker, Routes: w.board.Layout().Routes,
	})
	if err != nil {
		w.log.Warn("this process cannot be asked for its stacks", watchdog.KeyError, err)
	} else {
		runs = append(runs, witness.Run)
	}
	var wg sync.WaitGroup
	for _, run := range runs {
		wg.Go(func() {
			if err := run(watching); err != nil && watching.Err() == nil {
				w.log.Error("the watchdog of this worker ended", watchdog.KeyError, err)
			}
		})
	}
	return func() {
		cancel()
		wg.Wait()
	}
}

// orders carries what the outside wants to the two contexts.
type orders struct {
	worker *Worker
	drain  context.CancelCauseFunc
	stop   context.CancelCauseFunc
	over   chan struct{} // closed when serve has returned

	orphaned sync.Once
}

// beat ends with over. One timer does for both of its duties, and a worker
// without connections beats less often: waking up is nearly all that an idle
// process costs, 0.2 % of a core for ten times a second where this was measured.
// Then it beats when its guard and its detector wake up as well.
func (o *orders) beat() {
	w := o.worker
	timer := time.NewTimer(0)
	defer timer.Stop()
	var scheduler sched.Reader
	var heap memory
	heap.tell(w.region)
	looked := time.Now()
	for {
		every := w.beatEvery()
		w.region.Beat(vitals(scheduler.Read(), every))
		timer.Reset(every)
		select {
		case <-timer.C:
		case <-w.awake():
		case <-o.over:
			return
		}
		if time.Since(looked) < parentEvery {
			continue
		}
		looked = time.Now()
		heap.tell(w.region)
		// Against the initial value: 1 can be the master itself.
		if os.Getppid() != w.manifest.Master {
			o.masterGone()
			return
		}
	}
}

func (w *Worker) beatEvery() time.Duration {
	if w.guard == nil || w.guard.Quiet() {
		return scoreboard.Leisurely(scoreboard.Now(), quietBeat)
	}
	return scoreboard.BeatEvery
}

// awake receives when the next beat must not wait; never if it is nil.
func (w *Worker) awake() <-chan struct{} {
	if w.guard == nil {
		return nil
	}
	return w.guard.Awake()
}

// listen ends with the control socket, or with over through its deadline.
func (o *orders) listen() {
	for {
		m, err := o.worker.control.Receive()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
		if err != nil {
			o.masterGone()
			return
		}
		o.take(m)
	}
}

func (o *orders) take(m handoff.Message) {
	w := o.worker
	switch m.Kind {
	case handoff.MessageAccept:
		if w.guard != nil {
			w.guard.Wake()
		}
	case handoff.MessageAdopt:
		w.adopt(m.File)
	case handoff.MessageDrain:
		if w.guard != nil {
			w.guard.Drain()
		}
		o.drain(ErrDrain)
	case handoff.MessageStop:
		o.stop(ErrStop) // ends intake, too
	}
}

// adopt serves the client of a sibling that cannot any more.
func (w *Worker) adopt(f *os.File) {
	if f == nil {
		return
	}
	conn, err := net.FileConn(f)
	err = errors.Join(err, f.Close())
	if err != nil || w.guard == nil {
		w.log.Warn("a connection was not adopted", watchdog.KeyError, err)
		return
	}
	w.guard.Adopt(conn)
}

// obey ends with over. A terminal's interrupt is the master's business; a TERM
// that a person, or the kernel at the master's death, sends to a worker is an
// order like the master's. PIPE is received so that a log nobody reads becomes
// an error of write(2), not a death.
func (o *orders) obey(signals <-chan os.Signal) {
	for {
		select {
		case s := <-signals:
			if s != unix.SIGTERM {
				continue
			}
			if os.Getppid() != o.worker.manifest.Master {
				o.masterGone()
				continue
			}
			o.drain(ErrDrain)
		case <-o.over:
			return
		}
	}
}

// masterGone stops everything, and makes sure of it: the timer stays armed
// after Run, because what follows Run can hang as well. The log comes last,
// its reader may be gone too.
func (o *orders) masterGone() {
	o.orphaned.Do(func() {
		time.AfterFunc(o.worker.manifest.KillGrace, func() {
			_ = unix.Kill(os.Getpid(), unix.SIGKILL)
		})
		o.stop(ErrMasterGone)
		o.worker.log.Error("the master is gone, stopping")
	})
}
