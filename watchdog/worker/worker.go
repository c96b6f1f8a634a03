package worker

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"slices"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/deadlock"
	"github.com/seadog/seadog/watchdog/guard"
	"github.com/seadog/seadog/watchdog/handoff"
	"github.com/seadog/seadog/watchdog/journal"
	"github.com/seadog/seadog/watchdog/lock"
	"github.com/seadog/seadog/watchdog/scoreboard"
	"github.com/seadog/seadog/watchdog/selfdump"
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
	// CountLost is given what to call for lines of the log that were lost. May be nil.
	CountLost func(add func(lines uint64))
	// Counters and Routes name the scoreboard's; the same as the master's.
	Counters []string
	Routes   []string
	// Incidents is the directory where incidents are written; none are if it is "".
	Incidents string
	// Locks are the tracked locks of this process; may be nil.
	Locks *lock.Graph
}

// Worker is this process as its master sees it.
type Worker struct {
	log      *slog.Logger
	manifest handoff.Manifest
	control  *handoff.Control
	board    *scoreboard.Board
	region   *scoreboard.Region
	guard    *guard.Guard       // nil if the pool is not guarded
	detector *deadlock.Detector // nil if the pool is not guarded
	taker    *selfdump.Taker

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
	w, err := start(c, in)
	if err != nil {
		return nil, errors.Join(err, in.Control.Send(handoff.Message{Kind: handoff.MessageFailed, Text: err.Error()}))
	}
	return w, nil
}

func start(c Config, in *handoff.Inheritance) (*Worker, error) {
	board, err := scoreboard.Open(in.Scoreboard)
	if err != nil {
		return nil, err
	}
	if err := in.Scoreboard.Close(); err != nil {
		return nil, fmt.Errorf("close scoreboard file: %w", err)
	}
	if l := board.Layout(); !slices.Equal(l.Counters, c.Counters) || !slices.Equal(l.Routes, c.Routes) {
		return nil, errors.New("the scoreboard was made for other counters or routes: restart the service")
	}
	pool, err := board.Pool(in.Manifest.Pool)
	if err != nil {
		return nil, err
	}
	region, err := pool.Region(in.Manifest.Region)
	if err != nil {
		return nil, err
	}
	w := &Worker{
		log: c.Log, manifest: in.Manifest, control: in.Control, board: board, region: region,
		listeners: in.Listeners, doorbells: in.Doorbells, taker: selfdump.NewTaker(region),
	}
	w.log = slog.New(named{c.Log.Handler(), region})
	if c.CountLost != nil {
		c.CountLost(func(lines uint64) { region.Count(scoreboard.LogLost, lines) })
	}
	if len(region.Slots()) == 0 {
		return w, nil
	}
	return w, w.watch(c)
}

// watch makes what watches over the requests of this worker.
func (w *Worker) watch(c Config) error {
	incidents, err := w.recorder(c.Incidents)
	if err != nil {
		return err
	}
	w.detector, err = deadlock.New(deadlock.Config{
		Region: w.region, Routes: c.Routes, Graph: c.Locks, Record: incidents, Taker: w.taker, Log: w.log,
	})
	if err != nil {
		return err
	}
	w.guard, err = guard.New(guard.Config{
		Region: w.region, Policy: w.manifest.Policy, Routes: c.Routes, Killed: w.detector.Killed, Log: w.log,
	})
	return err
}

func (w *Worker) recorder(dir string) (func(watchdog.Incident, []byte) error, error) {
	if dir == "" {
		return func(watchdog.Incident, []byte) error { return nil }, nil
	}
	incidents, err := journal.NewIncidents(journal.IncidentsConfig{Dir: dir})
	if err != nil {
		return nil, err
	}
	return incidents.Write, nil
}

// ID returns the place in the pool that the worker fills; a spare has index -1
// until it is promoted.
func (w *Worker) ID() watchdog.ID { return w.region.ID() }

// Incarnation counts the processes of this pool, from 1.
func (w *Worker) Incarnation() uint64 { return w.manifest.Incarnation }

// Listeners returns the inherited sockets by name. Those of a guarded pool
// accept only when the master says so, and their connections are guarded.
// Closing one ends accepting here; the socket lives on in the master and in
// the other workers.
func (w *Worker) Listeners() map[string]net.Listener {
	listeners := maps.Clone(w.listeners)
	if w.guard != nil {
		for name, l := range listeners {
			listeners[name] = w.guard.Listen(l)
		}
	}
	return listeners
}

// Inherited returns the sockets as they came, for who puts something between
// them and the guard: TLS, above all.
func (w *Worker) Inherited() map[string]net.Listener { return maps.Clone(w.listeners) }

// Guard returns what watches over this worker's requests; nil if its pool has
// no slots.
func (w *Worker) Guard() *guard.Guard { return w.guard }

// Doorbell returns a doorbell of the pool, nil if it does not list that name.
func (w *Worker) Doorbell(name string) *handoff.Doorbell { return w.doorbells[name] }

// Region returns this worker's part of the scoreboard. Its counters already
// hold what earlier incarnations counted.
func (w *Worker) Region() *scoreboard.Region { return w.region }

// Board returns the scoreboard of the whole service, to read.
func (w *Worker) Board() *scoreboard.Board { return w.board }

// Ready tells the master that the worker can do its work. Only the first call counts.
func (w *Worker) Ready() error {
	return w.control.Send(handoff.Message{Kind: handoff.MessageReady})
}
