package deadlock_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/pprof"
	"strconv"
	"sync"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/deadlock"
	"github.com/seadog/seadog/watchdog/lock"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

var routes = []string{"GET /", "POST /a", "POST /b"}

// report is one call of Record.
type report struct {
	Incident watchdog.Incident
	Dump     string
	After    time.Duration // since the first kill
}

// worker is a process with slots and a detector, without a server.
type worker struct {
	region *scoreboard.Region
	graph  *lock.Graph
	config deadlock.Config

	d       *deadlock.Detector
	reports chan report
	first   sync.Once
	killed  time.Time
}

// newWorker may change the detector's config.
func newWorker(change func(*deadlock.Config)) (*worker, func(), error) {
	board, file, err := scoreboard.Create(scoreboard.Layout{Pools: []scoreboard.PoolLayout{{Name: "http", Regions: 1, Slots: 400}}, Routes: routes})
	if err != nil {
		return nil, nil, err
	}
	pool, err := board.Pool("http")
	if err != nil {
		return nil, nil, err
	}
	w := &worker{graph: lock.New(), reports: make(chan report, 100)}
	if w.region, err = pool.Region(0); err != nil {
		return nil, nil, err
	}
	w.region.Begin(7, 3)
	w.region.SetPID(4711)
	w.region.Use(400)
	w.config = deadlock.Config{Region: w.region, Routes: routes, Graph: w.graph, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	w.config.Record = func(i watchdog.Incident, dump []byte) error {
		w.reports <- report{i, string(dump), time.Since(w.killed)}
		return nil
	}
	if change != nil {
		change(&w.config)
	}
	w.d, err = deadlock.New(w.config)
	return w, func() { _ = errors.Join(board.Close(), file.Close()) }, err
}

// serve runs a request in a slot, on a goroutine of its own that is labelled
// as a server's would be.
func (w *worker) serve(slot, route int, f func(ctx context.Context)) {
	s := &w.region.Slots()[slot]
	token := s.Token().Next(scoreboard.Reading)
	s.Set(token)
	s.Describe(scoreboard.Request{ID: request(slot), Client: "192.0.2.1", Route: route, Begun: scoreboard.Now()})
	s.Set(token.To(scoreboard.Running))
	ctx := lock.WithHolder(context.Background(), lock.Holder{Request: request(slot), Route: routes[route], Slot: slot, Generation: token.Generation()})
	go pprof.Do(ctx, pprof.Labels("slot", strconv.Itoa(slot), "secret", "s3cret"), f)
}

func request(slot int) string { return fmt.Sprintf("r%d", slot) }

// kill gives the request in a slot up.
func (w *worker) kill(incident string, slot, route int) {
	s := &w.region.Slots()[slot]
	s.Set(s.Token().To(scoreboard.Killed))
	w.first.Do(func() { w.killed = time.Now() })
	w.d.Killed(watchdog.Kill{
		Incident: incident, At: time.Now(), Slot: slot, Generation: s.Token().Generation(),
		Request: request(slot), Route: routes[route], Client: "192.0.2.1", Age: 30 * time.Second, Outcome: "504",
	})
}

// end frees a slot.
func (w *worker) end(slot int) {
	s := &w.region.Slots()[slot]
	s.Set(s.Token().Next(scoreboard.Idle))
}
