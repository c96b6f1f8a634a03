package e2e_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/storetest"
)

// TestOnPostgreSQL is the way of a push, and of a killed service, on the other store.
func TestOnPostgreSQL(t *testing.T) {
	needEngine(t)
	dsn := storetest.StartPostgres(t)
	f := newFake(t, "")
	r := fakeProject(t)
	s := newService(t, map[string]string{"site": entry(r.dir, "")}, fmt.Sprintf("store: {driver: postgres, dsn: %q}", dsn))
	s.env = f.env()
	s.start()
	if d := s.over(s.mustPush("site", "1", noCommit, r.head), 20*time.Second); d.Status != deployer.Succeeded {
		t.Fatalf("ended as %s: %s", d.Status, d.Reason)
	}
	f.mode("up=slow")
	_, next := r.commit(map[string]string{"compose.yaml": "services: {} # 2\n"})
	id := s.mustPush("site", "2", r.head, next)
	s.eventually(10*time.Second, "up runs", func() bool { return len(f.alive()) > 0 && stepOf(s, id) == deployer.StepUp })
	s.killAll()
	f.mode("")
	s.restart()
	requireInterruptedOnce(t, s, f, id)
	s.stop()
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
			again := other.Origin == id || d.Trigger == deployer.TriggerRollback && other.Trigger == d.Trigger && other.Origin == d.Origin
			if other.ID > id && again {
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

func stepOf(s *service, id int64) deployer.Step {
	d, err := s.api.Deployment(context.Background(), id)
	if err != nil {
		return ""
	}
	return d.Step
}
