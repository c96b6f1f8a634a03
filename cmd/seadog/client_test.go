package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
)

func TestStatus(t *testing.T) {
	t.Parallel()
	running, queued, failed, succeeded := deployments()
	overview := deployer.Overview{
		Version: "1.2.3", Time: time.Now().UTC(), Queued: 1, Running: 1, OldestQueued: at(30500 * time.Millisecond),
		Deployments: []deployer.Deployment{running, queued, failed, succeeded},
		Locks:       []deployer.Lock{{Project: "blog", Owner: "eve", Reason: "fair"}},
	}
	project := deployer.ProjectState{
		Name: "shop", Repository: "https://git.example/shop", Hook: "shop", Provider: deployer.GitHub,
		Running: &running, Last: &failed, Healthy: &succeeded,
	}
	s := newService(t, map[string]any{
		"GET /api/v1/status": overview, "GET /api/v1/projects/shop": project,
		"GET /api/v1/projects": map[string]any{"projects": []deployer.ProjectState{
			project, {Name: "blog", Hook: "all", Provider: deployer.GitLab, Pending: &queued, Lock: &overview.Locks[0]}, {Name: "new", Hook: "new", Provider: deployer.Gitea},
		}},
	})
	t.Run("of everything", func(t *testing.T) {
		s.run(t, "status").want(t, 0, `
seadog 1.2.3: 1 running, 1 queued, the oldest waits for 30s
blog is locked by eve (fair)
ID  PROJECT  STATUS                  REF     COMMIT        BY               CREATED  TOOK   REASON
14  shop     running build           main    3f2a9c1d77aa  ana              1m ago   1m20s
15  blog     queued                  tag v1                ci               30s ago
9   shop     timed out, rolled back  main    3f2a9c1d77aa  redeploy by ana  3h ago   2m05s  build printed nothing for 5m0s
8   shop     succeeded               main    3f2a9c1d77aa  eve              2d ago   4.2s
`)
	})
	t.Run("of one project", func(t *testing.T) {
		s.run(t, "status", "shop").want(t, 0, `
project     shop
repository  https://git.example/shop
hook        shop (github)
healthy     deployment 8, main at 3f2a9c1d77aa
ID  PROJECT  STATUS                  REF   COMMIT        BY               CREATED  TOOK   REASON
14  shop     running build           main  3f2a9c1d77aa  ana              1m ago   1m20s
9   shop     timed out, rolled back  main  3f2a9c1d77aa  redeploy by ana  3h ago   2m05s  build printed nothing for 5m0s
`)
	})
	t.Run("of every project", func(t *testing.T) {
		s.run(t, "projects").want(t, 0, `
PROJECT  STATUS          LIVE                  SINCE   HOOK  PROVIDER  LOCK
shop     running build   main at 3f2a9c1d77aa  2d ago  shop  github
blog     queued                                        all   gitlab    locked by eve (fair)
new      never deployed                                new   gitea
`)
	})
	t.Run("as JSON is what the API said", func(t *testing.T) {
		var got deployer.Overview
		out := s.run(t, "status", "--json")
		if err := json.Unmarshal([]byte(out.stdout), &got); err != nil || out.code != 0 {
			t.Fatalf("exit code %d, %v", out.code, err)
		}
		if diff := cmp.Diff(overview, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestDeployments(t *testing.T) {
	t.Parallel()
	_, _, failed, succeeded := deployments()
	list := map[string]any{"deployments": []deployer.Deployment{succeeded}, "next": 8}
	s := newService(t, map[string]any{"GET /api/v1/deployments": list, "GET /api/v1/deployments/9": failed})
	t.Run("are listed by page", func(t *testing.T) {
		s.run(t, "deployments", "--project", "shop", "--status", "failed,timed_out", "--limit", "1").want(t, 0, `
ID  PROJECT  STATUS     REF   COMMIT        BY   CREATED  TOOK  REASON
8   shop     succeeded  main  3f2a9c1d77aa  eve  2d ago   4.2s
older ones: --before 8
`)
		if got := s.requests(); got != "GET /api/v1/deployments?limit=1&project=shop&status=failed%2Ctimed_out" {
			t.Errorf("asked %s", got)
		}
	})
	t.Run("are shown with their steps", func(t *testing.T) {
		created := failed.CreatedAt.Local().Format(time.DateTime)
		s.run(t, "deployments", "9").want(t, 0, fmt.Sprintf(`
deployment   9
project      shop
status       timed out, rolled back
reason       build printed nothing for 5m0s
left behind  the last healthy deployment runs again
ref          refs/heads/main
commit       %s
by           redeploy by ana
created      %s (3h ago)
took         2m05s
origin       deployment 8
STEP   TOOK   RESULT
fetch  1s     ok
build  2m05s  nothing printed%s for 5m0s
`, commit, created, "\uFFFD"))
	})
	t.Run("in a status that there is not", func(t *testing.T) {
		s.run(t, "deployments", "--status", "lost").want(t, 2, "")
	})
}

func TestDeliveriesSayWhyTheyDidOrDidNotDeploy(t *testing.T) {
	t.Parallel()
	deliveries := []deployer.Delivery{
		{ID: 31, Hook: "mono", Provider: deployer.GitHub, ExternalID: "72d3162e", Event: "push", ReceivedAt: past(30500 * time.Millisecond), Bytes: 6803, Decisions: []deployer.Decision{
			{Project: "shop", Ref: "refs/heads/main", Commit: commit, Verdict: deployer.VerdictCoalesced, Deployment: 14, Reason: "deployment 14 was still waiting"},
			{Project: "blog", Ref: "refs/heads/main", Commit: commit, Verdict: deployer.VerdictIgnored, Reason: "none of the 3 changed files matches paths"},
		}},
		{ID: 30, Hook: "mono", Event: "push", ReceivedAt: past(150 * time.Second), Decisions: []deployer.Decision{
			{Project: "shop", Ref: "refs/heads/main", Commit: commit, Verdict: deployer.VerdictDeferred, Deployment: 14, Reason: "locked by eve"},
			{Project: "blog", Ref: "refs/heads/main", Verdict: deployer.VerdictQueued, Deployment: 13},
			{Project: "wiki", Ref: "refs/heads/main", Verdict: deployer.VerdictDuplicate, Deployment: 11, Reason: "commit 3f2a9c1d77aa is being deployed"},
		}},
		{ID: 29, Hook: "mono", Event: "ping", ReceivedAt: past(150 * time.Second), Decisions: []deployer.Decision{{Verdict: deployer.VerdictIgnored, Reason: "a ping"}}},
	}
	s := newService(t, map[string]any{
		"GET /api/v1/deliveries":    map[string]any{"deliveries": deliveries, "next": 0},
		"GET /api/v1/deliveries/31": deliveries[0],
	})
	t.Run("one line per decision", func(t *testing.T) {
		s.run(t, "deliveries", "--project=shop", "--verdict=ignored").want(t, 0, `
ID  RECEIVED  HOOK  EVENT  PROJECT  REF   COMMIT        DECISION
31  30s ago   mono  push   shop     main  3f2a9c1d77aa  became part of deployment 14: deployment 14 was still waiting
                           blog     main  3f2a9c1d77aa  ignored: none of the 3 changed files matches paths
30  2m ago    mono  push   shop     main  3f2a9c1d77aa  deployment 14 waits: locked by eve
                           blog     main                queued as deployment 13
                           wiki     main                duplicate: commit 3f2a9c1d77aa is being deployed
29  2m ago    mono  ping                                ignored: a ping
`)
		if got := s.requests(); got != "GET /api/v1/deliveries?project=shop&verdict=ignored" {
			t.Errorf("asked %s", got)
		}
	})
	t.Run("one delivery", func(t *testing.T) {
		received := deliveries[0].ReceivedAt.Local().Format(time.DateTime)
		s.run(t, "deliveries", "31").want(t, 0, `
delivery     31
received     `+received+` (30s ago)
hook         mono (github)
event        push
sender's id  72d3162e
bytes        6803
decision     shop: became part of deployment 14: deployment 14 was still waiting
  about      main at 3f2a9c1d77aa
decision     blog: ignored: none of the 3 changed files matches paths
  about      main at 3f2a9c1d77aa
`)
	})
	t.Run("none", func(t *testing.T) {
		none := newService(t, map[string]any{
			"GET /api/v1/deliveries":  map[string]any{"deliveries": []deployer.Delivery{}, "next": 0},
			"GET /api/v1/deployments": map[string]any{"deployments": []deployer.Deployment{}, "next": 0},
			"GET /api/v1/projects":    map[string]any{"projects": []deployer.ProjectState{}},
		})
		none.run(t, "deliveries").want(t, 0, "No deliveries.\n")
		none.run(t, "deployments").want(t, 0, "No deployments.\n")
		none.run(t, "projects").want(t, 0, "No projects.\n")
	})
	t.Run("a verdict that there is not", func(t *testing.T) { s.run(t, "deliveries", "--verdict=maybe").want(t, 2, "") })
}

func TestOrders(t *testing.T) {
	t.Parallel()
	d := deployer.Deployment{ID: 12, Project: "shop", Status: deployer.Queued}
	canceled := d
	canceled.Status, canceled.CancelBy = deployer.Canceled, "ana"
	running := d
	running.Status = deployer.Running
	s := newService(t, map[string]any{
		"POST /api/v1/projects/shop/deploy":   deployer.Placed{Deployment: d, Verdict: deployer.VerdictQueued, Reason: "replaces deployment 11, which was still waiting"},
		"POST /api/v1/projects/shop/redeploy": deployer.Placed{Deployment: d, Verdict: deployer.VerdictDeferred, Reason: "locked by eve (fair)"},
		"POST /api/v1/projects/shop/rollback": deployer.Placed{Deployment: d, Verdict: deployer.VerdictQueued},
		"POST /api/v1/deployments/12/cancel":  canceled,
		"POST /api/v1/deployments/13/cancel":  running,
		"PUT /api/v1/projects/shop/lock":      deployer.Lock{Project: "shop", Owner: "ana", Reason: "fair"},
		"DELETE /api/v1/projects/shop/lock":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
	})
	for _, c := range []struct{ args, asked, said string }{
		{
			"deploy shop --ref release/2 --commit " + commit + " --override",
			`POST /api/v1/projects/shop/deploy {"ref":"refs/heads/release/2","commit":"` + commit + `","override":true}`,
			"deployment 12 of shop queued: replaces deployment 11, which was still waiting\n",
		},
		{
			"deploy shop --ref refs/tags/v1", `POST /api/v1/projects/shop/deploy {"ref":"refs/tags/v1"}`,
			"deployment 12 of shop queued: replaces deployment 11, which was still waiting\n",
		},
		{"redeploy shop", `POST /api/v1/projects/shop/redeploy {}`, "deployment 12 of shop waits: locked by eve (fair)\n"},
		{"redeploy shop 7", `POST /api/v1/projects/shop/redeploy {"deployment":7}`, "deployment 12 of shop waits: locked by eve (fair)\n"},
		{"rollback shop", `POST /api/v1/projects/shop/rollback {}`, "deployment 12 of shop queued\n"},
		{"rollback shop --to 5 --override", `POST /api/v1/projects/shop/rollback {"deployment":5,"override":true}`, "deployment 12 of shop queued\n"},
		{"cancel 12", `POST /api/v1/deployments/12/cancel`, "deployment 12 of shop was canceled by ana\n"},
		{"cancel 13", `POST /api/v1/deployments/13/cancel`, "deployment 12 of shop is being ended; `seadog logs -f 12` shows when it is over\n"},
		{"lock shop --reason fair --for 2h", `PUT /api/v1/projects/shop/lock {"reason":"fair","for":"2h0m0s"}`, "shop is locked by ana (fair)\n"},
		{"lock shop", `PUT /api/v1/projects/shop/lock {}`, "shop is locked by ana (fair)\n"},
		{"unlock shop", `DELETE /api/v1/projects/shop/lock`, "shop is unlocked\n"},
		{"unlock shop --json", `DELETE /api/v1/projects/shop/lock`, ""},
	} {
		t.Run(c.args, func(t *testing.T) {
			s.run(t, strings.Fields(c.args)...).want(t, 0, c.said)
			if diff := cmp.Diff(c.asked, s.requests()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWrongUsageAsksNobody(t *testing.T) {
	t.Parallel()
	s := newService(t, nil)
	for _, args := range []string{
		"deploy", "deploy a b", "deploy ../x", "deploy shop --no-such-flag", "redeploy shop x", "rollback shop --to 0", "rollback shop --to -1",
		"cancel", "cancel shop", "cancel 0", "cancel 99999999999999999999", "lock", "lock shop --for x", "lock shop --for -1h", "lock shop --for 0s", "status a b",
		"deployments x", "deliveries x", "logs 0", "logs a b", "status --url nonsense", "status --token-file /does/not/exist",
	} {
		out := s.run(t, strings.Fields(args)...)
		if out.code != exitUsage || out.stdout != "" || !strings.HasPrefix(out.stderr, "seadog: ") {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q", args, out.code, out.stdout, out.stderr)
		}
	}
	if asked := s.requests(); asked != "" {
		t.Errorf("asked %s", asked)
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for code, want := range map[deployer.Code]int{
		deployer.CodeInvalid: 2, deployer.CodeTooLarge: 2, deployer.CodeNotFound: 3, deployer.CodeConflict: 4, deployer.CodeUnauthorized: 5,
		deployer.CodeForbidden: 5, deployer.CodeUnavailable: 6, deployer.CodeTimeout: 6, deployer.CodeInternal: 6,
	} {
		s := newService(t, map[string]any{"GET /api/v1/status": code})
		out := s.run(t, "status")
		out.want(t, want, "")
		hint := "mind the gap"
		if code == deployer.CodeUnauthorized {
			hint = "--token-file or $SEADOG_TOKEN says who asks"
		}
		if want := "seadog: it is " + string(code) + "\n  " + hint + "\n"; out.stderr != want {
			t.Errorf("stderr %q, want %q", out.stderr, want)
		}
	}
	gone := newService(t, nil)
	gone.Close()
	out := gone.run(t, "status")
	out.want(t, exitUnreachable, "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	command(ctx, gone.URL, "status").want(t, exitInterrupted, "")
}

func TestTheTokenComesFromAFileOrTheEnvironment(t *testing.T) {
	t.Parallel()
	s := newService(t, map[string]any{"GET /api/v1/projects": struct{}{}})
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(" wr0ng\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.run(t, "projects", "--json").want(t, 0, "{\n  \"projects\": null\n}\n")
	out := s.run(t, "projects", "--token-file", file)
	out.want(t, exitDenied, "")
	if strings.Contains(out.stderr, "wr0ng") {
		t.Errorf("the token was printed: %s", out.stderr)
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	running, queued, _, _ := deployments()
	s := newService(t, map[string]any{
		"GET /api/v1/projects":    map[string]any{"projects": []deployer.ProjectState{{Name: "shop"}, {Name: "shop-two"}, {Name: "blog"}}},
		"GET /api/v1/deployments": map[string]any{"deployments": []deployer.Deployment{queued, running}},
	})
	t.Run("of projects", func(t *testing.T) { s.run(t, "__complete", "deploy", "sh").want(t, 0, "shop\nshop-two\n:4\n") })
	t.Run("of nothing more", func(t *testing.T) { s.run(t, "__complete", "lock", "shop", "").want(t, 0, ":4\n") })
	t.Run("of what can be ended", func(t *testing.T) {
		s.requests()
		s.run(t, "__complete", "cancel", "1").want(t, 0, "15\tblog queued\n14\tshop running\n:4\n")
		if got := s.requests(); got != "GET /api/v1/deployments?status=running%2Cqueued" {
			t.Errorf("asked %s", got)
		}
	})
	t.Run("of a service that hangs ends soon", func(t *testing.T) {
		release := make(chan struct{})
		hung := newService(t, map[string]any{"GET /api/v1/projects": func(http.ResponseWriter, *http.Request) { <-release }})
		defer close(release)
		start := time.Now()
		hung.run(t, "__complete", "deploy", "").want(t, 0, ":4\n")
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("the shell hung for %s", took)
		}
	})
}
