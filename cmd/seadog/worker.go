package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/seadog/seadog/cmd/seadog/config"
	"github.com/seadog/seadog/cmd/seadog/console"
	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/engine"
	"github.com/seadog/seadog/deployer/metrics"
	"github.com/seadog/seadog/deployer/process"
	"github.com/seadog/seadog/watchdog/worker"
)

// job is one worker process while it works.
type job struct {
	*worker.Worker
	cfg    *config.Config
	env    *env
	broken sabotage
	log    *slog.Logger

	recorder *metrics.Recorder // counts in this worker's region
}

// serveFunc does a worker's work; see [worker.Worker.Run] for its contexts.
type serveFunc func(j job, intake, work context.Context) error

// newWorkerCommand holds the commands that the master starts; nobody else can.
func newWorkerCommand(e *env) *cobra.Command {
	parent := &cobra.Command{Use: "worker", Hidden: true, Short: "Started by the master, never by hand"}
	for kind, serve := range map[string]serveFunc{poolHTTP: serveHTTP, poolRunner: serveRunner, poolAdmin: serveAdmin} {
		var o workerOptions
		cmd := &cobra.Command{
			Use:  kind,
			Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				return runWorker(cmd.Context(), e, o, serve)
			},
		}
		cmd.Flags().StringVar(&o.config, "config", "", "configuration file")
		cmd.Flags().StringVar(&o.data, "data", "", "data directory, known before the configuration is read")
		cmd.Flags().BoolVar(&o.insecure, "insecure", false, "as given to serve")
		parent.AddCommand(cmd)
	}
	return parent
}

type workerOptions struct {
	config   string
	data     string
	insecure bool
}

// runWorker claims the inheritance first, so that nothing this process opens or
// starts can keep a listening socket, and then does the work. Its signals are
// the watchdog's business, so ctx may not end by one.
func runWorker(ctx context.Context, e *env, o workerOptions, serve serveFunc) error {
	broken, err := sabotageOf(e)
	if err != nil {
		return err
	}
	out := console.New(e.Stdout)
	defer out.Close()
	w, err := worker.Start(worker.Config{
		Log: broken.log(out, e.Stdout), CountLost: out.Count, Counters: counterNames(), Routes: routeNames(), Incidents: filepath.Join(o.data, incidentsDir),
	})
	if err != nil {
		return err
	}
	return w.Run(context.WithoutCancel(ctx), func(intake, work context.Context) error {
		cfg, err := config.Load(o.config, config.Options{Getenv: e.Getenv, Insecure: o.insecure})
		if err != nil {
			return err
		}
		broken.service(cfg)
		out.Configure(console.Format(cfg.Log.Format), cfg.Log.Level)
		return serve(job{Worker: w, cfg: cfg, env: e, broken: broken, log: w.Log(), recorder: newRecorder(w.Region())}, intake, work)
	})
}

// backends are what runners and the admin process work with.
type backends struct {
	self   deployer.Owner
	store  deployer.Store
	engine *engine.Client
}

func (j job) backends(ctx context.Context) (backends, error) {
	self, err := process.Self(j.cfg.Node)
	if err != nil {
		return backends{}, err
	}
	docker, err := openEngine(j)
	if err != nil {
		return backends{}, err
	}
	store, err := openStore(ctx, j.cfg, j.recorder.Stored, j.log)
	if err != nil {
		return backends{}, errors.Join(err, docker.Close())
	}
	return backends{self, store, docker}, nil
}

func (s backends) close() error { return errors.Join(s.store.Close(), s.engine.Close()) }

func openEngine(j job) (*engine.Client, error) {
	return engine.New(engine.Config{Host: engineHost(j), CallTimeout: j.broken.patience(j.cfg.Docker.Timeout), Log: j.log, Observer: j.recorder})
}

// engineHost is the engine that Compose deploys to and that is observed. Docker
// contexts are not followed: both must speak of the same one.
func engineHost(j job) string {
	return cmp.Or(j.cfg.Docker.Host, j.env.Getenv("DOCKER_HOST"), "unix:///var/run/docker.sock")
}

// projects returns the projects by name.
func (j job) projects() map[string]deployer.Project {
	byName := make(map[string]deployer.Project, len(j.cfg.Projects))
	for _, p := range j.cfg.Projects {
		byName[p.Name] = p
	}
	return byName
}
