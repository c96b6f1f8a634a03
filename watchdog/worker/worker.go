package worker

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/handoff"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// Why a worker ends; see [context.Cause].
var (
	ErrDrain      = errors.New("told to finish and go")
	ErrStop       = errors.New("told to stop now")
	ErrMasterGone = errors.New("the master is gone")
)

// Config is what a worker must know before its master tells it the rest.
type Config struct {
	Log *slog.Logger // required
	// Counters names the scoreboard's counters; the same as the master's.
	Counters []string
}

// Worker is this process as its master sees it.
type Worker struct {
	log      *slog.Logger
	manifest handoff.Manifest
	control  *handoff.Control
	board    *scoreboard.Board
	region   *scoreboard.Region

	listeners map[string]net.Listener
	doorbells map[string]*handoff.Doorbell
}

// Start claims the inheritance. It must come before anything that opens a
// descriptor or starts a process, and can be called once. In a process that no
// master started it returns [handoff.ErrNoManifest]; when the master died in
// the meantime, [ErrMasterGone].
func Start(c Config) (*Worker, error) {
	in, err := handoff.Claim()
	if err != nil {
		return nil, err
	}
	if os.Getppid() != in.Manifest.Master {
		return nil, ErrMasterGone
	}
	board, err := scoreboard.Open(in.Scoreboard, c.Counters)
	if err != nil {
		return nil, errors.Join(err, in.Control.Send(handoff.Message{Kind: handoff.MessageFailed, Text: err.Error()}))
	}
	if err := in.Scoreboard.Close(); err != nil {
		return nil, fmt.Errorf("close scoreboard file: %w", err)
	}
	w := &Worker{
		manifest: in.Manifest, control: in.Control, board: board,
		listeners: in.Listeners, doorbells: in.Doorbells,
	}
	w.log = c.Log.With(watchdog.KeyWorker, w.ID().String())
	w.region, err = board.Region(w.ID())
	return w, err
}

// ID returns the place in the pool that the worker fills.
func (w *Worker) ID() watchdog.ID { return w.manifest.ID() }

// Incarnation counts the processes that filled this place, from 1.
func (w *Worker) Incarnation() uint64 { return w.manifest.Incarnation }

// Listeners returns the inherited sockets by name. Closing one ends accepting
// here; the socket lives on in the master and in the other workers.
func (w *Worker) Listeners() map[string]net.Listener { return maps.Clone(w.listeners) }

// Doorbell returns a doorbell of the pool, nil if it does not list that name.
func (w *Worker) Doorbell(name string) *handoff.Doorbell { return w.doorbells[name] }

// Region returns this worker's part of the scoreboard. Its counters already
// hold what earlier incarnations counted.
func (w *Worker) Region() *scoreboard.Region { return w.region }

// Board returns the scoreboard of the whole service, to read.
func (w *Worker) Board() *scoreboard.Board { return w.board }

// Ready tells the master that the worker does its work. Only the first call counts.
func (w *Worker) Ready() error {
	return w.control.Send(handoff.Message{Kind: handoff.MessageReady})
}
