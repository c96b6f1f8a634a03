package storetest

import (
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
)

func leaseFacts() []fact {
	return []fact{
		{"a heartbeat renews", heartbeatRenews},
		{"who is not the owner may write nothing", leaseIsLost},
		{"a reaped deployment runs again once", reapRetriesOnce},
		{"the second attempt at going back goes to the same", reapRetriesARollback},
		{"reaping leaves alone what lives or is over", reapLeavesAlone},
		{"a canceled deployment is not retried", reapCanceled},
		{"nothing is retried when something newer waits", reapSuperseded},
		{"a retry waits behind a lock", reapLocked},
		{"the abandoned come oldest heartbeat first", abandonedOrder},
		{"a lease is held by one", holdIsExclusive},
	}
}

func heartbeatRenews(t *testing.T, open func() deployer.Store) {
	s := open()
	enqueue(t, s, push("web", "main", 1))
	d := claim(t, s, worker(1))
	beat := must[deployer.Deployment](t)(s.Heartbeat(t.Context(), d.ID, worker(1)))
	if beat.HeartbeatAt.Before(*d.HeartbeatAt) {
		t.Errorf("heartbeat went back from %v to %v", d.HeartbeatAt, beat.HeartbeatAt)
	}
	equal(t, must[deployer.Deployment](t)(s.Deployment(t.Context(), d.ID)), beat)
}

func leaseIsLost(t *testing.T, open func() deployer.Store) {
	s, ctx := open(), t.Context()
	enqueue(t, s, push("web", "main", 1))
	d := claim(t, s, worker(1))
	refused := func(owner deployer.Owner) {
		t.Helper()
		_, err := s.Heartbeat(ctx, d.ID, owner)
		wantIs(t, err, deployer.ErrLeaseLost)
		wantIs(t, s.Report(ctx, d.ID, owner, deployer.Progress{Marker: "x"}), deployer.ErrLeaseLost)
		_, err = s.Finish(ctx, d.ID, owner, deployer.Result{Status: deployer.Succeeded})
		wantIs(t, err, deployer.ErrLeaseLost)
		wantCode(t, err, deployer.CodeConflict)
	}
	reused := worker(1)
	reused.Started++ // the same pid, used again
	refused(reused)
	refused(worker(2))
	status(t, s, d.ID, deployer.Running)
	_, ok, err := s.Reap(ctx, d, deployer.Result{Status: deployer.Interrupted})
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	refused(worker(1))
}

func reapRetriesOnce(t *testing.T, open func() deployer.Store) {
	s, ctx := open(), t.Context()
	o := push("web", "main", 1)
	o.Override = true
	enqueue(t, s, o)
	d := claim(t, s, worker(1))
	ok(t, s.Report(ctx, d.ID, worker(1), deployer.Progress{Step: &deployer.StepRun{Step: deployer.StepUp, StartedAt: time.Now()}}))
	ended, done, err := s.Reap(ctx, d, deployer.Result{Status: deployer.Interrupted, Cause: deployer.CauseOwnerDied, Reason: "killed"})
	if err != nil || !done || ended.Status != deployer.Interrupted || ended.Cause != deployer.CauseOwnerDied || ended.FinishedAt == nil {
		t.Fatalf("got %+v, %v, %v", ended, done, err)
	}
	if steps := status(t, s, d.ID, deployer.Interrupted).Steps; len(steps) != 1 || steps[0].FinishedAt == nil || steps[0].Error != "killed" {
		t.Errorf("the open step is %+v", steps)
	}
	again := claim(t, s, worker(2))
	if again.Attempt != 2 || again.Origin != d.ID || again.Trigger != deployer.TriggerRetry || again.Commit != d.Commit || !again.Override {
		t.Fatalf("got %+v", again)
	}
	if _, done, err := s.Reap(ctx, again, deployer.Result{Status: deployer.Interrupted}); err != nil || !done {
		t.Fatal(done, err)
	}
	_, err = s.Claim(ctx, worker(3), nil)
	wantIs(t, err, deployer.ErrNothingQueued)
}

func reapRetriesARollback(t *testing.T, open func() deployer.Store) {
	s, ctx := open(), t.Context()
	enqueue(t, s, push("web", "main", 1))
	healthy := claim(t, s, worker(1))
	finish(t, s, healthy, deployer.Succeeded)
	enqueue(t, s, deployer.Order{Project: "web", Trigger: deployer.TriggerRollback, Ref: healthy.Ref, Commit: healthy.Commit, Origin: healthy.ID})
	d := claim(t, s, worker(1))
	if _, done, err := s.Reap(ctx, d, deployer.Result{Status: deployer.Interrupted}); err != nil || !done {
		t.Fatal(done, err)
	}
	again := claim(t, s, worker(2))
	if again.Attempt != 2 || again.Trigger != deployer.TriggerRollback || again.Origin != healthy.ID {
		t.Fatalf("got %+v", again)
	}
}

func reapLeavesAlone(t *testing.T, open func() deployer.Store) {
	s, ctx := open(), t.Context()
	enqueue(t, s, push("web", "main", 1))
	d := claim(t, s, worker(1))
	interrupted := deployer.Result{Status: deployer.Interrupted}
	stale, other := d, d
	early := d.HeartbeatAt.Add(-time.Second)
	stale.HeartbeatAt = &early
	owner := worker(2)
	other.Owner = &owner
	for name, seen := range map[string]deployer.Deployment{"a later heartbeat": stale, "another owner": other} {
		got, done, err := s.Reap(ctx, seen, interrupted)
		if err != nil || done || got.Status != deployer.Running {
			t.Errorf("%s: got %+v, %v, %v", name, got, done, err)
		}
	}
	finish(t, s, d, deployer.Succeeded)
	got, done, err := s.Reap(ctx, d, interrupted)
	if err != nil || done || got.Status != deployer.Succeeded {
		t.Errorf("over: got %+v, %v, %v", got, done, err)
	}
}

func reapCanceled(t *testing.T, open func() deployer.Store) {
	s := open()
	enqueue(t, s, push("web", "main", 1))
	claim(t, s, worker(1))
	running := must[[]deployer.Deployment](t)(s.Abandoned(t.Context()))
	must[deployer.Deployment](t)(s.Cancel(t.Context(), running[0].ID, "ops"))
	_, done, err := s.Reap(t.Context(), running[0], deployer.Result{Status: deployer.Interrupted})
	if err != nil || !done {
		t.Fatal(done, err)
	}
	_, err = s.Claim(t.Context(), worker(2), nil)
	wantIs(t, err, deployer.ErrNothingQueued)
}

func reapSuperseded(t *testing.T, open func() deployer.Store) {
	s := open()
	enqueue(t, s, push("web", "main", 1))
	d := claim(t, s, worker(1))
	newer := enqueue(t, s, push("web", "main", 2))
	if _, done, err := s.Reap(t.Context(), d, deployer.Result{Status: deployer.Interrupted}); err != nil || !done {
		t.Fatal(done, err)
	}
	if got := claim(t, s, worker(2)); got.ID != newer.ID {
		t.Errorf("claimed %d, want %d", got.ID, newer.ID)
	}
	if n := len(must[[]deployer.Deployment](t)(s.Deployments(t.Context(), deployer.DeploymentFilter{}))); n != 2 {
		t.Errorf("%d deployments, want 2", n)
	}
}

func reapLocked(t *testing.T, open func() deployer.Store) {
	s := open()
	enqueue(t, s, push("web", "main", 1))
	d := claim(t, s, worker(1))
	ok(t, s.Lock(t.Context(), deployer.Lock{Project: "web", Owner: "ops"}))
	if _, done, err := s.Reap(t.Context(), d, deployer.Result{Status: deployer.Interrupted}); err != nil || !done {
		t.Fatal(done, err)
	}
	_, err := s.Claim(t.Context(), worker(2), nil)
	wantIs(t, err, deployer.ErrNothingQueued)
	ok(t, s.Unlock(t.Context(), "web"))
	claim(t, s, worker(2))
}

func abandonedOrder(t *testing.T, open func() deployer.Store) {
	s := open()
	var ids []int64
	for i, p := range []string{"a", "b", "c"} {
		enqueue(t, s, push(p, "main", 1))
		ids = append(ids, claim(t, s, worker(i)).ID)
	}
	enqueue(t, s, push("d", "main", 1))
	must[deployer.Deployment](t)(s.Heartbeat(t.Context(), ids[0], worker(0)))
	var got []int64
	for _, d := range must[[]deployer.Deployment](t)(s.Abandoned(t.Context())) {
		got = append(got, d.ID)
	}
	equal(t, got, []int64{ids[1], ids[2], ids[0]})
}

func holdIsExclusive(t *testing.T, open func() deployer.Store) {
	s, other, ctx := open(), open(), t.Context()
	hold := func(s deployer.Store, n int, ttl time.Duration) bool {
		t.Helper()
		return must[bool](t)(s.Hold(ctx, "keeper", worker(n), ttl))
	}
	if !hold(s, 1, time.Hour) || hold(other, 2, time.Hour) || !hold(other, 1, time.Hour) {
		t.Fatal("a lease that is held was given away, or not renewed")
	}
	if held := must[bool](t)(s.Hold(ctx, "another", worker(2), time.Hour)); !held {
		t.Fatal("leases are not told apart")
	}
	if !hold(s, 1, -time.Second) || !hold(other, 2, time.Hour) || hold(s, 1, time.Hour) {
		t.Fatal("an expired lease was not passed on")
	}
}
