package deployer

import (
	"fmt"
	"time"
)

// Lane is the queue of one project: at most one deployment runs and at most
// one waits. It is a value that a store loads, asks, and writes back inside one
// transaction; it does no I/O.
type Lane struct {
	Running *Deployment
	Pending *Deployment
	Lock    *Lock
}

// Placement is what a [Lane] made of an order. The store writes it: at most one
// insertion and one update.
type Placement struct {
	Verdict Verdict
	Reason  string
	// Into is the deployment that the order became part of: Lane.Pending after
	// a queued, coalesced or deferred order, Lane.Running for a duplicate.
	Into *Deployment
	// New reports whether Into has to be inserted (its ID is then 0 until the store assigns one).
	New bool
	// Superseded is the pending deployment that Into displaced, nil if none.
	// Its Status is already Superseded; the store sets SupersededBy.
	Superseded *Deployment
}

// Place decides what becomes of an order at time now, and changes the lane
// accordingly. The rules, in this order:
//
//  1. A push of the very commit that runs is a duplicate of it.
//  2. A push whose commit is where the pending push started from was overtaken
//     on the way (forges do not promise order): coalesced, the commit stays.
//  3. A push joins a pending push of the same ref, which moves to its commit.
//  4. A push of an image joins whatever is pending, because it will pull the
//     image when it runs; only a rollback runs the images of then.
//  5. Anything else is queued, and displaces what was pending.
//
// A lock that is not overridden turns "queued" into "deferred".
func (l *Lane) Place(o Order, now time.Time) Placement {
	if r := l.Running; o.Trigger == TriggerPush && r != nil && r.CancelBy == "" &&
		o.Commit != "" && r.Commit == o.Commit && r.Ref == o.Ref && l.Pending == nil {
		return Placement{Verdict: VerdictDuplicate, Into: r, Reason: fmt.Sprintf("commit %.12s is being deployed", o.Commit)}
	}
	if p := l.Pending; p != nil && joins(p, o) {
		reason := fmt.Sprintf("deployment %d was still waiting", p.ID)
		if overtaken(p, o) {
			reason = fmt.Sprintf("overtaken: deployment %d already stands for a later commit", p.ID)
		} else if p.Commit != o.Commit {
			p.Commit, p.Before, p.Message, p.By = o.Commit, o.Before, o.Message, o.By
		}
		p.Coalesced++
		return Placement{Verdict: VerdictCoalesced, Into: p, Reason: reason}
	}
	if p := l.Pending; p != nil && ofImage(o) && p.Trigger != TriggerRollback {
		p.Coalesced++
		return Placement{Verdict: VerdictCoalesced, Into: p, Reason: fmt.Sprintf("deployment %d was still waiting and will pull it", p.ID)}
	}
	return l.enqueue(o, now)
}

// ofImage reports whether an order comes from a push that names no commit.
func ofImage(o Order) bool {
	return o.Trigger == TriggerPush && o.Commit == "" && Push{Ref: o.Ref}.Image()
}

// joins reports whether order o can become part of pending deployment p.
func joins(p *Deployment, o Order) bool {
	return p.Trigger == TriggerPush && o.Trigger == TriggerPush && p.Ref == o.Ref && p.Status == Queued
}

// overtaken reports whether push o is the one that led to the commit which p
// started from. A push that goes back to that commit on purpose starts at p's.
func overtaken(p *Deployment, o Order) bool {
	return o.Commit != "" && o.Commit == p.Before && o.Before != p.Commit
}

func (l *Lane) enqueue(o Order, now time.Time) Placement {
	d := &Deployment{
		Project: o.Project, Status: Queued, Trigger: o.Trigger, Ref: o.Ref, Commit: o.Commit,
		Before: o.Before, Message: o.Message, By: o.By, Attempt: max(o.Attempt, 1), Origin: o.Origin,
		Override: o.Override, CreatedAt: now,
	}
	placed := Placement{Verdict: VerdictQueued, Into: d, New: true}
	if p := l.Pending; p != nil {
		p.Status = Superseded
		p.FinishedAt = &now
		placed.Superseded = p
		placed.Reason = fmt.Sprintf("replaces deployment %d, which was still waiting", p.ID)
	}
	if l.Lock != nil && !l.Lock.Expired(now) && !d.Override {
		placed.Verdict = VerdictDeferred
		placed.Reason = l.Lock.String()
	}
	l.Pending = d
	return placed
}

// Repeat decides what a redelivery of an already recorded delivery means, given
// the deployment that the first one led to (nil if it led to none). It returns
// false if the order has to be placed like a new one.
func Repeat(earlier *Deployment) (reason string, duplicate bool) {
	switch {
	case earlier == nil:
		return "this delivery was recorded before and deployed nothing", true
	case earlier.Status.RunsAgain():
		return fmt.Sprintf("deployment %d of the same delivery ended as %s", earlier.ID, earlier.Status), false
	}
	return fmt.Sprintf("this delivery was recorded before; deployment %d is %s", earlier.ID, earlier.Status), true
}
