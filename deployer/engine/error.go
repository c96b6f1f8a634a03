package engine

import (
	"errors"

	"github.com/seadog/seadog/deployer"
)

// ErrWedged is in the chain of every error that means: the engine does not
// answer. Errors that the engine answered with do not have it.
var ErrWedged = errors.New("the engine does not answer")

// CauseOf returns why a deployment that met err ends: [deployer.CauseEngineWedged]
// for an engine that does not answer, [deployer.CauseStepFailed] for any other
// error, "" for nil.
func CauseOf(err error) deployer.Cause {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, ErrWedged):
		return deployer.CauseEngineWedged
	}
	return deployer.CauseStepFailed
}

// wedged is an engine that took the call and kept silent.
func wedged(format string, args ...any) error {
	return deployer.Errorf(deployer.CodeTimeout, format, args...).
		WithHint("`docker ps` on that machine will hang as well; SIGUSR1 makes dockerd write a goroutine dump, restarting it helps").
		Because(ErrWedged)
}

// unreachable is an engine that did not take the call, or dropped it.
func unreachable(host, op string, err error) error {
	return deployer.Errorf(deployer.CodeUnavailable, "the Docker engine at %s did not take `%s`", host, op).
		WithHint("is dockerd running, and may this user open its socket?").
		Because(errors.Join(ErrWedged, err))
}
