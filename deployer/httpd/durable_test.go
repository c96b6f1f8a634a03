package httpd_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/httpd"
	"github.com/seadog/seadog/deployer/sqlite"
)

// durable runs a server on the embedded store.
func durable(t *testing.T) (*service, *sqlite.Store) {
	t.Helper()
	store, err := sqlite.Open(context.Background(), sqlite.Config{
		Path: filepath.Join(t.TempDir(), "seadog.db"), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return start(t, func(c *httpd.Config) { c.Store = store }), store
}

// TestTheWholeAPIOnTheEmbeddedStore goes through the life of two deployments.
func TestTheWholeAPIOnTheEmbeddedStore(t *testing.T) {
	t.Parallel()
	s, store := durable(t)
	ctx := context.Background()
	owner := deployer.Owner{Node: "n", Boot: "b", PID: 1, Started: 1}
	run := func(id int64, status deployer.Status) {
		t.Helper()
		d, err := store.Claim(ctx, owner, []string{"web", "docs"})
		if err != nil || d.ID != id {
			t.Fatalf("claimed %d, %v, want %d", d.ID, err, id)
		}
		if _, err := store.Finish(ctx, id, owner, deployer.Result{Status: status}); err != nil {
			t.Fatal(err)
		}
	}
	placed := func(action, body string) deployer.Placed {
		t.Helper()
		a := s.call("POST", "/api/v1/projects/web/"+action, adminToken, body)
		if a.status != 202 {
			t.Fatalf("%s: %s", action, a)
		}
		var p deployer.Placed
		a.decode(t, &p)
		return p
	}
	var d deployer.Delivery
	s.deliver("push", "id-1", push("refs/heads/main", commitA, commitB)).decode(t, &d)
	if diff := cmp.Diff([]string{"docs ignored", "web queued"}, sortedVerdicts(d)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var same deployer.Delivery
	if s.call("GET", fmt.Sprint("/api/v1/deliveries/", d.ID), readToken, "").decode(t, &same); same.ID != d.ID {
		t.Errorf("got %+v, want %+v", same, d)
	}
	run(1, deployer.Succeeded)
	s.deliver("push", "id-1", push("refs/heads/main", commitA, commitB)).decode(t, &d)
	if v := sortedVerdicts(d); v[len(v)-1] != "web duplicate" {
		t.Errorf("again: got %v", v)
	}
	if p := placed("deploy", `{"commit":"`+commitA+`"}`); p.Deployment.ID != 2 {
		t.Errorf("got %+v", p)
	}
	run(2, deployer.Succeeded)
	if p := placed("rollback", ``); p.Deployment.Origin != 1 || p.Deployment.Commit != commitB {
		t.Errorf("rollback: got %+v", p)
	}
	if a := s.call("POST", "/api/v1/deployments/3/cancel", deployToken, ""); a.status != 202 || !strings.Contains(a.String(), `"canceled"`) {
		t.Errorf("cancel: got %s", a)
	}
	s.call("PUT", "/api/v1/projects/web/lock", deployToken, `{"reason":"exam"}`)
	if p := placed("redeploy", ``); p.Verdict != deployer.VerdictDeferred || !strings.Contains(p.Reason, "exam") {
		t.Errorf("redeploy behind a lock: got %+v", p)
	}
	var state deployer.ProjectState
	s.call("GET", "/api/v1/projects/web", readToken, "").decode(t, &state)
	if state.Pending == nil || state.Last == nil || state.Last.ID != 3 || state.Healthy == nil || state.Healthy.ID != 2 || state.Lock == nil {
		t.Errorf("got %+v", state)
	}
	if a := s.call("DELETE", "/api/v1/projects/web/lock", deployToken, ""); a.status != 204 {
		t.Errorf("unlock: %s", a)
	}
	if log := s.log.String(); strings.Contains(log, "query budget exceeded") {
		t.Errorf("log:\n%s", log)
	}
}

func sortedVerdicts(d deployer.Delivery) []string {
	v := verdicts(d)
	if len(v) == 2 && v[0] > v[1] {
		v[0], v[1] = v[1], v[0]
	}
	return v
}

func TestAThousandIdenticalDeliveriesMakeOneDeployment(t *testing.T) {
	t.Parallel()
	s, store := durable(t)
	body := push("refs/heads/main", commitA, commitB)
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			for range 10 {
				if a := s.deliver("push", "the-same", body); a.status != 202 && a.status != 200 {
					t.Errorf("got %s", a)
				}
			}
		})
	}
	wg.Wait()
	all, err := store.Deployments(context.Background(), deployer.DeploymentFilter{})
	if err != nil || len(all) != 1 {
		t.Errorf("%d deployments, %v, want one", len(all), err)
	}
}
