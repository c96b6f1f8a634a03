package runner

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/compose"
	"github.com/seadog/seadog/deployer/engine"
	"github.com/seadog/seadog/deployer/process"
)

func TestAFaultIsNamedByTypeAndCause(t *testing.T) {
	t.Parallel()
	running := context.Background()
	ended := func(cause error) context.Context {
		ctx, cancel := context.WithCancelCause(running)
		cancel(cause)
		return ctx
	}
	stop := &process.Stop{Cause: deployer.CauseCanceled, Reason: "canceled by ada"}
	exit := func(c deployer.Cause) error {
		return fmt.Errorf("run: %w", &process.ExitError{Exit: process.Exit{Cause: c, Reason: "why"}})
	}
	for _, tt := range []struct {
		name   string
		ctx    context.Context
		err    error
		cause  deployer.Cause
		status deployer.Status
	}{
		{"a command said no", running, exit(deployer.CauseStepFailed), deployer.CauseStepFailed, deployer.Failed},
		{"a command took too long", running, exit(deployer.CauseDeadline), deployer.CauseDeadline, deployer.TimedOut},
		{"a command was silent", running, exit(deployer.CauseSilence), deployer.CauseSilence, deployer.TimedOut},
		{"compose said no", running, &compose.Failure{Exit: process.Exit{Cause: deployer.CauseStepFailed}}, deployer.CauseStepFailed, deployer.Failed},
		{"whatever failed, it was canceled", ended(stop), exit(deployer.CauseStepFailed), deployer.CauseCanceled, deployer.Canceled},
		{"the service was stopped", ended(&process.Stop{Cause: deployer.CauseShutdown}), errors.New("x"), deployer.CauseShutdown, deployer.Interrupted},
		{"the engine is wedged", running, fmt.Errorf("list: %w", engine.ErrWedged), deployer.CauseEngineWedged, deployer.TimedOut},
		{"the disk is full", running, fmt.Errorf("write: %w", syscall.ENOSPC), deployer.CauseDiskFull, deployer.Failed},
		{"the project is wrong", running, deployer.Errorf(deployer.CodeInvalid, "no compose file"), deployer.CauseInvalidProject, deployer.Failed},
		{"a call took too long", running, context.DeadlineExceeded, deployer.CauseDeadline, deployer.TimedOut},
		{"a gate said no", running, &fault{deployer.CauseUnhealthy, "web: unhealthy", nil}, deployer.CauseUnhealthy, deployer.Failed},
		{"something else", running, errors.New("x"), deployer.CauseStepFailed, deployer.Failed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := diagnose(tt.ctx, deployer.StepBuild, tt.err)
			if f.cause != tt.cause || statusOf(f.cause) != tt.status {
				t.Errorf("got %s (%s): %s; want %s (%s)", statusOf(f.cause), f.cause, f.reason, tt.status, tt.cause)
			}
		})
	}
}

func TestEveryEndOfARunnerIsAMoveFromRunning(t *testing.T) {
	t.Parallel()
	for _, c := range []deployer.Cause{
		"", deployer.CauseStepFailed, deployer.CauseDeadline, deployer.CauseSilence, deployer.CauseUnhealthy, deployer.CauseEngineWedged,
		deployer.CauseInvalidProject, deployer.CauseCanceled, deployer.CauseOwnerDied, deployer.CauseLeaseExpired, deployer.CauseShutdown, deployer.CauseDiskFull,
	} {
		if _, err := deployer.Running.To(statusOf(c)); err != nil {
			t.Errorf("cause %q: %v", c, err)
		}
	}
}

func TestAStopIsTrueAboutWhatItLeavesBehind(t *testing.T) {
	t.Parallel()
	stopped := &process.Stop{Cause: deployer.CauseShutdown, Reason: "the service was stopped"}
	for _, tt := range []struct {
		name    string
		stop    error
		cause   deployer.Cause
		touched bool
		want    deployer.Result
	}{
		{"stopped before up", stopped, deployer.CauseShutdown, false, deployer.Result{Status: deployer.Interrupted, Outcome: deployer.OutcomeUntouched, Cause: deployer.CauseShutdown, Reason: "why"}},
		{"stopped in up", stopped, deployer.CauseShutdown, true, deployer.Result{Status: deployer.Interrupted, Outcome: deployer.OutcomeLeft, Cause: deployer.CauseShutdown, Reason: "why"}},
		{"stopped after a failure", stopped, deployer.CauseUnhealthy, true, deployer.Result{Status: deployer.Interrupted, Outcome: deployer.OutcomeLeft, Cause: deployer.CauseShutdown, Reason: "why; the service was stopped"}},
		{"stopped after a cancellation", stopped, deployer.CauseCanceled, true, deployer.Result{Status: deployer.Canceled, Outcome: deployer.OutcomeLeft, Cause: deployer.CauseCanceled, Reason: "why; the service was stopped"}},
		{"failed before up", nil, deployer.CauseStepFailed, false, deployer.Result{Status: deployer.Failed, Outcome: deployer.OutcomeUntouched, Cause: deployer.CauseStepFailed, Reason: "why"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			owned, disown := context.WithCancelCause(context.Background())
			defer disown(nil)
			if tt.stop != nil {
				disown(tt.stop)
			}
			s := &session{owned: owned, touched: tt.touched, project: deployer.Project{Rollback: deployer.RollbackAuto}}
			if diff := cmp.Diff(tt.want, s.fail(&fault{tt.cause, "why", nil})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
