package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seadog/seadog/deployer"
)

// LeaseName is the name under which the store keeps the keeper's lease.
const LeaseName = "keeper"

// holder is the part of the store that the keeper needs.
type holder interface {
	Hold(ctx context.Context, name string, owner deployer.Owner, ttl time.Duration) (bool, error)
}

var _ holder = deployer.Store(nil)

// Singleton is something of which at most one may run, whatever the number of
// processes and machines.
type Singleton struct {
	Name string
	// Run blocks until its context ends. If it returns earlier it is run again
	// after a pause. It must return soon after its context ended.
	Run func(ctx context.Context) error
}

// KeeperConfig is what a [Keeper] works with.
type KeeperConfig struct {
	Store      holder
	Owner      deployer.Owner // of this process
	Singletons []Singleton
	TTL        time.Duration // of the lease; 9 s if 0, which lets a successor of a killed process start within 12 s
	Log        *slog.Logger
	Now        func() time.Time // time.Now if nil
}

// Keeper runs the singletons while it holds the lease.
type Keeper struct {
	cfg   KeeperConfig
	every time.Duration // between two renewals: TTL/3, so that one may fail
	beat  atomic.Int64  // Unix nanoseconds of the last answer to Hold
	held  atomic.Bool
}

// NewKeeper returns a keeper that does nothing until Run.
func NewKeeper(cfg KeeperConfig) (*Keeper, error) {
	switch {
	case cfg.Store == nil:
		return nil, errors.New("keeper: no store")
	case cfg.Log == nil:
		return nil, errors.New("keeper: no log")
	case len(cfg.Singletons) == 0:
		return nil, errors.New("keeper: nothing to keep")
	case cfg.TTL < 0:
		return nil, errors.New("keeper: negative ttl")
	}
	cfg.TTL = orDefault(cfg.TTL, 9*time.Second)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Keeper{cfg: cfg, every: cfg.TTL / 3}, nil
}

// Beat returns when the store last answered the keeper, whoever holds the
// lease; the zero time before the first answer.
func (k *Keeper) Beat() time.Time {
	ns := k.beat.Load()
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns)
}

// Holds reports whether the singletons run in this process.
func (k *Keeper) Holds() bool { return k.held.Load() }

// Run asks for the lease, runs the singletons while it has it, and asks again
// when it lost it. It returns nil when ctx ended and every singleton is back.
func (k *Keeper) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		asked := k.cfg.Now()
		held, err := k.hold(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			k.cfg.Log.Warn("keeper could not ask for its lease", slog.Any(deployer.KeyError, err))
		case held:
			k.keep(ctx, asked)
		}
		timer.Reset(k.every)
	}
}

// keep runs the singletons until the lease, taken at the given time, is lost.
func (k *Keeper) keep(ctx context.Context, taken time.Time) {
	k.cfg.Log.Info("keeper holds the lease")
	k.held.Store(true)
	defer k.held.Store(false)
	work, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	for _, s := range k.cfg.Singletons {
		wg.Go(func() { k.supervise(work, s) })
	}
	reason := k.renew(work, taken)
	cancel()
	wg.Wait()
	if reason == "" {
		k.release(ctx)
		return
	}
	k.cfg.Log.Warn("keeper lost the lease", slog.String(deployer.KeyReason, reason))
}

// release lets the lease expire at once, so that a successor need not wait for
// it. It is a courtesy; an error changes nothing.
func (k *Keeper) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_, err := k.cfg.Store.Hold(ctx, LeaseName, k.cfg.Owner, time.Millisecond)
	if err != nil {
		k.cfg.Log.Debug("keeper could not release its lease", slog.Any(deployer.KeyError, err))
	}
}

// renew keeps the lease alive. It returns why it was lost, or "" when ctx ended.
func (k *Keeper) renew(ctx context.Context, taken time.Time) string {
	timer := time.NewTimer(k.every)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ""
		case <-timer.C:
		}
		asked := k.cfg.Now()
		held, err := k.hold(ctx)
		switch {
		case ctx.Err() != nil:
			return ""
		case err == nil && !held:
			return "another process holds it"
		case err == nil:
			taken = asked
		// The singletons must be gone before somebody else may start his.
		case k.cfg.Now().Sub(taken) >= k.cfg.TTL-k.every:
			return err.Error()
		}
		timer.Reset(k.every)
	}
}

// hold asks the store under a deadline that leaves time to react.
func (k *Keeper) hold(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, k.every)
	defer cancel()
	held, err := k.cfg.Store.Hold(ctx, LeaseName, k.cfg.Owner, k.cfg.TTL)
	if err != nil {
		return false, fmt.Errorf("hold lease: %w", err)
	}
	k.beat.Store(k.cfg.Now().UnixNano())
	return held, nil
}

// supervise runs s again and again until ctx ends, with growing pauses.
func (k *Keeper) supervise(ctx context.Context, s Singleton) {
	const first, longest = time.Second, time.Minute
	pause := first
	for {
		started := k.cfg.Now()
		err := s.Run(ctx)
		if ctx.Err() != nil {
			return
		}
		if k.cfg.Now().Sub(started) > longest {
			pause = first
		}
		k.cfg.Log.Error("singleton ended and will be run again", slog.String(deployer.KeySingleton, s.Name),
			slog.Duration(deployer.KeyDuration, pause), slog.Any(deployer.KeyError, err))
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		pause = min(2*pause, longest)
	}
}
