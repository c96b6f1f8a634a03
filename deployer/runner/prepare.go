package runner

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/compose"
)

// fetch brings the exact commit into a worktree of its own.
func (s *session) fetch(ctx context.Context) error {
	if s.project.Repository == "" {
		return nil // the Compose files are on this host; only images change
	}
	m := s.mirror(s.bounds.Fetch)
	if err := m.Repair(); err != nil {
		return fmt.Errorf("repair the mirror: %w", err)
	}
	ref, commit, err := s.target(ctx)
	if err != nil {
		return err
	}
	commit, err = m.Fetch(ctx, ref, commit, s.project.Compose.Depth)
	if err != nil {
		return err
	}
	subject, err := m.Subject(ctx, commit)
	if err != nil {
		return err
	}
	s.d.Commit = commit
	s.say("%s is at %.12s: %s", ref, commit, subject)
	if err := s.report(deployer.Progress{Commit: commit, Message: subject}); err != nil {
		return err
	}
	return m.Checkout(ctx, commit, s.space.worktree(s.d.ID), s.project.Compose.Submodules)
}

// target is the ref and commit to fetch. A push of an image names neither: it
// is run with the commit that was healthy last, or else with the project's branch.
func (s *session) target(ctx context.Context) (ref, commit string, err error) {
	if s.d.Commit != "" || strings.HasPrefix(s.d.Ref, "refs/") {
		return gitRef(s.d.Ref), s.d.Commit, nil
	}
	healthy, err := s.r.cfg.Store.LastHealthy(ctx, s.d.Project, s.d.ID)
	if err == nil && healthy.Commit != "" {
		return gitRef(healthy.Ref), healthy.Commit, nil
	}
	if err != nil && deployer.CodeOf(err) != deployer.CodeNotFound {
		return "", "", err
	}
	for _, branch := range s.project.Select.Branches {
		if !strings.ContainsAny(branch, "*?[") {
			return "refs/heads/" + branch, "", nil
		}
	}
	return "", "", deployer.Errorf(deployer.CodeInvalid, "an image was pushed, and the project names no branch to take the Compose files from").
		WithHint("add a branch without wildcards to branches")
}

// gitRef is ref if it is one of git, and nothing if it is the name of an image:
// the commit alone says what to fetch then.
func gitRef(ref string) string {
	if strings.HasPrefix(ref, "refs/") {
		return ref
	}
	return ""
}

// stack is the Compose project in the worktree of a deployment.
func (s *session) stack(deployment int64, bounds deployer.Timeout) compose.Stack {
	dir := s.space.worktree(deployment)
	spec := s.project.Compose
	if s.project.Repository == "" {
		dir, spec.Directory = spec.Directory, ""
	}
	return compose.Stack{
		Project:  s.composeProject(),
		Worktree: dir,
		Spec:     spec,
		Env:      s.env(),
		Exec:     s.exec(bounds),
	}
}

func (s *session) composeProject() string {
	if s.project.Compose.Project != "" {
		return s.project.Compose.Project
	}
	return s.project.Name
}

// env is the environment of Compose: the service's, then the project's.
func (s *session) env() []string {
	env := slices.Clone(s.r.cfg.Env)
	for name, value := range s.project.Env {
		env = append(env, name+"="+value)
	}
	for name, value := range s.project.Secrets {
		env = append(env, name+"="+value.Reveal())
	}
	slices.Sort(env[len(s.r.cfg.Env):])
	return env
}

// config reads the Compose files, and finds out whether there is an engine to
// deploy to before anything takes long.
func (s *session) config(ctx context.Context) error {
	if _, err := s.r.cfg.Engine.Probe(ctx); err != nil {
		return err
	}
	stack := s.stack(s.d.ID, s.bounds.Config)
	model, err := stack.Config(ctx)
	if err != nil {
		return err
	}
	s.model = model
	for _, warning := range model.Warnings {
		s.say("warning: %s", warning)
	}
	return s.pin(ctx)
}

// pin finds out whether a deployment that was asked to go back can do so with
// the very images of then.
func (s *session) pin(ctx context.Context) error {
	if s.d.Trigger != deployer.TriggerRollback || s.d.Origin == 0 {
		return nil
	}
	origin, err := s.r.cfg.Store.Deployment(ctx, s.d.Origin)
	if err != nil {
		return err
	}
	s.pinned, err = s.available(ctx, origin)
	return err
}

// available returns the images of a healthy deployment if the engine still has
// all of them, and nothing otherwise.
func (s *session) available(ctx context.Context, d deployer.Deployment) ([]deployer.Image, error) {
	for _, image := range d.Images {
		id, err := s.r.cfg.Engine.Resolve(ctx, image.Tag)
		if err != nil {
			return nil, err
		}
		if id != image.ID {
			s.say("the image of %s of deployment %d is gone; it is made again", image.Service, d.ID)
			return nil, nil
		}
	}
	return d.Images, nil
}

func (s *session) pull(ctx context.Context) error {
	if len(s.pinned) > 0 {
		s.say("the images of then are still here")
		return nil
	}
	return s.stack(s.d.ID, s.bounds.Pull).Pull(ctx, s.model)
}

func (s *session) build(ctx context.Context) error {
	if len(s.pinned) > 0 {
		return nil
	}
	return s.stack(s.d.ID, s.bounds.Build).Build(ctx, s.model)
}

// discard removes the worktree of a deployment that came to nothing.
func (s *session) discard() {
	if s.project.Repository == "" {
		return
	}
	if err := os.RemoveAll(s.space.worktree(s.d.ID)); err != nil {
		s.log.Warn("worktree not removed", deployer.KeyError, err)
	}
}
