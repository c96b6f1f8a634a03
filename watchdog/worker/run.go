package worker

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog/handoff"
)

const (
	beatEvery   = 100 * time.Millisecond
	parentEvery = time.Second
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
	defer func() {
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

// orders carries what the outside wants to the two contexts.
type orders struct {
	worker *Worker
	drain  context.CancelCauseFunc
	stop   context.CancelCauseFunc
	over   chan struct{} // closed when serve has returned

	orphaned sync.Once
}

// beat ends with over.
func (o *orders) beat() {
	w := o.worker
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	parent := time.NewTicker(parentEvery)
	defer parent.Stop()
	for {
		w.region.Beat(w.manifest.Incarnation)
		select {
		case <-beat.C:
		case <-parent.C:
			// Against the initial value: 1 can be the master itself.
			if os.Getppid() != w.manifest.Master {
				o.masterGone()
				return
			}
		case <-o.over:
			return
		}
	}
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
		switch m.Kind {
		case handoff.MessageDrain:
			o.drain(ErrDrain)
		case handoff.MessageStop:
			o.stop(ErrStop) // ends intake, too
		}
	}
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
