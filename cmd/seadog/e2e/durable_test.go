package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
)

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
	s.restart()

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
	for project := range entries {
		requireOneTruth(t, s, project)
	}
}

// requireOneTruth: every attempt that was interrupted ran again once, or
// something newer took its place, and the newest deployment succeeded.
func requireOneTruth(t *testing.T, s *service, project string) {
	t.Helper()
	list, err := s.api.Deployments(context.Background(), deployer.DeploymentFilter{Project: project, Limit: 500})
	if err != nil || len(list.Deployments) == 0 {
		t.Fatalf("%s: %d deployments, error %v", project, len(list.Deployments), err)
	}
	if newest := list.Deployments[0]; newest.Status != deployer.Succeeded {
		t.Errorf("%s: the newest deployment is %s: %s", project, newest.Status, newest.Reason)
	}
	for i, d := range list.Deployments {
		switch d.Status {
		case deployer.Succeeded, deployer.Superseded:
		case deployer.Interrupted:
			if i == 0 || d.Cause != deployer.CauseOwnerDied || d.Attempt != 1 {
				t.Errorf("%s: deployment %d, attempt %d, was interrupted (%s), and nothing came after it", project, d.ID, d.Attempt, d.Cause)
			}
		default:
			t.Errorf("%s: deployment %d is %s: %s", project, d.ID, d.Status, d.Reason)
		}
	}
}
