package storetest

import (
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
)

func lockFacts() []fact {
	return []fact{
		{"a push waits behind a lock until it is released", lockDefers},
		{"a lock that expired locks nothing and goes", lockExpires},
		{"an override passes a lock", overridePasses},
		{"a second lock replaces the first", lockReplaces},
	}
}

func lockDefers(t *testing.T, open func() deployer.Store) {
	s := open()
	ok(t, s.Lock(t.Context(), deployer.Lock{Project: "web", Owner: "ops", Reason: "friday"}))
	got := accept(t, open(), hook("1", push("web", "main", 1)))
	if got.Verdict != deployer.VerdictDeferred || got.Reason != "locked by ops (friday)" {
		t.Fatalf("got %+v, want deferred", got)
	}
	enqueue(t, s, push("api", "main", 1))
	if d := claim(t, s, worker(1)); d.Project != "api" {
		t.Fatalf("claimed %s", d.Project)
	}
	_, err := s.Claim(t.Context(), worker(2), nil)
	wantIs(t, err, deployer.ErrNothingQueued)
	ok(t, s.Unlock(t.Context(), "web"))
	if d := claim(t, s, worker(2)); d.ID != got.Deployment {
		t.Errorf("claimed %d, want %d", d.ID, got.Deployment)
	}
}

func lockExpires(t *testing.T, open func() deployer.Store) {
	s, ctx := open(), t.Context()
	past := time.Now().Add(-time.Second)
	ok(t, s.Lock(ctx, deployer.Lock{Project: "web", Owner: "ops", ExpiresAt: &past}))
	if locks := must[[]deployer.Lock](t)(s.Locks(ctx)); len(locks) != 0 {
		t.Errorf("got %+v, want none", locks)
	}
	if got := accept(t, s, hook("1", push("web", "main", 1))); got.Verdict != deployer.VerdictQueued {
		t.Errorf("got %+v, want queued", got)
	}
	claim(t, s, worker(1))
	wantCode(t, s.Unlock(ctx, "web"), deployer.CodeNotFound)
	future := time.Now().Add(time.Hour)
	ok(t, s.Lock(ctx, deployer.Lock{Project: "web", Owner: "ops", ExpiresAt: &future}))
	if got := accept(t, s, hook("2", push("web", "main", 2))); got.Verdict != deployer.VerdictDeferred {
		t.Errorf("got %+v, want deferred", got)
	}
}

func overridePasses(t *testing.T, open func() deployer.Store) {
	s := open()
	ok(t, s.Lock(t.Context(), deployer.Lock{Project: "web", Owner: "ops"}))
	o := deployer.Order{Project: "web", Trigger: deployer.TriggerManual, Ref: "refs/heads/main", Override: true}
	d, verdict, err := s.Enqueue(t.Context(), o)
	ok(t, err)
	if verdict != deployer.VerdictQueued {
		t.Errorf("got %s, want queued", verdict)
	}
	if got := claim(t, s, worker(1)); got.ID != d.ID {
		t.Errorf("claimed %d, want %d", got.ID, d.ID)
	}
	if locks := must[[]deployer.Lock](t)(s.Locks(t.Context())); len(locks) != 1 {
		t.Errorf("the lock is gone: %+v", locks)
	}
}

func lockReplaces(t *testing.T, open func() deployer.Store) {
	s, ctx := open(), t.Context()
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	at := until.Add(-2 * time.Hour)
	second := deployer.Lock{Project: "web", Owner: "b", Reason: "r", CreatedAt: at, ExpiresAt: &until}
	ok(t, s.Lock(ctx, deployer.Lock{Project: "web", Owner: "a"}))
	ok(t, s.Lock(ctx, second))
	ok(t, s.Lock(ctx, deployer.Lock{Project: "api", Owner: "c"}))
	locks := must[[]deployer.Lock](t)(open().Locks(ctx))
	if len(locks) != 2 || locks[0].Project != "api" || time.Since(locks[0].CreatedAt) > time.Minute {
		t.Fatalf("got %+v, want api before web", locks)
	}
	equal(t, locks[1], second)
}
