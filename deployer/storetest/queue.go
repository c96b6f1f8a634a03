package storetest

import (
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
)

func queueFacts() []fact {
	return []fact{
		{"orders are placed by the rules of the lane", enqueuePlaces},
		{"a claim moves the deployment and names its owner", claimMoves},
		{"a claim takes what has waited longest", claimIsFair},
		{"a claim keeps to its projects", claimKeepsToProjects},
		{"only one deployment of a project runs", oneRuns},
		{"a whole life with its steps", wholeLife},
		{"an end that is none is an illegal move", illegalEnd},
		{"a queued deployment is canceled at once", cancelQueued},
		{"the runner of a running deployment is asked", cancelRunning},
		{"what is over cannot be canceled", cancelOver},
		{"unknown ids are not found", unknownIDs},
	}
}

func enqueuePlaces(t *testing.T, open func() deployer.Store) {
	s := open()
	o := deployer.Order{Project: "web", Trigger: deployer.TriggerManual, Ref: "refs/heads/main", By: "ops", Origin: 7, Override: true}
	d, verdict, err := s.Enqueue(t.Context(), o)
	ok(t, err)
	if verdict != deployer.VerdictQueued || d.ID == 0 {
		t.Fatalf("got %s, %+v", verdict, d)
	}
	equal(t, must[deployer.Deployment](t)(s.Deployment(t.Context(), d.ID)), d)
	if d.Attempt != 1 || d.Origin != 7 || !d.Override || d.By != "ops" {
		t.Errorf("got %+v", d)
	}
	next, _, err := s.Enqueue(t.Context(), o)
	ok(t, err)
	if old := status(t, s, d.ID, deployer.Superseded); old.SupersededBy != next.ID {
		t.Errorf("superseded by %d, want %d", old.SupersededBy, next.ID)
	}
	_, verdict, err = s.Enqueue(t.Context(), push("web", "main", 1))
	ok(t, err)
	if verdict != deployer.VerdictQueued {
		t.Errorf("a push joined an order of a person: %s", verdict)
	}
}

func claimMoves(t *testing.T, open func() deployer.Store) {
	s := open()
	_, err := s.Claim(t.Context(), worker(1), nil)
	wantIs(t, err, deployer.ErrNothingQueued)
	queued := enqueue(t, s, push("web", "main", 1))
	d := claim(t, s, worker(1))
	if d.ID != queued.ID || d.Status != deployer.Running || d.StartedAt == nil || d.HeartbeatAt == nil || *d.Owner != worker(1) {
		t.Fatalf("got %+v", d)
	}
	equal(t, must[deployer.Deployment](t)(open().Deployment(t.Context(), d.ID)), d)
	_, err = s.Claim(t.Context(), worker(2), nil)
	wantIs(t, err, deployer.ErrNothingQueued)
}

func claimIsFair(t *testing.T, open func() deployer.Store) {
	s := open()
	var order []string
	for _, p := range []string{"c", "a", "b"} {
		enqueue(t, s, push(p, "main", 1))
	}
	enqueue(t, s, push("c", "main", 2)) // joins: it keeps its place
	enqueue(t, s, push("a", "next", 2)) // displaces: it goes to the end
	for i := range 3 {
		order = append(order, claim(t, s, worker(i)).Project)
	}
	equal(t, order, []string{"c", "b", "a"})
}

func claimKeepsToProjects(t *testing.T, open func() deployer.Store) {
	s := open()
	enqueue(t, s, push("a", "main", 1))
	enqueue(t, s, push("b", "main", 1))
	if d := claim(t, s, worker(1), "x", "b"); d.Project != "b" {
		t.Errorf("claimed %s, want b", d.Project)
	}
	_, err := s.Claim(t.Context(), worker(2), []string{"x", "b"})
	wantIs(t, err, deployer.ErrNothingQueued)
	_, err = s.Claim(t.Context(), worker(2), []string{})
	wantIs(t, err, deployer.ErrNothingQueued)
}

func oneRuns(t *testing.T, open func() deployer.Store) {
	s := open()
	enqueue(t, s, push("web", "main", 1))
	first := claim(t, s, worker(1))
	enqueue(t, s, push("web", "main", 2))
	_, err := open().Claim(t.Context(), worker(2), nil)
	wantIs(t, err, deployer.ErrNothingQueued)
	finish(t, s, first, deployer.Failed)
	if d := claim(t, s, worker(2)); d.Commit != commit(2) {
		t.Errorf("claimed %s", d.Commit)
	}
}

func wholeLife(t *testing.T, open func() deployer.Store) {
	s, ctx := open(), t.Context()
	enqueue(t, s, deployer.Order{Project: "web", Trigger: deployer.TriggerManual, Ref: "refs/heads/main"})
	d := claim(t, s, worker(1))
	begun := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	later := begun.Add(time.Second)
	yes, no := true, false
	report := func(p deployer.Progress) deployer.Deployment {
		t.Helper()
		ok(t, s.Report(ctx, d.ID, worker(1), p))
		return must[deployer.Deployment](t)(open().Deployment(ctx, d.ID))
	}
	report(deployer.Progress{Marker: "mark"})
	report(deployer.Progress{Step: &deployer.StepRun{Step: deployer.StepFetch, StartedAt: begun}})
	if got := report(deployer.Progress{Stalled: &yes}); got.StalledSince == nil || got.Step != deployer.StepFetch || got.Marker != "mark" {
		t.Errorf("got %+v, want stalled in fetch", got)
	}
	if got := report(deployer.Progress{Stalled: &no}); got.StalledSince != nil {
		t.Errorf("still stalled: %+v", got)
	}
	report(deployer.Progress{Stalled: &yes})
	got := report(deployer.Progress{
		Commit: commit(9), Message: "found",
		Step: &deployer.StepRun{Step: deployer.StepFetch, StartedAt: begun, FinishedAt: &later},
	})
	if got.StalledSince != nil || got.Commit != commit(9) || got.Message != "found" {
		t.Errorf("got %+v", got)
	}
	report(deployer.Progress{Step: &deployer.StepRun{Step: deployer.StepConfig, StartedAt: later}})

	images := []deployer.Image{{Service: "app", ID: "sha256:1", Tag: "seadog/web:1"}}
	end := must[deployer.Deployment](t)(s.Finish(ctx, d.ID, worker(1), deployer.Result{
		Status: deployer.Failed, Outcome: deployer.OutcomeRolledBack, Cause: deployer.CauseStepFailed, Reason: "config said no", Images: images,
	}))
	if end.Status != deployer.Failed || end.FinishedAt == nil || end.Outcome != deployer.OutcomeRolledBack ||
		end.Cause != deployer.CauseStepFailed || end.Reason != "config said no" {
		t.Errorf("got %+v", end)
	}
	got = must[deployer.Deployment](t)(s.Deployment(ctx, d.ID))
	equal(t, got.Steps, []deployer.StepRun{
		{Step: deployer.StepFetch, StartedAt: begun, FinishedAt: &later},
		{Step: deployer.StepConfig, StartedAt: later, FinishedAt: end.FinishedAt, Error: "config said no"},
	})
	equal(t, got.Images, images)
	got.Steps = nil
	equal(t, got, end)
}

func illegalEnd(t *testing.T, open func() deployer.Store) {
	s := open()
	enqueue(t, s, push("web", "main", 1))
	d := claim(t, s, worker(1))
	for _, bad := range []deployer.Status{deployer.Queued, deployer.Running, deployer.Superseded, ""} {
		_, err := s.Finish(t.Context(), d.ID, worker(1), deployer.Result{Status: bad})
		wantIs(t, err, deployer.ErrIllegalMove)
		wantCode(t, err, deployer.CodeConflict)
	}
	status(t, s, d.ID, deployer.Running)
}

func cancelQueued(t *testing.T, open func() deployer.Store) {
	s := open()
	d := enqueue(t, s, push("web", "main", 1))
	got := must[deployer.Deployment](t)(s.Cancel(t.Context(), d.ID, "ops"))
	if got.Status != deployer.Canceled || got.CancelBy != "ops" || got.FinishedAt == nil ||
		got.Cause != deployer.CauseCanceled || got.Outcome != deployer.OutcomeUntouched {
		t.Errorf("got %+v", got)
	}
	equal(t, must[deployer.Deployment](t)(s.Deployment(t.Context(), d.ID)), got)
	_, err := s.Claim(t.Context(), worker(1), nil)
	wantIs(t, err, deployer.ErrNothingQueued)
}

func cancelRunning(t *testing.T, open func() deployer.Store) {
	s := open()
	enqueue(t, s, push("web", "main", 1))
	d := claim(t, s, worker(1))
	got := must[deployer.Deployment](t)(open().Cancel(t.Context(), d.ID, "ops"))
	if got.Status != deployer.Running || got.CancelBy != "ops" {
		t.Errorf("got %+v", got)
	}
	must[deployer.Deployment](t)(s.Cancel(t.Context(), d.ID, "someone else"))
	beat := must[deployer.Deployment](t)(s.Heartbeat(t.Context(), d.ID, worker(1)))
	if beat.CancelBy != "ops" {
		t.Errorf("the runner sees %q, want ops", beat.CancelBy)
	}
	finish(t, s, d, deployer.Canceled)
}

func cancelOver(t *testing.T, open func() deployer.Store) {
	s := open()
	enqueue(t, s, push("web", "main", 1))
	d := finish(t, s, claim(t, s, worker(1)), deployer.Succeeded)
	_, err := s.Cancel(t.Context(), d.ID, "ops")
	wantCode(t, err, deployer.CodeConflict)
}

func unknownIDs(t *testing.T, open func() deployer.Store) {
	s, ctx := open(), t.Context()
	_, err := s.Deployment(ctx, 42)
	wantCode(t, err, deployer.CodeNotFound)
	_, err = s.Delivery(ctx, 42)
	wantCode(t, err, deployer.CodeNotFound)
	_, err = s.Cancel(ctx, 42, "ops")
	wantCode(t, err, deployer.CodeNotFound)
	_, err = s.Heartbeat(ctx, 42, worker(1))
	wantCode(t, err, deployer.CodeNotFound)
	_, err = s.Finish(ctx, 42, worker(1), deployer.Result{Status: deployer.Failed})
	wantCode(t, err, deployer.CodeNotFound)
	wantCode(t, s.Report(ctx, 42, worker(1), deployer.Progress{}), deployer.CodeNotFound)
	_, _, err = s.Reap(ctx, deployer.Deployment{ID: 42, Project: "web"}, deployer.Result{Status: deployer.Interrupted})
	wantCode(t, err, deployer.CodeNotFound)
	_, err = s.LastHealthy(ctx, "web", 0)
	wantCode(t, err, deployer.CodeNotFound)
	wantCode(t, s.Unlock(ctx, "web"), deployer.CodeNotFound)
	wantCode(t, s.Lock(ctx, deployer.Lock{}), deployer.CodeInvalid)
}
