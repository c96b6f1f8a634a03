package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/seadog/seadog/deployer"
)

func crowdFacts() []fact {
	return []fact{
		{"1,000 identical deliveries lead to one deployment", identicalDeliveries},
		{"200 pushes leave at most two deployments, the last commit among them", manyPushes},
		{"claims from everywhere never share a deployment or a project", manyClaims},
		{"everything at once keeps the queue consistent", everythingAtOnce},
		{"many projects at once each get a deployment", manyProjects},
	}
}

func identicalDeliveries(t *testing.T, open func() deployer.Store) {
	stores := []deployer.Store{open(), open()}
	in := hook("same", push("web", "main", 1))
	var mu sync.Mutex
	verdicts := map[deployer.Verdict]int{}
	ok(t, together(1000, func(i int) error {
		d, err := stores[i%2].Accept(t.Context(), in)
		if err == nil {
			mu.Lock()
			verdicts[d.Decisions[0].Verdict]++
			mu.Unlock()
		}
		return err
	}))
	equal(t, verdicts, map[deployer.Verdict]int{deployer.VerdictQueued: 1, deployer.VerdictDuplicate: 999})
	if n := len(must[[]deployer.Deployment](t)(all(t.Context(), stores[0], deployer.DeploymentFilter{}))); n != 1 {
		t.Errorf("%d deployments, want 1", n)
	}
}

func manyPushes(t *testing.T, open func() deployer.Store) {
	stores := []deployer.Store{open(), open()}
	accept(t, stores[0], hook("first", push("web", "main", 0)))
	claim(t, stores[0], worker(1))
	ok(t, together(200, func(i int) error {
		_, err := stores[i%2].Accept(t.Context(), hook(fmt.Sprint(i), push("web", "main", i+1)))
		return err
	}))
	last := accept(t, stores[1], hook("last", push("web", "main", 999)))
	live := 0
	for _, d := range must[[]deployer.Deployment](t)(all(t.Context(), stores[0], deployer.DeploymentFilter{})) {
		if d.Status != deployer.Superseded {
			live++
		}
	}
	if live > 2 {
		t.Errorf("%d deployments that are not superseded, want at most 2", live)
	}
	if d := status(t, stores[0], last.Deployment, deployer.Queued); d.Commit != commit(999) || d.Coalesced != 200 {
		t.Errorf("%s waits for %d pushes, want the last commit and 200", d.Commit, d.Coalesced)
	}
}

func manyClaims(t *testing.T, open func() deployer.Store) {
	const projects, runners = 12, 8
	stores := []deployer.Store{open(), open()}
	for p := range projects {
		enqueue(t, stores[0], push(fmt.Sprintf("p%d", p), "main", 1))
	}
	var mu sync.Mutex
	claimed, running := map[int64]bool{}, map[string]bool{}
	ok(t, together(runners, func(i int) error {
		s := stores[i%2]
		for {
			d, err := s.Claim(t.Context(), worker(i), nil)
			if errors.Is(err, deployer.ErrNothingQueued) {
				return nil
			}
			if err != nil {
				return err
			}
			mu.Lock()
			twice := claimed[d.ID] || running[d.Project]
			claimed[d.ID], running[d.Project] = true, true
			mu.Unlock()
			if twice {
				return fmt.Errorf("deployment %d or its project %s was claimed twice", d.ID, d.Project)
			}
			if _, _, err := s.Enqueue(t.Context(), push(d.Project, "main", 2)); err != nil {
				return err
			}
		}
	}))
	if len(claimed) != projects {
		t.Errorf("%d claimed, want %d", len(claimed), projects)
	}
}

// everythingAtOnce lets pushes, runners, cancelers, lockers and the reaper loose on three projects.
func everythingAtOnce(t *testing.T, open func() deployer.Store) {
	stores := []deployer.Store{open(), open()}
	ctx := t.Context()
	ok(t, together(12, func(i int) error {
		s := stores[i%2]
		for n := range 30 {
			project := fmt.Sprintf("p%d", (i+n)%3)
			if err := act(t, s, i, n, project); err != nil {
				return err
			}
		}
		return nil
	}))
	perProject := map[string]int{}
	for _, d := range must[[]deployer.Deployment](t)(all(ctx, stores[0], deployer.DeploymentFilter{})) {
		if d.Status == deployer.Queued {
			perProject[d.Project]++
		}
		if d.Status.Final() != (d.FinishedAt != nil) {
			t.Errorf("deployment %d is %s, finished at %v", d.ID, d.Status, d.FinishedAt)
		}
	}
	for p, n := range perProject {
		if n > 1 {
			t.Errorf("%d deployments of %s wait", n, p)
		}
	}
}

func act(t *testing.T, s deployer.Store, i, n int, project string) error {
	ctx := t.Context()
	switch i % 4 {
	case 0, 1:
		_, err := s.Accept(ctx, hook(fmt.Sprintf("%d-%d", i, n), push("p0", "main", n), push(project, []string{"main", "next"}[n%2], n)))
		return err
	case 2:
		d, err := s.Claim(ctx, worker(i), nil)
		if errors.Is(err, deployer.ErrNothingQueued) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := s.Heartbeat(ctx, d.ID, worker(i)); err != nil && !errors.Is(err, deployer.ErrLeaseLost) {
			return err
		}
		_, err = s.Finish(ctx, d.ID, worker(i), deployer.Result{Status: deployer.Succeeded})
		if errors.Is(err, deployer.ErrLeaseLost) {
			return nil
		}
		return err
	}
	running, err := s.Abandoned(ctx)
	if err != nil {
		return err
	}
	for _, d := range running {
		if _, _, err := s.Reap(ctx, d, deployer.Result{Status: deployer.Interrupted}); err != nil {
			return err
		}
	}
	return s.Lock(ctx, deployer.Lock{Project: "other", Owner: "ops"})
}

func manyProjects(t *testing.T, open func() deployer.Store) {
	stores := []deployer.Store{open(), open()}
	const n = 300
	ok(t, together(n, func(i int) error {
		_, err := stores[i%2].Accept(t.Context(), hook(fmt.Sprint(i), push(fmt.Sprintf("p%03d", i), "main", i)))
		return err
	}))
	queued := must[[]deployer.Deployment](t)(all(t.Context(), stores[0], deployer.DeploymentFilter{Statuses: []deployer.Status{deployer.Queued}}))
	seen := map[string]bool{}
	for _, d := range queued {
		seen[d.Project] = true
	}
	if len(queued) != n || len(seen) != n {
		t.Errorf("%d deployments of %d projects, want %d", len(queued), len(seen), n)
	}
}
