package deployer

import (
	"fmt"
	"slices"
)

// Status is where a deployment stands. The zero value is not a status.
type Status string

const (
	// Queued waits for a runner, or for a lock to be released.
	Queued Status = "queued"
	// Running is owned by exactly one runner under a lease.
	Running Status = "running"
	// Succeeded means that every service passed the health gate.
	Succeeded Status = "succeeded"
	// Failed means that a step said no. See [Deployment.Outcome] for what was done about it.
	Failed Status = "failed"
	// TimedOut means that a step exceeded its deadline or was silent for too long.
	TimedOut Status = "timed_out"
	// Canceled means that a person stopped it.
	Canceled Status = "canceled"
	// Interrupted means that its owner died or was stopped; it is run again once.
	Interrupted Status = "interrupted"
	// Superseded means that a newer deployment of the project took its place before it started.
	Superseded Status = "superseded"
)

// Statuses lists every status in the order of a deployment's life.
func Statuses() []Status {
	return []Status{Queued, Running, Succeeded, Failed, TimedOut, Canceled, Interrupted, Superseded}
}

// Final reports whether nothing can happen to a deployment in status s any more.
func (s Status) Final() bool {
	return s != Queued && s != Running
}

// RunsAgain reports whether a redelivery of the push behind a deployment that
// ended in s asks for a new attempt rather than being a duplicate.
func (s Status) RunsAgain() bool {
	switch s {
	case Failed, TimedOut, Canceled, Interrupted:
		return true
	}
	return false
}

// next returns the statuses that s may move to.
func (s Status) next() []Status {
	switch s {
	case Queued:
		return []Status{Running, Canceled, Superseded}
	case Running:
		return []Status{Succeeded, Failed, TimedOut, Canceled, Interrupted}
	}
	return nil
}

// To returns the status after a move from s to t.
// An illegal move is an [ErrIllegalMove]; s is unchanged then.
func (s Status) To(t Status) (Status, error) {
	if slices.Contains(s.next(), t) {
		return t, nil
	}
	return s, fmt.Errorf("%w: %s to %s", ErrIllegalMove, s, t)
}

// Outcome says what was left behind by a deployment that did not succeed.
type Outcome string

const (
	// OutcomeNone is the outcome of a deployment that is not over, or that succeeded.
	OutcomeNone Outcome = ""
	// OutcomeUntouched: the deployment ended before a running container was touched.
	OutcomeUntouched Outcome = "untouched"
	// OutcomeRolledBack: the last healthy deployment runs again, and passed the health gate.
	OutcomeRolledBack Outcome = "rolled_back"
	// OutcomeRollbackFailed: the rollback failed as well; the project needs a person.
	OutcomeRollbackFailed Outcome = "rollback_failed"
	// OutcomeLeft: the project was left as the failure left it (policy off or notify, or nothing to go back to).
	OutcomeLeft Outcome = "left"
)
