package httpd_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/httpd"
)

func TestDeployAsksForWhatThePersonMeant(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		project, body string
		ref, commit   string
	}{
		"nothing: the first branch":            {"web", ``, "refs/heads/main", ""},
		"an empty object":                      {"web", `{}`, "refs/heads/main", ""},
		"a branch":                             {"web", `{"ref":"feature/x"}`, "refs/heads/feature/x", ""},
		"a full ref":                           {"web", `{"ref":"refs/tags/v1"}`, "refs/tags/v1", ""},
		"a commit":                             {"web", `{"commit":"` + commitB + `"}`, "refs/heads/main", commitB},
		"a project that only follows an image": {"cache", ``, "acme/cache:latest", ""},
		"a ref where the branch is a pattern":  {"docs", `{"ref":"release/1"}`, "refs/heads/release/1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			a := s.call("POST", "/api/v1/projects/"+test.project+"/deploy", deployToken, test.body)
			if a.status != 202 {
				t.Fatalf("got %s, want 202", a)
			}
			var p deployer.Placed
			a.decode(t, &p)
			d := p.Deployment
			if d.Ref != test.ref || d.Commit != test.commit || d.Trigger != deployer.TriggerManual || d.By != "alice" || d.Project != test.project {
				t.Errorf("got %+v", d)
			}
			if s.rings.Load() != 1 {
				t.Errorf("rang %d times, want once", s.rings.Load())
			}
		})
	}
}

// TestBadInputIsRefusedWithWhatIsWrong also holds hostile values against every field.
func TestBadInputIsRefusedWithWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := start(t)
	populate(t, s)
	const web = "/api/v1/projects/web/"
	for _, test := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"POST", web + "deploy", `{"ref":"--upload-pack=touch /tmp/x"}`, 400, `"ref"`},
		{"POST", web + "deploy", `{"ref":"-x"}`, 400, `"ref"`},
		{"POST", web + "deploy", `{"ref":"refs/heads/../../etc"}`, 400, `"ref"`},
		{"POST", web + "deploy", `{"ref":"a\u0000b"}`, 400, `"ref"`},
		{"POST", web + "deploy", `{"ref":"refs/pull/1/head"}`, 400, `"ref"`},
		{"POST", web + "deploy", `{"commit":"HEAD"}`, 400, `"commit"`},
		{"POST", web + "deploy", `{"commit":"` + strings.Repeat("0", 40) + `"}`, 400, `"commit"`},
		{"POST", web + "deploy", `{"reff":"main"}`, 400, `unknown field \"reff\"`},
		{"POST", web + "deploy", `{"ref":7}`, 400, `\"ref\" cannot be a JSON number`},
		{"POST", web + "deploy", `{"ref":"main"} {"ref":"main"}`, 400, "after its JSON"},
		{"POST", web + "deploy", `["ref"]`, 400, "JSON object"},
		{"POST", web + "deploy", `{"ref":"main"`, 400, "JSON object"},
		{"POST", web + "deploy", strings.Repeat(`{"ref":`, 9000), 400, "JSON object"},
		{"POST", web + "deploy", strings.Repeat(`[`, 60000), 400, "JSON"},
		{"POST", web + "deploy", `{"ref":"` + strings.Repeat("x", 70<<10) + `"}`, 413, "larger than 65536"},
		{"POST", "/api/v1/projects/docs/deploy", `{}`, 400, "give a ref"},
		{"POST", web + "redeploy", `{"deployment":-1}`, 400, `"deployment"`},
		{"POST", web + "redeploy", `{"deployment":99}`, 404, "no deployment 99"},
		{"POST", "/api/v1/projects/docs/redeploy", `{"deployment":1}`, 404, "no deployment 1"},
		{"POST", "/api/v1/projects/docs/redeploy", `{}`, 409, "never deployed"},
		{"POST", web + "rollback", `{"deployment":3}`, 409, "only one that succeeded"},
		{"POST", "/api/v1/projects/docs/rollback", ``, 409, "no earlier healthy"},
		{"PUT", web + "lock", `{"for":"soon"}`, 400, `"for"`},
		{"PUT", web + "lock", `{"for":"-1h"}`, 400, `"for"`},
		{"PUT", web + "lock", `{"reason":"two\nlines"}`, 400, `"reason"`},
		{"PUT", web + "lock", `{"reason":"` + strings.Repeat("x", 501) + `"}`, 400, `"reason"`},
		{"GET", "/api/v1/projects/..%2f..%2fetc", ``, 404, "no such project"},
		{"GET", "/api/v1/projects/WEB", ``, 404, "no such project"},
		{"GET", "/api/v1/deployments/x", ``, 400, "id in the path"},
		{"GET", "/api/v1/deployments/-1", ``, 400, "id in the path"},
		{"GET", "/api/v1/deployments/99999999999999999999", ``, 400, "id in the path"},
		{"GET", "/api/v1/deployments?status=done", ``, 400, "status"},
		{"GET", "/api/v1/deployments?limit=501", ``, 400, "limit"},
		{"GET", "/api/v1/deployments?limit=many", ``, 400, "limit"},
		{"GET", "/api/v1/deployments?before=-1", ``, 400, "before"},
		{"GET", "/api/v1/deployments?project=..", ``, 400, "project"},
		{"GET", "/api/v1/deliveries?verdict=maybe", ``, 400, "verdict"},
		{"GET", "/api/v1/deliveries?verdict=queued,ignored", ``, 400, "one verdict"},
		{"GET", "/api/v1/deployments/1/logs?from=x", ``, 400, "position"},
		{"GET", "/api/v1/deployments/1/logs?from=99:0", ``, 400, "position"},
		{"GET", "/api/v1/deployments/77/logs", ``, 404, "77"},
		{"GET", "/nowhere", ``, 404, "nothing at this path"},
		{"GET", "/api/v1/status/", ``, 404, "nothing at this path"},
		{"PATCH", "/api/v1/status", ``, 405, "does not take that method"},
		{"BREW", "/api/v1/status", ``, 405, "does not take that method"},
	} {
		a := s.call(test.method, test.path, adminToken, test.body)
		if a.status != test.status || !strings.Contains(a.String(), test.says) && !strings.Contains(a.problem(t).Error.Message, test.says) {
			t.Errorf("%s %s %.60s: got %s, want %d with %s", test.method, test.path, test.body, a, test.status, test.says)
		}
		if p := a.problem(t).Error; p.Code == "" || p.Request == "" || len(a.body) > 1000 {
			t.Errorf("%s %s: %s is no proper problem", test.method, test.path, a)
		}
	}
	if n := len(s.store.deployments); n != 3 {
		t.Errorf("%d deployments, want the 3 there were", n)
	}
}

func TestRollbackGoesToWhereAPersonWantsToBe(t *testing.T) {
	t.Parallel()
	const ok, bad = deployer.Succeeded, deployer.Failed
	type past struct {
		status  deployer.Status
		outcome deployer.Outcome
	}
	for name, test := range map[string]struct {
		past []past
		body string
		want int64
	}{
		"the healthy one before the one that runs":            {[]past{{ok, ""}, {ok, ""}, {ok, ""}}, ``, 2},
		"a failure that touched nothing changes nothing":      {[]past{{ok, ""}, {ok, ""}, {bad, deployer.OutcomeUntouched}}, ``, 1},
		"a failure that was rolled back changes nothing":      {[]past{{ok, ""}, {ok, ""}, {bad, deployer.OutcomeRolledBack}}, ``, 1},
		"out of the pieces, to the newest healthy one":        {[]past{{ok, ""}, {ok, ""}, {bad, deployer.OutcomeLeft}}, ``, 2},
		"out of a failed rollback, to the newest healthy one": {[]past{{ok, ""}, {ok, ""}, {bad, deployer.OutcomeRollbackFailed}, {bad, deployer.OutcomeUntouched}}, ``, 2},
		"a given one": {[]past{{ok, ""}, {ok, ""}, {ok, ""}}, `{"deployment":1}`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			for i, p := range test.past {
				s.store.add(deployer.Deployment{
					Project: "web", Status: p.status, Outcome: p.outcome, Ref: "refs/heads/main", Commit: strings.Repeat(fmt.Sprint(i+1), 40),
				})
			}
			a := s.call("POST", "/api/v1/projects/web/rollback", deployToken, test.body)
			if a.status != 202 {
				t.Fatalf("got %s", a)
			}
			var p deployer.Placed
			a.decode(t, &p)
			d := p.Deployment
			if d.Origin != test.want || d.Commit != strings.Repeat(fmt.Sprint(test.want), 40) || d.Trigger != deployer.TriggerRollback {
				t.Errorf("goes back to %d (%+v), want %d", d.Origin, d, test.want)
			}
		})
	}
}

func TestRedeployRepeatsTheNewestOrTheGivenOne(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int64{``: 2, `{"deployment":1}`: 1} {
		s := start(t)
		s.store.add(deployer.Deployment{Project: "web", Status: deployer.Succeeded, Ref: "refs/heads/main", Commit: commitA})
		s.store.add(deployer.Deployment{Project: "web", Status: deployer.Failed, Ref: "refs/tags/v2", Commit: commitB})
		a := s.call("POST", "/api/v1/projects/web/redeploy", deployToken, body)
		var p deployer.Placed
		a.decode(t, &p)
		if p.Deployment.Origin != want || p.Deployment.Ref == "" || p.Deployment.Trigger != deployer.TriggerRedeploy {
			t.Errorf("%q: got %s, want a repetition of %d", body, a, want)
		}
	}
}

func TestALockDefersExpiresAndRingsWhenReleased(t *testing.T) {
	t.Parallel()
	clock := time.Now()
	s := start(t, func(c *httpd.Config) { c.Now = func() time.Time { return clock } })
	a := s.call("PUT", "/api/v1/projects/web/lock", deployToken, `{"reason":"exam","for":"90m"}`)
	var l deployer.Lock
	a.decode(t, &l)
	if l.Owner != "alice" || l.Reason != "exam" || l.ExpiresAt == nil || !l.ExpiresAt.Equal(l.CreatedAt.Add(90*time.Minute)) {
		t.Errorf("got %s", a)
	}
	var p deployer.Placed
	s.call("POST", "/api/v1/projects/web/deploy", deployToken, ``).decode(t, &p)
	if p.Verdict != deployer.VerdictDeferred || !strings.Contains(p.Reason, "exam") {
		t.Errorf("got %+v, want it deferred because of the lock", p)
	}
	locks := func() int {
		var list struct{ Locks []deployer.Lock }
		s.call("GET", "/api/v1/locks", readToken, ``).decode(t, &list)
		return len(list.Locks)
	}
	if n := locks(); n != 1 {
		t.Errorf("%d locks, want 1", n)
	}
	clock = clock.Add(2 * time.Hour)
	if n := locks(); n != 0 {
		t.Errorf("%d locks after it expired, want none", n)
	}
	rings := s.rings.Load()
	if a := s.call("DELETE", "/api/v1/projects/web/lock", deployToken, ``); a.status != 204 {
		t.Errorf("got %s, want 204", a)
	}
	if s.rings.Load() != rings+1 {
		t.Error("unlocking rang nobody")
	}
}

func TestListsAreReadPageByPage(t *testing.T) {
	t.Parallel()
	s := start(t)
	for range 7 {
		s.store.add(deployer.Deployment{Project: "web", Status: deployer.Failed})
		s.deliver("ping", "", []byte(`{"zen":"x"}`))
	}
	for _, path := range []string{"/api/v1/deployments?limit=3", "/api/v1/deliveries?limit=3"} {
		var seen []int64
		next := int64(0)
		for range 10 {
			var page struct {
				Deployments []deployer.Deployment
				Deliveries  []deployer.Delivery
				Next        int64
			}
			s.call("GET", fmt.Sprintf("%s&before=%d", path, next), readToken, ``).decode(t, &page)
			for _, d := range page.Deployments {
				seen = append(seen, d.ID)
			}
			for _, d := range page.Deliveries {
				seen = append(seen, d.ID)
			}
			if next = page.Next; next == 0 {
				break
			}
		}
		if diff := cmp.Diff([]int64{7, 6, 5, 4, 3, 2, 1}, seen); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

func TestAProjectShowsWhereItStands(t *testing.T) {
	t.Parallel()
	s := start(t)
	populate(t, s) // 1 and 2 healthy, 3 runs
	failed := s.store.add(deployer.Deployment{Project: "web", Status: deployer.Failed})
	queued := s.store.add(deployer.Deployment{Project: "web", Status: deployer.Queued})
	s.store.locks["web"] = deployer.Lock{Project: "web", Owner: "al"}
	var one deployer.ProjectState
	s.call("GET", "/api/v1/projects/web", readToken, ``).decode(t, &one)
	var list struct{ Projects []deployer.ProjectState }
	s.call("GET", "/api/v1/projects", readToken, ``).decode(t, &list)
	if len(list.Projects) != 3 || list.Projects[2].Name != "web" {
		t.Fatalf("got %+v, want three by name", list)
	}
	for _, p := range []deployer.ProjectState{one, list.Projects[2]} {
		if p.Running == nil || p.Running.ID != 3 || p.Pending == nil || p.Pending.ID != queued ||
			p.Last == nil || p.Last.ID != failed || p.Healthy == nil || p.Healthy.ID != 2 || p.Lock == nil {
			t.Errorf("got %+v", p)
		}
		if p.Repository != "https://git.example.org/acme/web.git" || p.Hook != "gh" || p.Provider != deployer.GitHub {
			t.Errorf("got %+v", p)
		}
	}
}

func TestTheOverviewShowsWhatMovesAndWhatEndedLast(t *testing.T) {
	t.Parallel()
	s := start(t)
	oldest := time.Now().Add(-time.Hour).UTC()
	for range 12 {
		s.store.add(deployer.Deployment{Project: "docs", Status: deployer.Succeeded})
	}
	s.store.add(deployer.Deployment{Project: "web", Status: deployer.Queued, CreatedAt: oldest})
	s.store.add(deployer.Deployment{Project: "docs", Status: deployer.Running})
	s.store.add(deployer.Deployment{Project: "docs", Status: deployer.Queued})
	var o deployer.Overview
	s.call("GET", "/api/v1/status", readToken, ``).decode(t, &o)
	if o.Queued != 2 || o.Running != 1 || len(o.Deployments) != 13 || o.Version != "test" || o.OldestQueued == nil || !o.OldestQueued.Equal(oldest) {
		t.Errorf("got %+v", o)
	}
}

// TestNoListAsksOncePerItem: the number of queries does not depend on how much there is.
func TestNoListAsksOncePerItem(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *httpd.Config) {
		c.Limits.QueryBudget = 4
		for i := range 100 {
			c.Projects = append(c.Projects, deployer.Project{Name: fmt.Sprintf("p%d", i), Hook: "gh"})
		}
	})
	for i := range 300 {
		s.store.add(deployer.Deployment{Project: fmt.Sprintf("p%d", i%100), Status: deployer.Succeeded})
	}
	for _, path := range []string{"status", "projects", "projects/p5", "locks", "deployments", "deployments/1", "deliveries"} {
		if a := s.call("GET", "/api/v1/"+path, readToken, ``); a.status != 200 {
			t.Errorf("%s: %s", path, a)
		}
	}
	if strings.Contains(s.log.String(), "query budget exceeded") {
		t.Errorf("log:\n%s", s.log)
	}
}

func TestARequestAboveItsQueryBudgetIsNamed(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *httpd.Config) { c.Limits.QueryBudget = 1 })
	s.call("GET", "/api/v1/status", readToken, ``)
	eventually(t, "the observer hears of it", func() bool { return strings.Contains(s.counted.String(), "over /api/v1/status") })
	for _, want := range []string{"query budget exceeded", "route=/api/v1/status", "queries=3", "statement=deployments", "repeats=2"} {
		if !strings.Contains(s.log.String(), want) {
			t.Errorf("no %s in the log:\n%s", want, s.log)
		}
	}
}
