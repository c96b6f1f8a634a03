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

// TestWhateverIsKilledLeavesATrueStateBehind kills parts of the service, or all
// of it, in the middle of `docker compose up`.
func TestWhateverIsKilledLeavesATrueStateBehind(t *testing.T) {
	needEngine(t)
	for _, tt := range []struct {
		name string
		kill func(s *service, deployment int64) // and restart
	}{
		{"the runner", func(s *service, deployment int64) {
			if err := syscall.Kill(ownerOf(s, deployment), syscall.SIGKILL); err != nil {
				s.t.Fatal(err)
			}
		}},
		{"the master", func(s *service, _ int64) {
			_ = s.cmd.Process.Kill()
			s.exited <- <-s.exited
			s.start()
		}},
		{"everything at once", func(s *service, _ int64) {
			s.killAll()
			s.start()
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t, "up=slow")
			r := fakeProject(t)
			s := newService(t, map[string]string{"site": entry(r.dir, "")}, "")
			s.env = f.env()
			s.start()
			id := s.mustPush("site", "1", noCommit, r.head)
			s.eventually(10*time.Second, "up runs", func() bool { return len(f.alive()) > 0 && stepOf(s, id) == deployer.StepUp })
			f.mode("")
			killed := time.Now()
			tt.kill(s, id)
			requireInterruptedOnce(t, s, f, id)
			if took := time.Since(killed); took > truth {
				t.Errorf("the truth took %s, want at most %s", took, truth)
			}
		})
	}
}

// TestKilledWorkersOfOtherPoolsDisturbNoDeployment: neither an HTTP worker nor
// the admin process is in the way of a deployment.
func TestKilledWorkersOfOtherPoolsDisturbNoDeployment(t *testing.T) {
	needEngine(t)
	f := newFake(t, "build=slow")
	r := fakeProject(t)
	s := newService(t, map[string]string{"site": entry(r.dir, "")}, "")
	s.env = f.env()
	s.start()
	id := s.mustPush("site", "1", noCommit, r.head)
	s.eventually(10*time.Second, "build runs", func() bool { return len(f.alive()) > 0 })
	for _, kind := range []string{"worker http", "worker admin"} {
		for _, pid := range s.workers(kind) {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	if d := s.over(id, 30*time.Second); d.Status != deployer.Succeeded || d.Attempt != 1 {
		t.Errorf("ended as %s, attempt %d: %s; want succeeded at the first", d.Status, d.Attempt, d.Reason)
	}
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
