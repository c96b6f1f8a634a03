package queue

import (
	"fmt"
	"time"

	"github.com/seadog/seadog/deployer"
)

// patience is how many lifetimes of a lease an owner that is known to be alive
// gets. It may be slow because the store is; but an owner that is stopped, or
// has forgotten its deployment, must not block its project for ever.
const patience = 10

// Judge decides whether running deployment d lost its owner, and how it ended
// if so. It is pure: live is what is known about the owner at time now, and ttl
// is how long a lease lives without a heartbeat.
func Judge(d deployer.Deployment, live deployer.Liveness, now time.Time, ttl time.Duration) (r deployer.Result, reap bool) {
	if d.Status != deployer.Running {
		return deployer.Result{}, false
	}
	silent := silence(d, now)
	switch {
	case live == deployer.Dead:
		r.Cause, r.Reason = deployer.CauseOwnerDied, "its runner died"
	case live == deployer.Unknown && silent > ttl:
		r.Cause, r.Reason = deployer.CauseLeaseExpired, fmt.Sprintf("its runner was not heard for %s", silent.Round(time.Second))
	case live == deployer.Alive && silent > patience*ttl:
		r.Cause, r.Reason = deployer.CauseLeaseExpired,
			fmt.Sprintf("its runner lives but was not heard for %s", silent.Round(time.Second))
	default:
		return deployer.Result{}, false
	}
	r.Status, r.Outcome = deployer.Interrupted, leftBehind(d.Step)
	if d.CancelBy != "" {
		r.Status, r.Cause = deployer.Canceled, deployer.CauseCanceled
		r.Reason = fmt.Sprintf("canceled by %s; %s before it could obey", d.CancelBy, r.Reason)
	}
	return r, true
}

// leftBehind says what an owner that was lost in a step leaves behind. No
// running container is changed before up.
func leftBehind(s deployer.Step) deployer.Outcome {
	switch s {
	case "", deployer.StepFetch, deployer.StepConfig, deployer.StepPull, deployer.StepBuild:
		return deployer.OutcomeUntouched
	}
	return deployer.OutcomeLeft
}

// silence is the time since the last sign of life.
func silence(d deployer.Deployment, now time.Time) time.Duration {
	switch {
	case d.HeartbeatAt != nil:
		return now.Sub(*d.HeartbeatAt)
	case d.StartedAt != nil:
		return now.Sub(*d.StartedAt)
	}
	return now.Sub(d.CreatedAt)
}
