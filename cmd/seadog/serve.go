package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/seadog/seadog/cmd/seadog/config"
	"github.com/seadog/seadog/cmd/seadog/console"
	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/handoff"
	"github.com/seadog/seadog/watchdog/journal"
	"github.com/seadog/seadog/watchdog/master"
)

// Names that master and workers agree on.
const (
	poolHTTP   = "http"
	poolRunner = "runner"
	poolAdmin  = "admin"

	bellRunners = "runners" // something was queued
	bellAdmin   = "admin"   // a process died

	listenerAdmin = "admin"
)

// What lies in the data directory because of the watchdog.
const (
	journalDir   = "journal"
	deathsFile   = "deaths.jsonl"
	incidentsDir = "incidents"
	stderrDir    = "stderr"
	placeFile    = "master.json"
)

// Keys of log lines that only the service as a whole has.
const (
	keyVersion = "version"
	keyConfig  = "config"
	keyListen  = "listen"
	keyAdmin   = "admin"
)

// listenerHTTP names a socket by its address, so that a worker with another
// configuration than its master's notices.
func listenerHTTP(l config.Listener) string { return "http " + l.String() }

func newServeCommand(e *env) *cobra.Command {
	var path string
	var insecure bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the service",
		Long: `Runs the service: a master that holds the listening sockets and watches its
workers, HTTP workers that make webhooks durable, runners that deploy, and an
admin process with metrics and health.

SIGHUP replaces all workers, one at a time, from the configuration and the
binary on disk; addresses, numbers of workers and stop_grace need a restart. SIGTERM finishes what is under way; the second one stops it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serve(context.WithoutCancel(cmd.Context()), e, path, insecure)
		},
	}
	cmd.Flags().StringVarP(&path, "config", "c", "", "configuration `file` (default: $SEADOG_CONFIG, ./seadog.yml or /etc/seadog/seadog.yml)")
	cmd.Flags().BoolVar(&insecure, "insecure", false, "start although there is a webhook without a secret, or no API token")
	return cmd
}

// serve is the master. It knows sockets, pools and signals; what the workers
// do is written in worker.go.
func serve(ctx context.Context, e *env, path string, insecure bool) error {
	cfg, err := config.Load(path, config.Options{Getenv: e.Getenv, Insecure: insecure})
	if err != nil {
		return err
	}
	broken, err := sabotageOf(e)
	if err != nil {
		return err
	}
	broken.service(cfg)
	out := openConsole(e, cfg)
	defer out.Close()
	log := out.Log()
	if len(broken) > 0 {
		log.Warn("this service is sabotaged on purpose and must not be used", keySabotage, broken.String())
	}
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	deaths, incidents, err := openJournals(cfg.Data)
	if err != nil {
		return err
	}
	defer deaths.Close()
	sockets, err := handoff.Listen(ctx, socketSpecs(cfg))
	if err != nil {
		return err
	}
	bells, err := doorbells()
	if err != nil {
		return errors.Join(err, sockets.Release())
	}
	log.Info("seadog starts", keyVersion, versionText(), keyConfig, cfg.File, keyListen, fmt.Sprint(cfg.Listen), keyAdmin, cfg.Admin.String())
	err = master.Run(ctx, master.Config{
		Executable: executable,
		Self:       e.Args,
		Env:        e.Environ(),
		Pools:      pools(cfg, insecure),
		Sockets:    sockets,
		Doorbells:  bells,
		Counters:   counterNames(),
		Routes:     routeNames(),
		Stderr:     filepath.Join(cfg.Data, stderrDir),
		Place:      filepath.Join(cfg.Data, placeFile),
		Protocol:   func(ctx context.Context) (int, error) { return protocolOf(ctx, executable) },
		Record: func(d watchdog.Death) error {
			defer bellByName(bells, bellAdmin).Ring()
			return deaths.Append(d)
		},
		Incident:    incidents.Write,
		Log:         log,
		LogLost:     out.Dropped,
		ReapOrphans: true,
	})
	return errors.Join(err, sockets.Release())
}

// openJournals opens what the master writes down in the data directory.
func openJournals(data string) (*journal.Journal, *journal.Incidents, error) {
	for _, dir := range []string{journalDir, stderrDir} {
		if err := os.MkdirAll(filepath.Join(data, dir), 0o700); err != nil {
			return nil, nil, fmt.Errorf("make the data directory: %w", err)
		}
	}
	incidents, err := journal.NewIncidents(journal.IncidentsConfig{Dir: filepath.Join(data, incidentsDir)})
	if err != nil {
		return nil, nil, err
	}
	deaths, err := journal.Open(journal.Config{Path: filepath.Join(data, journalDir, deathsFile)})
	return deaths, incidents, err
}

// openConsole returns where the log goes, and says there what is doubtful in the configuration.
func openConsole(e *env, cfg *config.Config) *console.Console {
	out := console.New(e.Stdout)
	out.Configure(console.Format(cfg.Log.Format), cfg.Log.Level)
	for _, w := range cfg.Warnings {
		out.Log().Warn("configuration", deployer.KeyError, w.Error())
	}
	return out
}

func socketSpecs(cfg *config.Config) []handoff.Spec {
	specs := []handoff.Spec{{Name: listenerAdmin, Address: cfg.Admin.String()}}
	for _, l := range cfg.Listen {
		specs = append(specs, handoff.Spec{Name: listenerHTTP(l), Address: l.String()})
	}
	return specs
}

func doorbells() ([]*handoff.Doorbell, error) {
	var bells []*handoff.Doorbell
	for _, name := range []string{bellRunners, bellAdmin} {
		bell, err := handoff.NewDoorbell(name)
		if err != nil {
			return nil, err
		}
		bells = append(bells, bell)
	}
	return bells, nil
}

func bellByName(bells []*handoff.Doorbell, name string) *handoff.Doorbell {
	for _, b := range bells {
		if b.Name() == name {
			return b
		}
	}
	return nil
}

// httpEnv lets HTTP workers collect garbage less often than Go does by itself:
// their heap is small and their garbage short-lived, and in a burst collecting
// it cost more than a tenth of the time. A limit keeps a flood from making use of
// that: the one that goes with recycling, or else this.
func httpEnv(r watchdog.Recycle) []string {
	if r.Memory > 0 {
		return []string{"GOGC=400"}
	}
	return []string{"GOGC=400", "GOMEMLIMIT=512MiB"}
}

// A runner is busy with one step at a time. It may go longer without a
// heartbeat than a worker with clients: what it builds can take all processors.
const (
	runnerSlots  = 1
	runnerFrozen = 15 * time.Second
)

// killSlack is what a runner may take, beyond the grace of its step, to write
// down how the deployment ended.
const killSlack = 10 * time.Second

// pools describes the workers. HTTP workers and runners end first and together,
// so that nothing is taken in that nobody will run; admin ends last, because
// it answers how the others are.
func pools(cfg *config.Config, insecure bool) []watchdog.Pool {
	args := func(kind string) []string {
		args := []string{"worker", kind, "--config", cfg.File, "--data", cfg.Data}
		if insecure {
			args = append(args, "--insecure")
		}
		return args
	}
	http := watchdog.Pool{
		Name: poolHTTP, Count: cfg.HTTPWorkers, Args: args(poolHTTP),
		Doorbells: []string{bellRunners}, StopGrace: 15 * time.Second, Env: httpEnv(cfg.Watchdog.Policy.Recycle),
		Slots: cfg.Limits.Connections, Spare: cfg.Watchdog.Spare, Policy: cfg.Watchdog.Policy,
	}
	for _, l := range cfg.Listen {
		http.Listeners = append(http.Listeners, listenerHTTP(l))
	}
	grace := killSlack
	for _, p := range cfg.Projects {
		grace = max(grace, p.Steps.Grace+killSlack)
	}
	return []watchdog.Pool{
		http,
		{
			Name: poolRunner, Count: cfg.Runners, Args: args(poolRunner), Doorbells: []string{bellRunners},
			StopGrace: cfg.StopGrace, KillGrace: grace, Patient: true,
			Slots: runnerSlots, Policy: watchdog.Policy{Frozen: runnerFrozen},
			DeathSignal: syscall.SIGTERM, // it has children of its own to end
		},
		{
			Name: poolAdmin, Count: 1, Args: args(poolAdmin), Listeners: []string{listenerAdmin},
			Doorbells: []string{bellRunners, bellAdmin}, StopStage: 1, StopGrace: 15 * time.Second,
		},
	}
}
