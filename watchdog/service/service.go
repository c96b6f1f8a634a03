package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/handoff"
	"github.com/seadog/seadog/watchdog/journal"
	"github.com/seadog/seadog/watchdog/lock"
	"github.com/seadog/seadog/watchdog/master"
	"github.com/seadog/seadog/watchdog/worker"
)

// Serve does the work of one worker process. It builds what it needs, calls
// w.Ready, serves until intake is done, finishes what it has begun, and gives
// it up when work is done; see [worker.Worker.Run].
type Serve func(w *worker.Worker, intake, work context.Context) error

// Config describes a service. Master and workers must be given the same.
type Config struct {
	Listen []handoff.Spec
	// Pools of workers; Args are those of this process if they are nil.
	Pools    []watchdog.Pool
	Routes   []string // that latencies are recorded for
	Counters []string // of the scoreboard
	// Data is the directory for what must outlive processes: the journal of
	// deaths, incidents, and what workers write as they die. It is made if it
	// is not there.
	Data  string
	Serve map[string]Serve // by pool
	Locks *lock.Graph      // tracked locks of the program; may be nil
	Log   *slog.Logger     // required

	// For a log that drops lines rather than to wait for its reader: how many
	// those of this process are, and what is to be called for them. May be nil.
	LogLost   func() uint64
	CountLost func(add func(lines uint64))
}

// Names of what lies in Config.Data.
const (
	deathsFile   = "deaths.jsonl"
	incidentsDir = "incidents"
	stderrDir    = "stderr"
	placeFile    = "master.json"
)

// Validate reports what is wrong with c, besides what its parts find themselves.
func (c Config) Validate() error {
	var errs []error
	if c.Log == nil {
		errs = append(errs, errors.New("no logger"))
	}
	if c.Data == "" {
		errs = append(errs, errors.New("no data directory"))
	}
	for _, p := range c.Pools {
		if c.Serve[p.Name] == nil {
			errs = append(errs, fmt.Errorf("pool %s: nothing serves it", p.Name))
		}
	}
	return errors.Join(errs...)
}

// Run is the whole life of this process: that of the master if nobody started
// it as a worker. It returns nil after an orderly stop, by a signal or by the end of ctx.
func Run(ctx context.Context, c Config) error {
	if err := c.Validate(); err != nil {
		return fmt.Errorf("service: %w", err)
	}
	w, err := worker.Start(worker.Config{
		Log: c.Log, Counters: c.Counters, Routes: c.Routes, Locks: c.Locks,
		Incidents: filepath.Join(c.Data, incidentsDir), CountLost: c.CountLost,
	})
	if errors.Is(err, handoff.ErrNoManifest) {
		return c.lead(ctx)
	}
	if err != nil {
		return err
	}
	serve := c.Serve[w.ID().Pool]
	return w.Run(ctx, func(intake, work context.Context) error { return serve(w, intake, work) })
}

// lead is the master.
func (c Config) lead(ctx context.Context) (err error) {
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	for _, dir := range []string{c.Data, filepath.Join(c.Data, stderrDir)} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("make data directory: %w", err)
		}
	}
	deaths, err := journal.Open(journal.Config{Path: filepath.Join(c.Data, deathsFile)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, deaths.Close()) }()
	incidents, err := journal.NewIncidents(journal.IncidentsConfig{Dir: filepath.Join(c.Data, incidentsDir)})
	if err != nil {
		return err
	}
	sockets, err := handoff.Listen(ctx, c.Listen)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sockets.Release()) }()
	return master.Run(ctx, master.Config{
		Executable: executable, Env: os.Environ(), Pools: c.pools(), Sockets: sockets,
		Counters: c.Counters, Routes: c.Routes,
		Stderr: filepath.Join(c.Data, stderrDir), Place: filepath.Join(c.Data, placeFile),
		Record: deaths.Append, Incident: incidents.Write, Log: c.Log, LogLost: c.LogLost,
	})
}

// pools fills in the arguments of workers.
func (c Config) pools() []watchdog.Pool {
	pools := make([]watchdog.Pool, len(c.Pools))
	for i, p := range c.Pools {
		if p.Args == nil {
			p.Args = os.Args[1:]
		}
		pools[i] = p
	}
	return pools
}
