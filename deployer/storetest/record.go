package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/budget"
)

func recordFacts() []fact {
	return []fact{
		{"deployments are listed newest first, filtered and paged", listDeployments},
		{"deliveries are listed newest first, filtered and paged", listDeliveries},
		{"the last healthy deployment is found", lastHealthy},
		{"the latest deployments of every project are found", latest},
		{"pruning keeps what it must", pruneKeeps},
		{"pruning deliveries goes by age", pruneDeliveries},
		{"counters survive pruning", tallyIsMonotonic},
		{"a ping writes, and a canceled call says unavailable", pingAndCancel},
		{"queries are charged to their request, shared ones to nobody", queriesAreCharged},
		{"a closed store says unavailable", closedStore},
	}
}

func listDeployments(t *testing.T, open func() deployer.Store) {
	s := open()
	var want []int64
	for i := range 5 {
		enqueue(t, s, push("web", "main", i))
		want = append(want, finish(t, s, claim(t, s, worker(1)), []deployer.Status{deployer.Failed, deployer.Succeeded}[i%2]).ID)
	}
	other := enqueue(t, s, push("api", "main", 1)).ID
	slices.Reverse(want)
	list := func(f deployer.DeploymentFilter) (ids []int64) {
		t.Helper()
		for _, d := range must[[]deployer.Deployment](t)(s.Deployments(t.Context(), f)) {
			ids = append(ids, d.ID)
		}
		return ids
	}
	equal(t, list(deployer.DeploymentFilter{}), append([]int64{other}, want...))
	equal(t, list(deployer.DeploymentFilter{Project: "web", Limit: 2}), want[:2])
	equal(t, list(deployer.DeploymentFilter{Project: "web", Before: want[1], Limit: 2}), want[2:4])
	equal(t, list(deployer.DeploymentFilter{Statuses: []deployer.Status{deployer.Succeeded}}), []int64{want[1], want[3]})
	equal(t, list(deployer.DeploymentFilter{Statuses: []deployer.Status{deployer.Queued, deployer.Running}}), []int64{other})
	equal(t, list(deployer.DeploymentFilter{Project: "nobody"}), nil)
}

func listDeliveries(t *testing.T, open func() deployer.Store) {
	s := open()
	var want []deployer.Delivery
	for i := range 4 {
		in := hook(fmt.Sprint(i), push("web", "main", i), push("api", "main", i))
		if i == 2 {
			in = hook(fmt.Sprint(i))
			in.Ignored = []deployer.Decision{{Project: "web", Verdict: deployer.VerdictIgnored, Reason: "no"}}
		}
		want = append(want, must[deployer.Delivery](t)(s.Accept(t.Context(), in)))
	}
	slices.Reverse(want)
	list := func(f deployer.DeliveryFilter) []deployer.Delivery {
		t.Helper()
		return must[[]deployer.Delivery](t)(s.Deliveries(t.Context(), f))
	}
	equal(t, list(deployer.DeliveryFilter{}), want)
	equal(t, list(deployer.DeliveryFilter{Limit: 2}), want[:2])
	equal(t, list(deployer.DeliveryFilter{Before: want[1].ID, Limit: 1}), want[2:3])
	equal(t, list(deployer.DeliveryFilter{Project: "api"}), []deployer.Delivery{want[0], want[2], want[3]})
	equal(t, list(deployer.DeliveryFilter{Verdict: deployer.VerdictIgnored}), want[1:2])
	equal(t, list(deployer.DeliveryFilter{Verdict: deployer.VerdictIgnored, Project: "api"}), nil)
}

func lastHealthy(t *testing.T, open func() deployer.Store) {
	s := open()
	var ids []int64
	for i, end := range []deployer.Status{deployer.Succeeded, deployer.Succeeded, deployer.Failed} {
		enqueue(t, s, push("web", "main", i))
		ids = append(ids, finish(t, s, claim(t, s, worker(1)), end).ID)
	}
	for before, want := range map[int64]int64{0: ids[1], ids[2]: ids[1], ids[1]: ids[0]} {
		if got := must[deployer.Deployment](t)(s.LastHealthy(t.Context(), "web", before)); got.ID != want {
			t.Errorf("before %d: got %d, want %d", before, got.ID, want)
		}
	}
	_, err := s.LastHealthy(t.Context(), "web", ids[0])
	wantCode(t, err, deployer.CodeNotFound)
}

func latest(t *testing.T, open func() deployer.Store) {
	s := open()
	equal(t, must[[]deployer.Deployment](t)(s.Latest(t.Context())), nil)
	var ids []int64
	for i, end := range []struct {
		project string
		status  deployer.Status
	}{
		{"web", deployer.Succeeded},
		{"api", deployer.Succeeded},
		{"web", deployer.Succeeded},
		{"docs", deployer.Failed},
		{"web", deployer.Failed},
		{"docs", deployer.TimedOut},
		{"web", deployer.Interrupted},
	} {
		enqueue(t, s, push(end.project, "main", i))
		ids = append(ids, finish(t, s, claim(t, s, worker(1)), end.status).ID)
	}
	enqueue(t, s, push("web", "main", 8))
	enqueue(t, s, push("new", "main", 8))
	var got []int64
	for _, d := range must[[]deployer.Deployment](t)(s.Latest(t.Context())) {
		got = append(got, d.ID)
	}
	// web was healthy third and ended last, docs never was healthy, api needs only one.
	equal(t, got, []int64{ids[6], ids[5], ids[2], ids[1]})
}

func pruneKeeps(t *testing.T, open func() deployer.Store) {
	s, ctx := open(), t.Context()
	var ids []int64
	for i, end := range []deployer.Status{deployer.Succeeded, deployer.Succeeded, deployer.Failed, deployer.Failed, deployer.Failed} {
		enqueue(t, s, push("web", "main", i))
		d := claim(t, s, worker(1))
		ok(t, s.Report(ctx, d.ID, worker(1), deployer.Progress{Step: &deployer.StepRun{Step: deployer.StepUp, StartedAt: time.Now()}}))
		ids = append(ids, finish(t, s, d, end).ID)
	}
	enqueue(t, s, push("web", "main", 8))
	running := claim(t, s, worker(1)).ID
	queued := enqueue(t, s, push("web", "main", 9)).ID
	alone := enqueue(t, s, push("api", "main", 1)).ID

	equal(t, must[[]int64](t)(s.Prune(ctx, deployer.Retention{})), nil)
	gone := must[[]int64](t)(s.Prune(ctx, deployer.Retention{Deployments: 3}))
	slices.Sort(gone)
	equal(t, gone, []int64{ids[0], ids[2], ids[3]}) // kept: the newest three, and the newest healthy one
	gone = must[[]int64](t)(s.Prune(ctx, deployer.Retention{Deployments: 1}))
	equal(t, gone, []int64{ids[4]})
	var left []int64
	for _, d := range must[[]deployer.Deployment](t)(all(ctx, s, deployer.DeploymentFilter{})) {
		left = append(left, d.ID)
	}
	equal(t, left, []int64{alone, queued, running, ids[1]})
	_, err := s.Deployment(ctx, ids[0])
	wantCode(t, err, deployer.CodeNotFound)
	if next := enqueue(t, s, push("new", "main", 1)).ID; next <= alone {
		t.Errorf("id %d was given out before", next)
	}
}

func pruneDeliveries(t *testing.T, open func() deployer.Store) {
	s := open()
	old := hook("old", push("web", "main", 1), push("api", "main", 1))
	old.ReceivedAt = time.Now().Add(-48 * time.Hour)
	first := must[deployer.Delivery](t)(s.Accept(t.Context(), old))
	second := must[deployer.Delivery](t)(s.Accept(t.Context(), hook("new", push("web", "main", 2))))
	must[[]int64](t)(s.Prune(t.Context(), deployer.Retention{Deliveries: 24 * time.Hour}))
	_, err := s.Delivery(t.Context(), first.ID)
	wantCode(t, err, deployer.CodeNotFound)
	equal(t, must[[]deployer.Delivery](t)(s.Deliveries(t.Context(), deployer.DeliveryFilter{})), []deployer.Delivery{second})
}

func tallyIsMonotonic(t *testing.T, open func() deployer.Store) {
	s, ctx := open(), t.Context()
	old := hook("1", push("web", "main", 1))
	old.ReceivedAt = time.Now().Add(-48 * time.Hour)
	accept(t, s, old)
	accept(t, s, hook("1", push("web", "main", 1)))
	finish(t, s, claim(t, s, worker(1)), deployer.Succeeded)
	accept(t, s, hook("2", push("web", "main", 2)))
	accept(t, s, hook("3", push("web", "next", 3)))
	must[deployer.Deployment](t)(s.Cancel(ctx, accept(t, open(), hook("4", push("api", "main", 1))).Deployment, "ops"))
	enqueue(t, s, push("api", "main", 2))
	stalled := true
	ok(t, s.Report(ctx, claim(t, s, worker(1), "api").ID, worker(1), deployer.Progress{Stalled: &stalled}))
	want := deployer.Tally{
		Deployments: map[deployer.Status]int64{deployer.Succeeded: 1, deployer.Superseded: 1, deployer.Canceled: 1},
		Deliveries: map[deployer.DeliveryKind]int64{
			{Provider: deployer.GitHub, Verdict: deployer.VerdictQueued}:    4,
			{Provider: deployer.GitHub, Verdict: deployer.VerdictDuplicate}: 1,
		},
		Queued: 1, Running: 1, Stalled: 1,
	}
	for range 2 {
		got := must[deployer.Tally](t)(s.Tally(ctx))
		if got.OldestQueued.IsZero() || time.Since(got.OldestQueued) > time.Minute {
			t.Errorf("the oldest waits since %v", got.OldestQueued)
		}
		if got.OldestRunning.IsZero() || time.Since(got.OldestRunning) > time.Minute {
			t.Errorf("the oldest runs since %v", got.OldestRunning)
		}
		got.OldestQueued, got.OldestRunning = time.Time{}, time.Time{}
		equal(t, got, want)
		must[[]int64](t)(s.Prune(ctx, deployer.Retention{Deliveries: time.Hour, Deployments: 1}))
	}
}

func pingAndCancel(t *testing.T, open func() deployer.Store) {
	s := open()
	ok(t, s.Ping(t.Context()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Accept(ctx, hook("1", push("web", "main", 1)))
	wantCode(t, err, deployer.CodeUnavailable)
	wantCode(t, s.Ping(ctx), deployer.CodeUnavailable)
	_, err = s.Deployments(ctx, deployer.DeploymentFilter{})
	wantCode(t, err, deployer.CodeUnavailable)
	accept(t, s, hook("2", push("web", "main", 1)))
}

func queriesAreCharged(t *testing.T, open func() deployer.Store) {
	s := open()
	ctx, ledger := budget.Start(t.Context(), "GET /deployments", 12)
	d, err := s.Accept(ctx, hook("1", push("web", "main", 1)))
	ok(t, err)
	if n := ledger.Queries(); n != 0 {
		t.Errorf("a shared transaction was charged with %d queries", n)
	}
	_, err = s.Cancel(ctx, d.Decisions[0].Deployment, "ops")
	ok(t, err)
	if n := ledger.Queries(); n < 2 || n > 6 {
		t.Errorf("a cancellation was charged with %d queries", n)
	}
	if excess, over := ledger.Over(); over {
		t.Errorf("over budget: %+v", excess)
	}
	for range 10 {
		must[deployer.Deployment](t)(s.Deployment(ctx, d.Decisions[0].Deployment))
	}
	excess, over := ledger.Over()
	if !over || excess.Repeats < 10 || excess.Limit != 12 || !strings.Contains(excess.Statement, "where") {
		t.Errorf("got %+v, %v; want a statement repeated at least 10 times", excess, over)
	}
}

func closedStore(t *testing.T, open func() deployer.Store) {
	open()
	s := open()
	ok(t, s.Close())
	_, err := s.Accept(t.Context(), hook("1", push("web", "main", 1)))
	wantCode(t, err, deployer.CodeUnavailable)
	wantCode(t, s.Ping(t.Context()), deployer.CodeUnavailable)
	_, err = s.Tally(t.Context())
	wantCode(t, err, deployer.CodeUnavailable)
}
