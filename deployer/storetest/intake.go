package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/seadog/seadog/deployer"
)

func intakeFacts() []fact {
	return []fact{
		{"a push is queued and everything about it can be read back", pushIsQueued},
		{"what is ignored is recorded with its reason", ignoredIsRecorded},
		{"one delivery can concern several projects", severalProjects},
		{"a delivery without a decision is refused", emptyIsRefused},
		{"a second push joins the one that waits", secondPushJoins},
		{"a push of another ref displaces the one that waits", otherRefDisplaces},
		{"a push of the commit that runs is a duplicate", runningIsDuplicate},
		{"an overtaken push does not bring an old commit back", overtakenPush},
		{"a redelivery is a duplicate, whoever receives it", redeliveryIsDuplicate},
		{"a redelivery of what failed runs again, and once", redeliveryOfFailure},
		{"a redelivery of what was a duplicate of a running one stays a duplicate", redeliveryOfDuplicate},
		{"an id is only the same on the same hook, and none is never the same", idsAreOfTheirHook},
		{"bytes that no database stores are replaced alike", hostileText},
	}
}

func pushIsQueued(t *testing.T, open func() deployer.Store) {
	s, o := open(), push("web", "main", 1)
	in := hook("1", o)
	in.ReceivedAt = time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.FixedZone("", 3600))
	got := must[deployer.Delivery](t)(s.Accept(t.Context(), in))
	want := deployer.Delivery{
		ID: got.ID, Hook: "hook", Provider: deployer.GitHub, ExternalID: "1", Event: "push", Bytes: 7000,
		ReceivedAt: time.Date(2026, 1, 2, 2, 4, 5, 678901000, time.UTC),
		Decisions: []deployer.Decision{{
			Project: "web", Ref: o.Ref, Commit: o.Commit, Verdict: deployer.VerdictQueued, Deployment: got.Decisions[0].Deployment,
		}},
	}
	equal(t, got, want)
	equal(t, must[deployer.Delivery](t)(open().Delivery(t.Context(), got.ID)), want)

	d := must[deployer.Deployment](t)(open().Deployment(t.Context(), got.Decisions[0].Deployment))
	equal(t, d, deployer.Deployment{
		ID: d.ID, Project: "web", Status: deployer.Queued, Trigger: deployer.TriggerPush, Ref: o.Ref, Commit: o.Commit,
		Message: o.Message, By: o.By, Attempt: 1, CreatedAt: d.CreatedAt,
	})
	if age := time.Since(d.CreatedAt); age < 0 || age > time.Minute {
		t.Errorf("created %v ago", age)
	}
}

func ignoredIsRecorded(t *testing.T, open func() deployer.Store) {
	s := open()
	in := hook("ping")
	in.Event, in.Ignored = "ping", []deployer.Decision{{Reason: "a ping", Verdict: deployer.VerdictIgnored}}
	got := must[deployer.Delivery](t)(s.Accept(t.Context(), in))
	equal(t, got.Decisions, in.Ignored)
	equal(t, must[deployer.Delivery](t)(s.Delivery(t.Context(), got.ID)), got)
	_, err := s.Claim(t.Context(), worker(1), nil)
	wantIs(t, err, deployer.ErrNothingQueued)
}

func severalProjects(t *testing.T, open func() deployer.Store) {
	s := open()
	in := hook("1", push("web", "main", 1), push("api", "main", 1))
	in.Ignored = []deployer.Decision{{Project: "docs", Ref: "refs/heads/main", Commit: commit(1), Verdict: deployer.VerdictIgnored, Reason: "no"}}
	got := must[deployer.Delivery](t)(s.Accept(t.Context(), in))
	if len(got.Decisions) != 3 {
		t.Fatalf("%d decisions, want 3", len(got.Decisions))
	}
	equal(t, must[deployer.Delivery](t)(s.Delivery(t.Context(), got.ID)), got)
	for _, project := range []string{"web", "api", "docs"} {
		found := must[[]deployer.Delivery](t)(s.Deliveries(t.Context(), deployer.DeliveryFilter{Project: project}))
		equal(t, found, []deployer.Delivery{got})
	}
	claim(t, s, worker(1), "web")
	claim(t, s, worker(2), "api")
}

func emptyIsRefused(t *testing.T, open func() deployer.Store) {
	s := open()
	_, err := s.Accept(t.Context(), hook("1"))
	wantCode(t, err, deployer.CodeInvalid)
	_, err = s.Accept(t.Context(), hook("1", deployer.Order{Trigger: deployer.TriggerPush}))
	wantCode(t, err, deployer.CodeInvalid)
	_, _, err = s.Enqueue(t.Context(), deployer.Order{})
	wantCode(t, err, deployer.CodeInvalid)
}

func secondPushJoins(t *testing.T, open func() deployer.Store) {
	s := open()
	first := accept(t, s, hook("1", push("web", "main", 1)))
	second := accept(t, open(), hook("2", push("web", "main", 2)))
	if second.Verdict != deployer.VerdictCoalesced || second.Deployment != first.Deployment {
		t.Fatalf("got %+v, want coalesced into %d", second, first.Deployment)
	}
	if want := fmt.Sprintf("deployment %d was still waiting", first.Deployment); second.Reason != want {
		t.Errorf("reason %q, want %q", second.Reason, want)
	}
	d := status(t, s, first.Deployment, deployer.Queued)
	if d.Commit != commit(2) || d.Coalesced != 1 || d.Message != "change 2" {
		t.Errorf("got commit %s, coalesced %d, message %q", d.Commit, d.Coalesced, d.Message)
	}
}

func otherRefDisplaces(t *testing.T, open func() deployer.Store) {
	s := open()
	first := accept(t, s, hook("1", push("web", "main", 1)))
	second := accept(t, s, hook("2", push("web", "next", 2)))
	if second.Verdict != deployer.VerdictQueued || second.Deployment <= first.Deployment {
		t.Fatalf("got %+v, want a newer deployment than %d", second, first.Deployment)
	}
	d := status(t, s, first.Deployment, deployer.Superseded)
	if d.SupersededBy != second.Deployment || d.FinishedAt == nil || d.Reason == "" {
		t.Errorf("got %+v", d)
	}
	if got := claim(t, s, worker(1)); got.ID != second.Deployment {
		t.Errorf("claimed %d, want %d", got.ID, second.Deployment)
	}
}

func runningIsDuplicate(t *testing.T, open func() deployer.Store) {
	s := open()
	accept(t, s, hook("1", push("web", "main", 1)))
	d := claim(t, s, worker(1))
	got := accept(t, s, hook("2", push("web", "main", 1)))
	if got.Verdict != deployer.VerdictDuplicate || got.Deployment != d.ID || got.Reason == "" {
		t.Fatalf("got %+v, want a duplicate of %d", got, d.ID)
	}
	if got := accept(t, s, hook("3", push("web", "main", 2))); got.Verdict != deployer.VerdictQueued {
		t.Fatalf("got %+v, want queued", got)
	}
}

func overtakenPush(t *testing.T, open func() deployer.Store) {
	s := open()
	newer, older := push("web", "main", 2), push("web", "main", 1)
	newer.Before = commit(1)
	first := accept(t, s, hook("2", newer))
	got := accept(t, s, hook("1", older))
	if got.Verdict != deployer.VerdictCoalesced || !strings.Contains(got.Reason, "overtaken") {
		t.Fatalf("got %+v, want overtaken", got)
	}
	if d := status(t, s, first.Deployment, deployer.Queued); d.Commit != commit(2) {
		t.Errorf("commit %s, want %s", d.Commit, commit(2))
	}
}

func redeliveryIsDuplicate(t *testing.T, open func() deployer.Store) {
	s, other := open(), open()
	first := accept(t, s, hook("1", push("web", "main", 1)))
	for i, st := range []deployer.Store{s, other, s} {
		got := accept(t, st, hook("1", push("web", "main", 1)))
		if got.Verdict != deployer.VerdictDuplicate || got.Deployment != first.Deployment {
			t.Fatalf("redelivery %d: got %+v, want a duplicate of %d", i, got, first.Deployment)
		}
	}
	if d := status(t, s, first.Deployment, deployer.Queued); d.Coalesced != 0 {
		t.Errorf("coalesced %d, want 0", d.Coalesced)
	}
	finish(t, s, claim(t, s, worker(1)), deployer.Succeeded)
	if got := accept(t, s, hook("1", push("web", "main", 1))); got.Verdict != deployer.VerdictDuplicate {
		t.Errorf("after success: got %+v, want a duplicate", got)
	}
}

func redeliveryOfFailure(t *testing.T, open func() deployer.Store) {
	s := open()
	first := accept(t, s, hook("1", push("web", "main", 1)))
	finish(t, s, claim(t, s, worker(1)), deployer.Failed)
	again := accept(t, open(), hook("1", push("web", "main", 1)))
	if again.Verdict != deployer.VerdictQueued || again.Deployment == first.Deployment {
		t.Fatalf("got %+v, want a new deployment", again)
	}
	got := accept(t, s, hook("1", push("web", "main", 1)))
	if got.Verdict != deployer.VerdictDuplicate || got.Deployment != again.Deployment {
		t.Fatalf("got %+v, want a duplicate of %d", got, again.Deployment)
	}
}

func redeliveryOfDuplicate(t *testing.T, open func() deployer.Store) {
	s := open()
	accept(t, s, hook("1", push("web", "main", 1)))
	d := claim(t, s, worker(1))
	if got := accept(t, s, hook("2", push("web", "main", 1))); got.Verdict != deployer.VerdictDuplicate {
		t.Fatalf("got %+v, want a duplicate", got)
	}
	finish(t, s, d, deployer.Succeeded)
	if got := accept(t, s, hook("2", push("web", "main", 1))); got.Verdict != deployer.VerdictDuplicate || got.Deployment != d.ID {
		t.Fatalf("got %+v, want a duplicate of %d", got, d.ID)
	}
}

func idsAreOfTheirHook(t *testing.T, open func() deployer.Store) {
	s := open()
	for i, in := range []deployer.Intake{hook("1", push("web", "main", 1)), hook("1", push("web", "main", 1)), hook("", push("web", "main", 1))} {
		if i == 1 {
			in.Hook = "other"
		}
		if got := accept(t, s, in); got.Verdict == deployer.VerdictDuplicate {
			t.Fatalf("delivery %d: got %+v", i, got)
		}
	}
	if got := accept(t, s, hook("", push("web", "main", 1))); got.Verdict != deployer.VerdictCoalesced {
		t.Fatalf("got %+v, want coalesced", got)
	}
}

func hostileText(t *testing.T, open func() deployer.Store) {
	s := open()
	o := push("web", "main", 1)
	o.Message, o.By = "a\x00b\xff\xc3\x28 Grüße 🐕", "\x00"
	in := hook("id\x00"+strings.Repeat("x", 100_000), o)
	in.Event = "\xf0\x9f"
	in.Ignored = []deployer.Decision{{Reason: "'; drop table deliveries; --\x00" + strings.Repeat("ü", 100_000)}}
	got := must[deployer.Delivery](t)(s.Accept(t.Context(), in))
	equal(t, must[deployer.Delivery](t)(s.Delivery(t.Context(), got.ID)), got)
	d := must[deployer.Deployment](t)(s.Deployment(t.Context(), got.Decisions[0].Deployment))
	equal(t, d.Message, "a\uFFFDb\uFFFD( Grüße 🐕")
	equal(t, d.By, "\uFFFD")
	if again := must[deployer.Delivery](t)(s.Accept(t.Context(), in)); again.Decisions[0].Verdict != deployer.VerdictDuplicate {
		t.Errorf("got %+v, want a duplicate", again.Decisions[0])
	}
	ok(t, s.Lock(t.Context(), deployer.Lock{Project: "web", Owner: "a\x00", Reason: "\xff"}))
	locks := must[[]deployer.Lock](t)(s.Locks(t.Context()))
	equal(t, locks, []deployer.Lock{{Project: "web", Owner: "a\uFFFD", Reason: "\uFFFD"}}, cmpopts.IgnoreFields(deployer.Lock{}, "CreatedAt"))
}
