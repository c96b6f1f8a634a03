package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/seadog/seadog/deployer"
)

// sweepers is how many deployments are reaped at once. Leftovers that ignore
// TERM cost their grace each; after a power cut or the death of the service all
// deployments are lost together, and must not wait for one another.
const sweepers = 16

// Observer counts what the reaper did. Its methods are called concurrently and must not block.
type Observer interface {
	// Reaped is called for every deployment that was ended.
	Reaped(cause deployer.Cause)
}

// abandoned is the part of the store that the reaper needs.
type abandoned interface {
	Abandoned(ctx context.Context) ([]deployer.Deployment, error)
	Reap(ctx context.Context, d deployer.Deployment, r deployer.Result) (deployer.Deployment, bool, error)
}

var _ abandoned = deployer.Store(nil)

// ReaperConfig is what a [Reaper] works with.
type ReaperConfig struct {
	Store abandoned

	// Liveness says whether the process that owns a deployment still runs.
	Liveness func(deployer.Owner) deployer.Liveness

	// Sweep kills every process on this machine that carries marker, and
	// returns how many there were. It runs before the store is told, so that a
	// retry never meets leftovers. It is called concurrently.
	Sweep func(ctx context.Context, marker string) (int, error)

	// Ring wakes the runners; a retry may be waiting for them. May be nil.
	Ring func()

	// Deaths is signalled when a process died. May be nil; Every is the net.
	Deaths <-chan struct{}

	Every       time.Duration // between two passes; 5 s if 0
	TTL         time.Duration // of a lease without a heartbeat; 30 s if 0
	CallTimeout time.Duration // of each call to Store and Sweep; 10 s if 0

	Observer Observer // may be nil
	Log      *slog.Logger
	Now      func() time.Time // time.Now if nil
}

func (c *ReaperConfig) validate() error {
	switch {
	case c.Store == nil:
		return errors.New("reaper: no store")
	case c.Liveness == nil:
		return errors.New("reaper: no liveness")
	case c.Sweep == nil:
		return errors.New("reaper: no sweep")
	case c.Log == nil:
		return errors.New("reaper: no log")
	case c.Every < 0 || c.TTL < 0 || c.CallTimeout < 0:
		return errors.New("reaper: negative duration")
	}
	return nil
}

// Reaper ends deployments whose owner is gone. Only one may run at a time (see
// [Keeper]); two would do no harm, because the store lets only one of them win,
// but they would count twice.
type Reaper struct {
	cfg ReaperConfig

	// answering is since when the store answers without a gap. While the store
	// was away nobody could renew a lease, so silence from before that is no
	// evidence. Zero: it does not answer.
	answering time.Time

	// unswept is since when the leftovers of a deployment resist.
	mu      sync.Mutex
	unswept map[int64]time.Time
}

// NewReaper returns a reaper that does nothing until Run.
func NewReaper(cfg ReaperConfig) (*Reaper, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg.Every = orDefault(cfg.Every, 5*time.Second)
	cfg.TTL = orDefault(cfg.TTL, 30*time.Second)
	cfg.CallTimeout = orDefault(cfg.CallTimeout, 10*time.Second)
	if cfg.Ring == nil {
		cfg.Ring = func() {}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Reaper{cfg: cfg, unswept: make(map[int64]time.Time)}, nil
}

func orDefault(d, standard time.Duration) time.Duration {
	if d == 0 {
		return standard
	}
	return d
}

// Run makes a pass at once, after every death, and every so often. It returns
// nil when ctx ends. It may be called again after it returned.
func (r *Reaper) Run(ctx context.Context) error {
	r.answering = time.Time{}
	clear(r.unswept)
	timer := time.NewTimer(0)
	defer timer.Stop()
	deaths := r.cfg.Deaths
	for {
		select {
		case <-ctx.Done():
			return nil
		case _, open := <-deaths:
			if !open {
				deaths = nil // nobody tells any more
			}
		case <-timer.C:
		}
		if err := r.pass(ctx); err != nil && ctx.Err() == nil {
			r.cfg.Log.Warn("reaper could not look for abandoned deployments", slog.Any(deployer.KeyError, err))
		}
		timer.Reset(r.cfg.Every)
	}
}

// pass judges every running deployment once, and reaps all that are lost at the same time.
func (r *Reaper) pass(ctx context.Context) error {
	running, err := r.abandoned(ctx)
	if err != nil {
		r.answering = time.Time{}
		return err
	}
	now := r.cfg.Now()
	if r.answering.IsZero() {
		r.answering = now
	}
	r.forgetUnswept(running)
	var g errgroup.Group
	g.SetLimit(sweepers)
	for _, d := range running {
		result, reap := r.judge(d, now)
		if !reap {
			continue
		}
		g.Go(func() error {
			if err := r.reap(ctx, d, result); err != nil && ctx.Err() == nil {
				r.cfg.Log.Warn("abandoned deployment could not be ended yet", slog.Int64(deployer.KeyDeployment, d.ID),
					slog.String(deployer.KeyProject, d.Project), slog.Any(deployer.KeyError, err))
			}
			return nil
		})
	}
	return g.Wait()
}

func (r *Reaper) abandoned(ctx context.Context) ([]deployer.Deployment, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.CallTimeout)
	defer cancel()
	running, err := r.cfg.Store.Abandoned(ctx)
	if err != nil {
		return nil, fmt.Errorf("list running deployments: %w", err)
	}
	return running, nil
}

// judge is [Judge], except that silence only counts while the store answered:
// after an outage of the store every lease looks expired.
func (r *Reaper) judge(d deployer.Deployment, now time.Time) (deployer.Result, bool) {
	live := deployer.Unknown
	if d.Owner != nil {
		live = r.cfg.Liveness(*d.Owner)
	}
	if live != deployer.Dead && now.Sub(r.answering) < r.cfg.TTL {
		return deployer.Result{}, false
	}
	return Judge(d, live, now, r.cfg.TTL)
}

// reap kills what is left of d, then tells the store and the runners.
func (r *Reaper) reap(ctx context.Context, d deployer.Deployment, result deployer.Result) error {
	killed, err := r.sweep(ctx, d)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, r.cfg.CallTimeout)
	defer cancel()
	ended, ok, err := r.cfg.Store.Reap(ctx, d, result)
	if err != nil {
		return fmt.Errorf("end deployment %d: %w", d.ID, err)
	}
	if !ok {
		return nil // its owner was heard after all, or somebody else was faster
	}
	if r.cfg.Observer != nil {
		r.cfg.Observer.Reaped(result.Cause)
	}
	r.cfg.Log.Warn("deployment lost its owner", slog.Int64(deployer.KeyDeployment, d.ID),
		slog.String(deployer.KeyProject, d.Project), slog.String(deployer.KeyStatus, string(ended.Status)),
		slog.String(deployer.KeyReason, result.Reason), slog.Int(deployer.KeyCount, killed))
	r.cfg.Ring()
	return nil
}

// sweep kills the leftovers of d. What cannot be killed for a whole TTL (a
// process in an uninterruptible call) does not hold up the truth any longer.
func (r *Reaper) sweep(ctx context.Context, d deployer.Deployment) (int, error) {
	if d.Marker == "" {
		return 0, nil // it had started nothing yet
	}
	ctx, cancel := context.WithTimeout(ctx, r.cfg.CallTimeout)
	defer cancel()
	killed, err := r.cfg.Sweep(ctx, d.Marker)
	if err == nil {
		return killed, nil
	}
	if r.cfg.Now().Sub(r.resisting(d.ID)) < r.cfg.TTL {
		return killed, fmt.Errorf("kill leftovers: %w", err)
	}
	r.cfg.Log.Error("leftovers of a deployment cannot be killed", slog.Int64(deployer.KeyDeployment, d.ID),
		slog.String(deployer.KeyProject, d.Project), slog.Any(deployer.KeyError, err))
	return killed, nil
}

// resisting returns since when the leftovers of a deployment resist: now, if they did not before.
func (r *Reaper) resisting(deployment int64) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	since, before := r.unswept[deployment]
	if !before {
		since = r.cfg.Now()
		r.unswept[deployment] = since
	}
	return since
}

// forgetUnswept drops what is remembered of deployments that do not run any more.
func (r *Reaper) forgetUnswept(running []deployer.Deployment) {
	if len(r.unswept) == 0 {
		return
	}
	still := make(map[int64]time.Time, len(r.unswept))
	for _, d := range running {
		if since, ok := r.unswept[d.ID]; ok {
			still[d.ID] = since
		}
	}
	r.unswept = still
}
