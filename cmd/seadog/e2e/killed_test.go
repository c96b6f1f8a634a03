package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
)

// truth is the time within which every deployment must have a true state again.
const truth = 20 * time.Second

func TestAKilledRunnersDeploymentIsInterruptedAndRunsAgainOnce(t *testing.T) {
	needEngine(t)
	f := newFake(t, "up=slow")
	r := fakeProject(t)
	s := newService(t, map[string]string{"site": entry(r.dir, "")}, "")
	s.env = f.env()
	s.start()
	id := s.mustPush("site", "1", noCommit, r.head)
	s.eventually(10*time.Second, "up runs", func() bool { return len(f.alive()) > 0 && stepOf(s, id) == deployer.StepUp })
	owner := ownerOf(s, id)
	if err := syscall.Kill(owner, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	f.mode("")
	requireInterruptedOnce(t, s, f, id)
}

func TestAKilledMasterLeavesATrueStateBehind(t *testing.T) {
	needEngine(t)
	f := newFake(t, "up=slow")
	r := fakeProject(t)
	s := newService(t, map[string]string{"site": entry(r.dir, "")}, "")
	s.env = f.env()
	s.start()
	id := s.mustPush("site", "1", noCommit, r.head)
	s.eventually(10*time.Second, "up runs", func() bool { return len(f.alive()) > 0 && stepOf(s, id) == deployer.StepUp })
	_ = s.cmd.Process.Kill()
	s.exited <- <-s.exited
	f.mode("")
	s.start()
	requireInterruptedOnce(t, s, f, id)
}

func TestEverythingKilledAtOnceLeavesATrueStateBehind(t *testing.T) {
	needEngine(t)
	f := newFake(t, "up=slow")
	r := fakeProject(t)
	s := newService(t, map[string]string{"site": entry(r.dir, "")}, "")
	s.env = f.env()
	s.start()
	id := s.mustPush("site", "1", noCommit, r.head)
	s.eventually(10*time.Second, "up runs", func() bool { return len(f.alive()) > 0 && stepOf(s, id) == deployer.StepUp })
	s.killAll()
	f.mode("")
	s.start()
	requireInterruptedOnce(t, s, f, id)
}

// requireInterruptedOnce: the deployment was interrupted, its leftovers are
// gone, its retry succeeded, there is no second one, and nothing is locked.
func requireInterruptedOnce(t *testing.T, s *service, f *fake, id int64) {
	t.Helper()
	d := s.over(id, truth)
	if d.Status != deployer.Interrupted || d.Reason == "" {
		t.Errorf("deployment %d ended as %s (%s), want interrupted with a reason", id, d.Status, d.Reason)
	}
	var retries []deployer.Deployment
	s.eventually(truth, "the retry is over", func() bool {
		list, err := s.api.Deployments(context.Background(), deployer.DeploymentFilter{Project: d.Project})
		retries = nil
		for _, other := range list.Deployments {
			if other.Origin == id {
				retries = append(retries, other)
			}
		}
		return err == nil && len(retries) > 0 && retries[0].Status.Final()
	})
	if len(retries) != 1 || retries[0].Status != deployer.Succeeded || retries[0].Attempt != 2 {
		t.Errorf("retries: %+v, want one that succeeded as attempt 2", retries)
	}
	if left := f.alive(); len(left) > 0 {
		t.Errorf("survivors: %v", left)
	}
	locks, err := s.api.Locks(context.Background())
	if err != nil || len(locks.Locks) > 0 {
		t.Errorf("locks %+v, error %v", locks, err)
	}
}

// TestAcceptedIsDurable kills every process in the middle of a storm, and
// counts: no delivery that was answered 202 may be missing.
func TestAcceptedIsDurable(t *testing.T) {
	needEngine(t)
	const projects, senders = 8, 32
	entries := map[string]string{}
	f := newFake(t, "")
	r := fakeProject(t)
	for i := range projects {
		entries[fmt.Sprintf("p%d", i)] = entry(r.dir, "")
	}
	s := newService(t, entries, "workers: {runners: 1}")
	s.env = f.env()
	s.start()

	var mu sync.Mutex
	accepted := map[int64]string{}
	var wg sync.WaitGroup
	ctx, stop := context.WithCancel(context.Background())
	for sender := range senders {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil && n < 2000; n++ {
				id := fmt.Sprintf("storm-%d-%d", sender, n)
				code, d, err := s.push(fmt.Sprintf("p%d", n%projects), id, noCommit, r.head)
				if err != nil {
					return // the service is gone
				}
				if code != http.StatusAccepted && code != http.StatusOK {
					t.Errorf("answered %d", code)
					return
				}
				mu.Lock()
				accepted[d.ID] = id
				mu.Unlock()
			}
		})
	}
	s.eventually(30*time.Second, "the storm is under way", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(accepted) > 1500
	})
	s.killAll()
	stop()
	wg.Wait()
	s.start()

	found := map[int64]string{}
	for before := int64(0); ; {
		page, err := s.api.Deliveries(context.Background(), deployer.DeliveryFilter{Before: before, Limit: 500})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range page.Deliveries {
			found[d.ID] = d.ExternalID
			if len(d.Decisions) == 0 {
				t.Errorf("delivery %d has no decision", d.ID)
			}
		}
		if before = page.Next; before == 0 {
			break
		}
	}
	for id, external := range accepted {
		if found[id] != external {
			t.Errorf("delivery %d (%s) was accepted and is lost; found %q", id, external, found[id])
		}
	}
	t.Logf("%d accepted, %d found", len(accepted), len(found))
	s.eventually(truth+20*time.Second, "every deployment is over", func() bool {
		o, err := s.api.Overview(context.Background())
		return err == nil && o.Running == 0 && o.Queued == 0
	})
}

func stepOf(s *service, id int64) deployer.Step {
	d, err := s.api.Deployment(context.Background(), id)
	if err != nil {
		return ""
	}
	return d.Step
}

func ownerOf(s *service, id int64) int {
	s.t.Helper()
	d, err := s.api.Deployment(context.Background(), id)
	if err != nil || d.Owner == nil {
		s.t.Fatalf("deployment %d: %+v, error %v", id, d, err)
	}
	return d.Owner.PID
}
