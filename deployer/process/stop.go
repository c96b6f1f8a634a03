package process

import (
	"context"
	"errors"

	"github.com/seadog/seadog/deployer"
)

// Stop is why something was ended, or why it cannot be done. Given to a
// [context.CancelCauseFunc] it becomes the cause of the command's end.
type Stop struct {
	Cause  deployer.Cause
	Reason string // one sentence
	Err    error  // private cause, may be nil
}

func (s *Stop) Error() string { return s.Reason }

func (s *Stop) Unwrap() error { return s.Err }

// ExitError is the error of a command that did not succeed.
type ExitError struct {
	Exit Exit
	Err  error // what ended it from outside or kept it from starting, may be nil
}

func (e *ExitError) Error() string { return e.Exit.Reason }

func (e *ExitError) Unwrap() error { return e.Err }

// stopOf explains why ctx is over. The cause that was given to its cancel
// function decides: a [Stop] as it is; a lost lease; a [deployer.Error] by its code;
// an expired deadline; anything else is a cancellation.
func stopOf(ctx context.Context) *Stop {
	err := context.Cause(ctx)
	var stop *Stop
	if errors.As(err, &stop) {
		return stop
	}
	if errors.Is(err, deployer.ErrLeaseLost) {
		return &Stop{Cause: deployer.CauseLeaseExpired, Reason: "the lease of the deployment was lost", Err: err}
	}
	var public *deployer.Error
	if errors.As(err, &public) {
		cause := deployer.CauseCanceled
		if public.Code == deployer.CodeTimeout {
			cause = deployer.CauseDeadline
		}
		return &Stop{Cause: cause, Reason: public.Message, Err: err}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &Stop{Cause: deployer.CauseDeadline, Reason: "the time for it was over", Err: err}
	}
	return &Stop{Cause: deployer.CauseCanceled, Reason: "canceled", Err: err}
}
