package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/process"
	"github.com/seadog/seadog/deployer/transcript"
)

const (
	defaultKeep      = 3
	defaultHeartbeat = 2 * time.Second
	defaultLeaseTTL  = 30 * time.Second
	pollInterval     = time.Second // the net below the doorbell
	storeTimeout     = 10 * time.Second
	defaultStepLog   = 16 << 20 // bytes
)

// Store is what a runner needs of [deployer.Store].
type Store interface {
	deployer.Queue
	Deployment(ctx context.Context, id int64) (deployer.Deployment, error)
	Deployments(ctx context.Context, f deployer.DeploymentFilter) ([]deployer.Deployment, error)
	LastHealthy(ctx context.Context, project string, before int64) (deployer.Deployment, error)
}

// Watch looks at a runner from outside. Its methods must not block.
type Watch interface {
	// Step is told that a step begins, which must be over after limit, and 0 if
	// it has no limit; it returns what is called at its end. How it ended is said
	// with the status that a deployment gets for it.
	Step(d deployer.Deployment, step deployer.Step, limit time.Duration) (over func(deployer.Status))
	// Group is told the process group of the command that runs, and 0 when it
	// is gone.
	Group(pgid int)
	// Over is told that a deployment has ended, and that this was written down.
	Over(d deployer.Deployment, end deployer.Status, took time.Duration)
}

// unwatched is nobody.
type unwatched struct{}

func (unwatched) Step(deployer.Deployment, deployer.Step, time.Duration) func(deployer.Status) {
	return func(deployer.Status) {}
}
func (unwatched) Group(int)                                                {}
func (unwatched) Over(deployer.Deployment, deployer.Status, time.Duration) {}

// Config is everything that a [Runner] depends on.
type Config struct {
	Owner    deployer.Owner
	Store    Store
	Engine   Engine
	Projects map[string]deployer.Project
	Data     string   // directory of mirrors and worktrees
	GitEnv   []string // environment of git
	Env      []string // environment of Compose, before a project's own
	Book     transcript.Book
	Redactor *transcript.Redactor
	Exec     process.Exec // process.Run
	Log      *slog.Logger
	Now      func() time.Time

	// Watch is told what the runner is busy with, so that somebody else can see
	// when it is stuck. May be nil.
	Watch Watch

	// Wait returns when there may be something to claim, after max, or when ctx ends.
	Wait func(ctx context.Context, max time.Duration)

	StepLog   int64         // bytes kept of what one step prints; 16 MiB if 0
	Heartbeat time.Duration // 2 s if 0
	LeaseTTL  time.Duration // 30 s if 0; must not exceed the reaper's
}

// Validate says which required field is missing.
func (c Config) Validate() error {
	switch {
	case c.Owner.PID == 0 || c.Owner.Boot == "":
		return errors.New("runner: no owner")
	case c.Store == nil || c.Engine == nil || c.Exec == nil || c.Wait == nil || c.Log == nil || c.Now == nil || c.Redactor == nil:
		return errors.New("runner: incomplete configuration")
	case c.Data == "" || c.Book.Dir == "":
		return errors.New("runner: no data directory")
	}
	return nil
}

// Runner claims deployments one at a time. Use one per process.
type Runner struct {
	cfg   Config
	names []string

	// unsettled is true when a deployment may be recorded as this runner's that
	// it does not know of, or knows no end of.
	unsettled bool
}

// New returns a runner for the projects of c.
func New(c Config) (*Runner, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Heartbeat == 0 {
		c.Heartbeat = defaultHeartbeat
	}
	if c.LeaseTTL == 0 {
		c.LeaseTTL = defaultLeaseTTL
	}
	if c.StepLog == 0 {
		c.StepLog = defaultStepLog
	}
	if c.Watch == nil {
		c.Watch = unwatched{}
	}
	// Not nil, even without a project: nil would mean any.
	names := slices.AppendSeq([]string{}, maps.Keys(c.Projects))
	slices.Sort(names)
	return &Runner{cfg: c, names: names}, nil
}

// Run claims and runs deployments until intake ends, and returns when the last
// one is over. When work ends, the deployment under way is interrupted: its
// processes are killed and it is queued again. Run always returns nil.
func (r *Runner) Run(intake, work context.Context) error {
	for intake.Err() == nil {
		d, err := r.claim(intake)
		switch {
		case err == nil:
			r.deploy(work, d)
		case errors.Is(err, deployer.ErrNothingQueued):
			r.cfg.Wait(intake, pollInterval)
		default:
			// It may have been carried out all the same.
			r.unsettled = true
			r.cfg.Log.Warn("claim failed", deployer.KeyError, err)
			pause(intake, pollInterval)
		}
	}
	return nil
}

func (r *Runner) claim(ctx context.Context) (deployer.Deployment, error) {
	// A claim that succeeded must be known to have: it is not cut off by the end of intake.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	if r.unsettled {
		if err := r.settle(ctx); err != nil {
			return deployer.Deployment{}, err
		}
		r.unsettled = false
	}
	return r.cfg.Store.Claim(ctx, r.cfg.Owner, r.names)
}

// settle ends what is recorded as running here. A runner that asks for work
// runs nothing, and the reaper would wait for long before it doubts one that is alive.
func (r *Runner) settle(ctx context.Context) error {
	running, err := r.cfg.Store.Abandoned(ctx)
	if err != nil {
		return fmt.Errorf("list running deployments: %w", err)
	}
	for _, d := range running {
		if d.Owner == nil || *d.Owner != r.cfg.Owner {
			continue
		}
		result := deployer.Result{
			Status: deployer.Interrupted, Outcome: deployer.OutcomeLeft, Cause: deployer.CauseLeaseExpired,
			Reason: "the store did not answer its runner in time",
		}
		if d.Step == "" {
			result.Outcome = deployer.OutcomeUntouched // claimed, and never begun
		}
		if _, _, err := r.cfg.Store.Reap(ctx, d, result); err != nil {
			return fmt.Errorf("end deployment %d: %w", d.ID, err)
		}
	}
	return nil
}

// deploy runs one deployment to its end and writes it.
func (r *Runner) deploy(work context.Context, d deployer.Deployment) {
	log := r.cfg.Log.With(deployer.KeyDeployment, d.ID, deployer.KeyProject, d.Project)
	log.Info("deployment started", deployer.KeyRef, d.Ref, deployer.KeyCommit, d.Commit, deployer.KeyTrigger, d.Trigger)
	begun := r.cfg.Now()
	s := r.newSession(work, d, log)
	result := s.run()
	err := s.conclude(result)
	s.close()
	if err != nil {
		r.unsettled = true
		log.Error("end of deployment not written", deployer.KeyError, err)
		return
	}
	r.cfg.Watch.Over(d, result.Status, r.cfg.Now().Sub(begun))
	log.Info("deployment over", deployer.KeyStatus, result.Status, deployer.KeyOutcome, result.Outcome, deployer.KeyReason, result.Reason)
}

// finish writes the end. An interrupted deployment goes the reaper's way, which
// places its retry in the same transaction.
func (r *Runner) finish(ctx context.Context, d deployer.Deployment, result deployer.Result) error {
	if result.Status != deployer.Interrupted {
		_, err := r.cfg.Store.Finish(ctx, d.ID, r.cfg.Owner, result)
		return err
	}
	now, err := r.cfg.Store.Heartbeat(ctx, d.ID, r.cfg.Owner)
	if err != nil {
		return err
	}
	if _, ok, err := r.cfg.Store.Reap(ctx, now, result); err != nil {
		return err
	} else if !ok {
		return fmt.Errorf("deployment %d: %w", d.ID, deployer.ErrLeaseLost)
	}
	return nil
}

// pause waits for d or for the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
