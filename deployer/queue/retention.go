package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/seadog/seadog/deployer"
)

// pruner is the part of the store that retention needs.
type pruner interface {
	Prune(ctx context.Context, r deployer.Retention) ([]int64, error)
}

var _ pruner = deployer.Store(nil)

// RetentionConfig is what a [Retention] works with.
type RetentionConfig struct {
	Store  pruner
	Policy deployer.Retention

	// Remove deletes what is kept outside the store for a deployment that is
	// gone: its transcript, its worktree. It must accept that there is nothing.
	Remove func(ctx context.Context, deployment int64) error

	Every       time.Duration // between two rounds; 1 h if 0
	CallTimeout time.Duration // of each call to Store and Remove; 1 min if 0

	Log *slog.Logger
}

// Retention removes deliveries and deployments that are older than the policy wants.
type Retention struct {
	cfg RetentionConfig

	// left are the deployments whose files could not be removed yet; the store
	// names each only once.
	left []int64
}

// NewRetention returns a retention that does nothing until Run.
func NewRetention(cfg RetentionConfig) (*Retention, error) {
	switch {
	case cfg.Store == nil:
		return nil, errors.New("retention: no store")
	case cfg.Remove == nil:
		return nil, errors.New("retention: no remove")
	case cfg.Log == nil:
		return nil, errors.New("retention: no log")
	case cfg.Every < 0 || cfg.CallTimeout < 0:
		return nil, errors.New("retention: negative duration")
	}
	cfg.Every = orDefault(cfg.Every, time.Hour)
	cfg.CallTimeout = orDefault(cfg.CallTimeout, time.Minute)
	return &Retention{cfg: cfg}, nil
}

// Run makes a round at once and then every so often. It returns nil when ctx
// ends. It may be called again after it returned.
func (r *Retention) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		if err := r.round(ctx); err != nil && ctx.Err() == nil {
			r.cfg.Log.Warn("retention round incomplete", slog.Any(deployer.KeyError, err))
		}
		timer.Reset(r.cfg.Every)
	}
}

func (r *Retention) round(ctx context.Context) error {
	gone, err := r.prune(ctx)
	var left []int64
	for _, id := range append(r.left, gone...) {
		if rerr := r.remove(ctx, id); rerr != nil {
			left = append(left, id)
			err = rerr
		}
	}
	r.left = left
	if len(gone) > 0 {
		r.cfg.Log.Info("old deployments removed", slog.Int(deployer.KeyCount, len(gone)))
	}
	return err
}

func (r *Retention) prune(ctx context.Context) ([]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.CallTimeout)
	defer cancel()
	gone, err := r.cfg.Store.Prune(ctx, r.cfg.Policy)
	if err != nil {
		return gone, fmt.Errorf("prune: %w", err)
	}
	return gone, nil
}

func (r *Retention) remove(ctx context.Context, id int64) error {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.CallTimeout)
	defer cancel()
	if err := r.cfg.Remove(ctx, id); err != nil {
		return fmt.Errorf("remove files of deployment %d: %w", id, err)
	}
	return nil
}
