package runner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/compose"
	"github.com/seadog/seadog/deployer/health"
)

// up replaces what runs. From here on a failure is something to go back from.
func (s *session) up(ctx context.Context) error {
	s.touched = true
	return s.replace(ctx, s.stack(s.d.ID, s.bounds.Up), s.model, s.pinned)
}

// replace brings the Compose project up. Of given images, those that a service
// would not get anyway are pinned.
func (s *session) replace(ctx context.Context, stack compose.Stack, model compose.Model, images []deployer.Image) error {
	repaired, err := s.r.cfg.Engine.Repair(ctx, s.composeProject())
	if err != nil {
		return fmt.Errorf("repair what a killed deployment left: %w", err)
	}
	for _, what := range repaired {
		s.say("%s", what)
	}
	moved, err := model.Moved(ctx, images, s.r.cfg.Engine.Resolve)
	if err != nil {
		return err
	}
	if len(moved) == 0 {
		return stack.Up(ctx)
	}
	// A project has one deployment at a time, so what lies there is of one that was killed.
	dir := filepath.Join(s.space.dir, "pinned")
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	override, err := compose.Pinned(dir, moved)
	if err != nil {
		return err
	}
	return stack.Up(ctx, override)
}

// health waits for the verdict on every service.
func (s *session) health(ctx context.Context) error {
	return s.judge(ctx, s.model)
}

// judge lets the gate decide about every service of model.
func (s *session) judge(ctx context.Context, model compose.Model) error {
	want := make([]health.Expect, len(model.Services))
	for i, svc := range model.Services {
		want[i] = health.Expect{Service: svc.Name, Replicas: svc.Replicas}
	}
	gate := health.Gate{
		Project:  s.composeProject(),
		Want:     want,
		Policy:   s.project.Health,
		Observer: s.r.cfg.Engine,
		Changed:  func(f health.Finding) { s.say("%s", f) },
	}
	v, err := gate.Run(ctx)
	if err != nil {
		return err
	}
	if v.Outcome == health.Passed {
		return nil
	}
	s.showLogs(v)
	return &fault{deployer.CauseUnhealthy, v.Reason(), nil}
}

// rollback brings a healthy deployment back: its images if they are still
// here, and otherwise its commit.
func (s *session) rollback(ctx context.Context, healthy deployer.Deployment) error {
	bounds := s.bounds.Rollback
	s.say("going back to deployment %d (%.12s)", healthy.ID, healthy.Commit)
	if s.project.Repository != "" {
		if err := s.restore(ctx, healthy); err != nil {
			return err
		}
	}
	images, err := s.available(ctx, healthy)
	if err != nil {
		return err
	}
	stack := s.stack(healthy.ID, bounds)
	model, err := stack.Config(ctx)
	if err != nil {
		return err
	}
	if len(images) == 0 {
		if err := stack.Pull(ctx, model); err != nil {
			return err
		}
		if err := stack.Build(ctx, model); err != nil {
			return err
		}
	}
	if err := s.replace(ctx, stack, model, images); err != nil {
		return err
	}
	return s.judge(ctx, model)
}

// restore makes sure that the worktree of a healthy deployment is there.
func (s *session) restore(ctx context.Context, healthy deployer.Deployment) error {
	m := s.mirror(s.bounds.Rollback)
	if err := m.Repair(); err != nil {
		return err
	}
	dir := s.space.worktree(healthy.ID)
	if exists(dir) {
		return nil
	}
	if _, err := m.Fetch(ctx, gitRef(healthy.Ref), healthy.Commit, s.project.Compose.Depth); err != nil {
		return err
	}
	return m.Checkout(ctx, healthy.Commit, dir, s.project.Compose.Submodules)
}

// keepImages tags what runs now, so that a later deployment can go back to it.
func (s *session) keepImages(ctx context.Context) ([]deployer.Image, error) {
	seen, err := s.r.cfg.Engine.Services(ctx, s.composeProject())
	if err != nil {
		return nil, err
	}
	return s.r.cfg.Engine.Keep(ctx, s.d.Project, s.d.ID, seen)
}

// clean removes worktrees and image tags that nothing goes back to any more.
func (s *session) clean(ctx context.Context) error {
	keep, err := s.r.kept(ctx, s.d)
	if err != nil {
		return err
	}
	_, err = s.r.cfg.Engine.Forget(ctx, s.d.Project, slices.Sorted(maps.Keys(keep)))
	if s.project.Repository == "" {
		return err
	}
	old, listErr := s.space.others(keep)
	err = errors.Join(err, listErr)
	m := s.mirror(s.bounds.Config)
	for _, id := range old {
		err = errors.Join(err, m.Release(ctx, s.space.worktree(id)))
	}
	return err
}
