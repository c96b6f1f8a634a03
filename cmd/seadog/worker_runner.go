package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/process"
	"github.com/seadog/seadog/deployer/runner"
	"github.com/seadog/seadog/deployer/transcript"
)

// serveRunner is a runner: one deployment at a time, every step a child that can be killed.
func serveRunner(j job, intake, work context.Context) (err error) {
	if err := process.Adopt(); err != nil {
		return err
	}
	backends, err := j.backends(work)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, backends.close()) }()
	r, err := runner.New(runner.Config{
		Owner:    backends.self,
		Store:    backends.store,
		Engine:   backends.engine,
		Projects: j.projects(),
		Data:     j.cfg.Data,
		Env:      childEnv(j, j.cfg.Docker.Env),
		GitEnv:   childEnv(j, j.cfg.Git.Env),
		Book:     transcript.Book{Dir: filepath.Join(j.cfg.Data, "logs")},
		Redactor: transcript.NewRedactor(j.cfg.Secrets()...),
		Exec:     process.Run,
		Wait:     func(ctx context.Context, longest time.Duration) { j.Doorbell(bellRunners).Wait(ctx, longest) },
		Watch:    newStepWatch(j.Region(), j.recorder),
		StepLog:  j.cfg.Limits.StepLog,
		Log:      j.log,
		Now:      time.Now,
	})
	if err != nil {
		return err
	}
	if err := j.Ready(); err != nil {
		j.log.Warn("master was not told", deployer.KeyError, err)
	}
	ctx, stop := asShutdown(work)
	defer stop()
	return r.Run(intake, ctx)
}

// asShutdown returns a context that ends with work, with a cause that the
// runner understands: the deployment is interrupted and runs again.
func asShutdown(work context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(work))
	detach := context.AfterFunc(work, func() {
		cancel(&process.Stop{Cause: deployer.CauseShutdown, Reason: "the service was stopped", Err: context.Cause(work)})
	})
	return ctx, func() { detach(); cancel(nil) }
}

// childEnv is the environment of git or Compose: what they need to find their
// programs, their user's settings and the engine, and the variables that the
// configuration passes on to the one or the other. Nothing else of the service's own
// environment reaches them, so neither do its secrets.
func childEnv(j job, passed []string) []string {
	names := append([]string{
		"PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR",
		"XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY",
	}, passed...)
	var env []string
	seen := map[string]bool{}
	set := func(name, value string) {
		if value != "" && !seen[name] {
			seen[name] = true
			env = append(env, name+"="+value)
		}
	}
	// Compose must deploy to the engine that is observed.
	set("DOCKER_HOST", engineHost(j))
	set("DOCKER_CONFIG", j.cfg.Docker.Config)
	for _, name := range names {
		set(name, j.env.Getenv(name))
	}
	return env
}
