package deployer_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

const mainRef = "refs/heads/main"

func pushOrder(before, commit string) deployer.Order {
	return deployer.Order{
		Project: "shop", Trigger: deployer.TriggerPush, Ref: mainRef, Before: before, Commit: commit, Message: "to " + commit, By: "ada",
	}
}

func running(id int64, before, commit string) *deployer.Deployment {
	return &deployer.Deployment{ID: id, Project: "shop", Status: deployer.Running, Trigger: deployer.TriggerPush, Ref: mainRef, Before: before, Commit: commit}
}

func pending(id int64, before, commit string) *deployer.Deployment {
	d := running(id, before, commit)
	d.Status = deployer.Queued
	return d
}

func TestLanePlaces(t *testing.T) {
	t.Parallel()
	tagged := pushOrder("", "B")
	tagged.Ref = "refs/tags/v1"
	manual := pushOrder("", "B")
	manual.Trigger = deployer.TriggerManual
	override := manual
	override.Override = true
	imageOrder := deployer.Order{Project: "shop", Trigger: deployer.TriggerPush, Ref: "acme/shop:1"}
	canceling := running(1, "A", "B")
	canceling.CancelBy = "ada"
	manualPending := pending(2, "A", "B")
	manualPending.Trigger = deployer.TriggerManual
	later, earlier := noon.Add(time.Hour), noon.Add(-time.Hour)
	lock := &deployer.Lock{Project: "shop", Owner: "ada"}

	for _, test := range []struct {
		fact       string
		lane       deployer.Lane
		order      deployer.Order
		verdict    deployer.Verdict
		reason     string
		commit     string // of what the order became part of
		superseded bool
	}{
		{"an empty lane queues", deployer.Lane{}, pushOrder("A", "B"), deployer.VerdictQueued, "", "B", false},
		{"a push waits for another commit that runs", deployer.Lane{Running: running(1, "0", "A")}, pushOrder("A", "B"), deployer.VerdictQueued, "", "B", false},

		// Rule 1.
		{"the commit that runs is a duplicate", deployer.Lane{Running: running(1, "A", "B")}, pushOrder("A", "B"), deployer.VerdictDuplicate, "commit B is being deployed", "B", false},
		{"not if it is being canceled", deployer.Lane{Running: canceling}, pushOrder("A", "B"), deployer.VerdictQueued, "", "B", false},
		{"not on another ref", deployer.Lane{Running: running(1, "A", "B")}, tagged, deployer.VerdictQueued, "", "B", false},
		{"not if a person asks", deployer.Lane{Running: running(1, "A", "B")}, manual, deployer.VerdictQueued, "", "B", false},
		{
			"not if something else would run after it",
			deployer.Lane{Running: running(1, "A", "B"), Pending: pending(2, "B", "C")},
			pushOrder("C", "B"),
			deployer.VerdictCoalesced, "deployment 2 was still waiting", "B", false,
		},
		{
			"not without a commit",
			deployer.Lane{Running: &deployer.Deployment{ID: 1, Status: deployer.Running, Trigger: deployer.TriggerPush, Ref: "acme/shop:1"}},
			imageOrder, deployer.VerdictQueued, "", "", false,
		},

		// Rule 2.
		{
			"an overtaken push changes nothing",
			deployer.Lane{Pending: pending(2, "B", "C")},
			pushOrder("A", "B"),
			deployer.VerdictCoalesced, "overtaken: deployment 2 already stands for a later commit", "C", false,
		},
		{
			"a push back on purpose does",
			deployer.Lane{Pending: pending(2, "B", "C")},
			pushOrder("C", "B"),
			deployer.VerdictCoalesced, "deployment 2 was still waiting", "B", false,
		},

		// Rule 3.
		{
			"a newer push moves the pending one",
			deployer.Lane{Pending: pending(2, "A", "B")},
			pushOrder("B", "C"),
			deployer.VerdictCoalesced, "deployment 2 was still waiting", "C", false,
		},
		{
			"the same commit again joins it",
			deployer.Lane{Pending: pending(2, "A", "B")},
			pushOrder("A", "B"),
			deployer.VerdictCoalesced, "deployment 2 was still waiting", "B", false,
		},
		{
			"also behind a lock",
			deployer.Lane{Pending: pending(2, "A", "B"), Lock: lock},
			pushOrder("B", "C"),
			deployer.VerdictCoalesced, "deployment 2 was still waiting", "C", false,
		},

		// Rule 4.
		{
			"another ref displaces",
			deployer.Lane{Pending: pending(2, "A", "A")},
			tagged, deployer.VerdictQueued,
			"replaces deployment 2, which was still waiting", "B", true,
		},
		{
			"a person displaces",
			deployer.Lane{Pending: pending(2, "A", "B")},
			manual, deployer.VerdictQueued,
			"replaces deployment 2, which was still waiting", "B", true,
		},
		{
			"a push displaces what a person asked for",
			deployer.Lane{Pending: manualPending},
			pushOrder("B", "C"), deployer.VerdictQueued,
			"replaces deployment 2, which was still waiting", "C", true,
		},

		// Locks.
		{"a lock defers", deployer.Lane{Lock: lock}, pushOrder("A", "B"), deployer.VerdictDeferred, "locked by ada", "B", false},
		{
			"a lock that still holds defers",
			deployer.Lane{Lock: &deployer.Lock{Owner: "ada", ExpiresAt: &later}},
			pushOrder("A", "B"),
			deployer.VerdictDeferred, "locked by ada until 2026-03-02T13:00:00Z", "B", false,
		},
		{"one that expired does not", deployer.Lane{Lock: &deployer.Lock{Owner: "ada", ExpiresAt: &earlier}}, pushOrder("A", "B"), deployer.VerdictQueued, "", "B", false},
		{"one that expires now does not", deployer.Lane{Lock: &deployer.Lock{Owner: "ada", ExpiresAt: &noon}}, pushOrder("A", "B"), deployer.VerdictQueued, "", "B", false},
		{"one that is overridden does not", deployer.Lane{Lock: lock}, override, deployer.VerdictQueued, "", "B", false},
	} {
		t.Run(test.fact, func(t *testing.T) {
			t.Parallel()
			lane := test.lane
			before := lane.Pending
			placed := lane.Place(test.order, noon)
			if placed.Verdict != test.verdict || placed.Reason != test.reason {
				t.Errorf("got %s (%s), want %s (%s)", placed.Verdict, placed.Reason, test.verdict, test.reason)
			}
			if placed.Into == nil || placed.Into.Commit != test.commit {
				t.Fatalf("became part of %+v, want commit %q", placed.Into, test.commit)
			}
			if (placed.Superseded != nil) != test.superseded {
				t.Errorf("superseded %+v, want one: %v", placed.Superseded, test.superseded)
			}
			if test.superseded && (placed.Superseded != before || before.Status != deployer.Superseded || before.FinishedAt == nil) {
				t.Errorf("superseded %+v is not what was pending, or not over", placed.Superseded)
			}
			if isNew := placed.Into != lane.Running && placed.Into != before; placed.New != isNew {
				t.Errorf("new is %v, want %v", placed.New, isNew)
			}
			if placed.Verdict != deployer.VerdictDuplicate && lane.Pending != placed.Into {
				t.Error("what the order became part of is not pending")
			}
		})
	}
}

func TestLaneQueuesAllThatTheOrderSays(t *testing.T) {
	t.Parallel()
	order := pushOrder("A", "B")
	order.Attempt, order.Origin, order.Override = 2, 7, true
	var lane deployer.Lane
	got := lane.Place(order, noon).Into
	want := &deployer.Deployment{
		Project: "shop", Status: deployer.Queued, Trigger: deployer.TriggerPush, Ref: mainRef, Commit: "B", Before: "A",
		Message: "to B", By: "ada", Attempt: 2, Origin: 7, Override: true, CreatedAt: noon,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if again := (&deployer.Lane{}).Place(pushOrder("A", "B"), noon).Into; again.Attempt != 1 {
		t.Errorf("attempt is %d, want 1", again.Attempt)
	}
}

func TestLaneKeepsWhatTheLastPushSays(t *testing.T) {
	t.Parallel()
	lane := deployer.Lane{Pending: pending(2, "A", "B")}
	lane.Place(pushOrder("B", "C"), noon)
	lane.Place(pushOrder("C", "D"), noon)
	p := lane.Pending
	if p.Commit != "D" || p.Before != "C" || p.Message != "to D" || p.By != "ada" || p.Coalesced != 2 || p.ID != 2 {
		t.Errorf("got %+v", p)
	}
}

// Whatever comes in while whatever ends, one runs and one waits at most, the
// commit of the last push is the last to run, and every order ends somewhere.
func TestLaneRunsTheLastCommitLast(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		world := &lanes{t: t, heads: map[string]string{}}
		for range 200 {
			if rng.IntN(3) == 0 {
				world.step()
			} else {
				world.push([]string{mainRef, "refs/tags/v1", "refs/heads/next"}[rng.IntN(1+int(seed%3))], rng)
			}
		}
		for world.lane.Running != nil || world.lane.Pending != nil {
			world.step()
		}
		if world.last != world.ran {
			t.Fatalf("seed %d: %s was pushed last, %s ran last", seed, world.last, world.ran)
		}
		if world.orders != world.deployed+world.joined+world.superseded {
			t.Fatalf("seed %d: %d orders, but %d ran, %d joined, %d superseded", seed, world.orders, world.deployed, world.joined, world.superseded)
		}
	}
}

// lanes plays store and runner for one lane.
type lanes struct {
	t     *testing.T
	lane  deployer.Lane
	heads map[string]string // commit of every ref
	ids   int64

	last, ran                            string // ref and commit
	orders, deployed, joined, superseded int
}

// push moves ref to a new commit, or to one that it was at before.
func (w *lanes) push(ref string, rng *rand.Rand) {
	commit := fmt.Sprintf("c%d", w.orders)
	if w.orders > 0 && rng.IntN(4) == 0 {
		commit = fmt.Sprintf("c%d", rng.IntN(w.orders))
	}
	if commit == w.heads[ref] {
		return
	}
	order := pushOrder(w.heads[ref], commit)
	order.Ref = ref
	w.heads[ref] = commit
	w.last = ref + "@" + commit
	w.orders++

	was := w.lane.Pending
	placed := w.lane.Place(order, noon)
	switch {
	case placed.New:
		w.ids++
		placed.Into.ID = w.ids
	default:
		w.joined++
	}
	if placed.Superseded != nil {
		w.superseded++
		if placed.Superseded != was {
			w.t.Fatal("superseded what was not pending")
		}
	}
	if r := w.lane.Running; r != nil && r.Status != deployer.Running {
		w.t.Fatalf("%s in the place of what runs", r.Status)
	}
	if p := w.lane.Pending; p != nil && p.Status != deployer.Queued {
		w.t.Fatalf("%s in the place of what waits", p.Status)
	}
}

// step ends what runs, or starts what waits.
func (w *lanes) step() {
	if w.lane.Running != nil {
		w.lane.Running = nil
		return
	}
	if p := w.lane.Pending; p != nil {
		p.Status = deployer.Running
		w.lane.Running, w.lane.Pending = p, nil
		w.deployed++
		w.ran = p.Ref + "@" + p.Commit
	}
}

func TestRepeat(t *testing.T) {
	t.Parallel()
	if reason, duplicate := deployer.Repeat(nil); !duplicate || reason != "this delivery was recorded before and deployed nothing" {
		t.Errorf("nothing deployed: %v, %q", duplicate, reason)
	}
	for _, status := range deployer.Statuses() {
		reason, duplicate := deployer.Repeat(&deployer.Deployment{ID: 9, Status: status})
		if duplicate == status.RunsAgain() {
			t.Errorf("%s: duplicate is %v", status, duplicate)
		}
		if !strings.Contains(reason, "deployment 9") || !strings.Contains(reason, string(status)) {
			t.Errorf("%s: reason %q names neither deployment nor status", status, reason)
		}
	}
}

func TestLockSaysWhoWhyAndUntilWhen(t *testing.T) {
	t.Parallel()
	until := noon.In(time.FixedZone("", 3600))
	for want, lock := range map[string]deployer.Lock{
		"locked by ada":                                   {Owner: "ada"},
		"locked by ada (release week)":                    {Owner: "ada", Reason: "release week"},
		"locked by ada (demo) until 2026-03-02T12:00:00Z": {Owner: "ada", Reason: "demo", ExpiresAt: &until},
	} {
		if got := lock.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	lock := deployer.Lock{ExpiresAt: &noon}
	for now, want := range map[time.Time]bool{noon.Add(-time.Nanosecond): false, noon: true, noon.Add(time.Hour): true} {
		if got := lock.Expired(now); got != want {
			t.Errorf("at %v: expired is %v, want %v", now, got, want)
		}
	}
	if (deployer.Lock{}).Expired(noon) {
		t.Error("a lock without an end expired")
	}
}

func TestAPushOfAnImageJoinsWhateverWaits(t *testing.T) {
	t.Parallel()
	image := deployer.Order{Project: "p", Trigger: deployer.TriggerPush, Ref: "shop/site:latest"}
	branch := deployer.Order{Project: "p", Trigger: deployer.TriggerPush, Ref: "refs/heads/main", Commit: strings.Repeat("a", 40)}
	lane := deployer.Lane{}
	waiting := lane.Place(branch, time.Now())
	if got := lane.Place(image, time.Now()); got.Verdict != deployer.VerdictCoalesced || got.Into != waiting.Into || got.Into.Commit != branch.Commit || got.Superseded != nil {
		t.Errorf("behind a branch: %+v, want coalesced into it, at its commit", got)
	}
	lane = deployer.Lane{}
	lane.Place(deployer.Order{Project: "p", Trigger: deployer.TriggerRollback, Ref: "refs/heads/main"}, time.Now())
	if got := lane.Place(image, time.Now()); got.Verdict != deployer.VerdictQueued || got.Superseded == nil {
		t.Errorf("behind a rollback: %+v, want queued in its place", got)
	}
}
