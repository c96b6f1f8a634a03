package runner

import (
	"context"
	"errors"
	"fmt"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/process"
)

// stage is one step of the plan: what it is called, how long it may take, what it does.
type stage struct {
	step   deployer.Step
	bounds deployer.Timeout
	do     func(context.Context) error
}

// plan lists the steps in order. Everything before up leaves what runs alone.
func (s *session) plan() []stage {
	b := s.bounds
	return []stage{
		{deployer.StepFetch, b.Fetch, s.fetch},
		{deployer.StepConfig, b.Config, s.config},
		{deployer.StepPull, b.Pull, s.pull},
		{deployer.StepBuild, b.Build, s.build},
		{deployer.StepUp, b.Up, s.up},
		{deployer.StepHealth, b.Health, s.health},
	}
}

// run executes the plan, goes back if it has to, and returns the verdict.
func (s *session) run() deployer.Result {
	if s.project.Name == "" {
		return deployer.Result{
			Status: deployer.Failed, Outcome: deployer.OutcomeUntouched, Cause: deployer.CauseInvalidProject,
			Reason: fmt.Sprintf("project %s is not in this runner's configuration", s.d.Project),
		}
	}
	for _, st := range s.plan() {
		if err := s.step(s.attempt, st.step, st.bounds, st.do); err != nil {
			return s.redact(s.fail(diagnose(s.attempt, st.step, err)))
		}
	}
	return s.finish()
}

// fail decides what is done about a failure.
func (s *session) fail(f *fault) deployer.Result {
	result := deployer.Result{Status: statusOf(f.cause), Cause: f.cause, Reason: f.reason}
	switch {
	case !s.touched:
		result.Outcome = deployer.OutcomeUntouched
	case s.owned.Err() != nil:
		// Stopped with the service, or disowned: whoever runs it again will bring the project to a known state.
		result.Outcome = deployer.OutcomeLeft
	case s.project.Rollback != deployer.RollbackAuto:
		result.Outcome = deployer.OutcomeLeft
	default:
		result.Outcome, result.Reason = s.goBack(f.reason)
	}
	if stop, ok := errors.AsType[*process.Stop](context.Cause(s.owned)); ok && f.cause != stop.Cause && result.Outcome != deployer.OutcomeRolledBack {
		result.Reason = f.reason + "; " + stop.Reason
		if result.Outcome == deployer.OutcomeRollbackFailed {
			result.Outcome = deployer.OutcomeLeft // going back did not fail, it was cut short
		}
		if f.cause != deployer.CauseCanceled {
			// It runs again, like whatever else is stopped.
			result.Status, result.Cause = statusOf(stop.Cause), stop.Cause
		}
	}
	if !s.touched {
		s.discard()
	}
	return result
}

// goBack brings the last healthy deployment back and says how that went.
func (s *session) goBack(reason string) (deployer.Outcome, string) {
	ctx, cancel := context.WithTimeout(s.owned, storeTimeout)
	healthy, err := s.r.cfg.Store.LastHealthy(ctx, s.d.Project, s.d.ID)
	cancel()
	if err != nil {
		if deployer.CodeOf(err) == deployer.CodeNotFound {
			return deployer.OutcomeLeft, reason + "; there is no healthy deployment to go back to"
		}
		return deployer.OutcomeRollbackFailed, fmt.Sprintf("%s; rollback: %s", reason, err)
	}
	err = s.step(s.owned, deployer.StepRollback, s.bounds.Rollback, func(ctx context.Context) error {
		return s.rollback(ctx, healthy)
	})
	if err != nil {
		f := diagnose(s.owned, deployer.StepRollback, err)
		return deployer.OutcomeRollbackFailed, fmt.Sprintf("%s; going back to deployment %d did not work: %s", reason, healthy.ID, f.reason)
	}
	return deployer.OutcomeRolledBack, fmt.Sprintf("%s; deployment %d (%.12s) runs again", reason, healthy.ID, healthy.Commit)
}

// redact keeps secrets out of what the store and everybody else gets to see.
func (s *session) redact(result deployer.Result) deployer.Result {
	result.Reason = s.r.cfg.Redactor.String(result.Reason)
	return result
}

// finish makes the healthy deployment one that can be gone back to. The
// services run already: nothing that goes wrong here makes it a failure.
func (s *session) finish() deployer.Result {
	var images []deployer.Image
	err := s.step(s.attempt, deployer.StepFinish, deployer.Timeout{Deadline: s.bounds.Config.Deadline}, func(ctx context.Context) error {
		var err error
		images, err = s.keepImages(ctx)
		return errors.Join(err, s.clean(ctx))
	})
	if err != nil {
		s.log.Warn("clean-up incomplete", deployer.KeyError, err)
	}
	return deployer.Result{Status: deployer.Succeeded, Images: images}
}
