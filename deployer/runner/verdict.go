package runner

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/compose"
	"github.com/seadog/seadog/deployer/engine"
	"github.com/seadog/seadog/deployer/process"
)

// fault is an error of a step with its cause.
type fault struct {
	cause  deployer.Cause
	reason string
	err    error
}

func (f *fault) Error() string { return f.reason }
func (f *fault) Unwrap() error { return f.err }

// diagnose turns what a step returned into a fault. It looks at types and
// causes only, never at the text of an error.
func diagnose(ctx context.Context, step deployer.Step, err error) *fault {
	var (
		f    *fault
		exit *process.ExitError
		said *compose.Failure
		ours *deployer.Error
		stop *process.Stop
	)
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(context.Cause(ctx), &stop):
		// Whatever the step says: it was asked to end.
		return &fault{stop.Cause, stop.Reason, err}
	case errors.Is(err, engine.ErrWedged):
		return &fault{deployer.CauseEngineWedged, fmt.Sprintf("%s: %s", step, err), err}
	case errors.As(err, &exit):
		return &fault{exit.Exit.Cause, fmt.Sprintf("%s: %s", step, exit.Exit.Reason), err}
	case errors.As(err, &said):
		return &fault{said.Exit.Cause, fmt.Sprintf("%s: %s", step, said), err}
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return &fault{deployer.CauseDiskFull, fmt.Sprintf("%s: the disk is full", step), err}
	case errors.Is(err, context.DeadlineExceeded):
		return &fault{deployer.CauseDeadline, fmt.Sprintf("%s: took longer than its deadline", step), err}
	case errors.As(err, &ours):
		return &fault{causeOf(ours), fmt.Sprintf("%s: %s", step, ours.Message), err}
	}
	return &fault{deployer.CauseStepFailed, fmt.Sprintf("%s: %s", step, err), err}
}

func causeOf(e *deployer.Error) deployer.Cause {
	switch e.Code {
	case deployer.CodeInvalid, deployer.CodeNotFound:
		return deployer.CauseInvalidProject
	case deployer.CodeTimeout:
		return deployer.CauseDeadline
	}
	return deployer.CauseStepFailed
}

// statusOf says which end a cause leads to.
func statusOf(c deployer.Cause) deployer.Status {
	switch c {
	case "":
		return deployer.Succeeded
	case deployer.CauseDeadline, deployer.CauseSilence, deployer.CauseEngineWedged:
		return deployer.TimedOut
	case deployer.CauseCanceled:
		return deployer.Canceled
	case deployer.CauseShutdown, deployer.CauseOwnerDied, deployer.CauseLeaseExpired:
		return deployer.Interrupted
	}
	return deployer.Failed
}
