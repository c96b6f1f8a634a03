package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
)

const (
	queuedNow  = `{"id":12,"project":"shop","status":"queued","trigger":"manual","ref":"refs/heads/main","attempt":1,"created_at":"2026-01-02T03:04:00Z"}`
	buildsNow  = `{"id":12,"project":"shop","status":"running","step":"build","trigger":"manual","ref":"refs/heads/main","attempt":1,"created_at":"2026-01-02T03:04:00Z"}`
	goodEnd    = `{"id":12,"project":"shop","status":"succeeded","step":"finish","trigger":"manual","ref":"refs/heads/main","commit":"` + commit + `","attempt":1,"created_at":"2026-01-02T03:04:00Z","started_at":"2026-01-02T03:04:05Z","finished_at":"2026-01-02T03:04:47Z"}`
	badEnd     = `{"id":12,"project":"shop","status":"failed","outcome":"untouched","cause":"step_failed","reason":"exit code 1","step":"build","trigger":"manual","ref":"refs/heads/main","attempt":1,"created_at":"2026-01-02T03:04:00Z","started_at":"2026-01-02T03:04:05Z","finished_at":"2026-01-02T03:04:47Z"}`
	superseded = `{"id":12,"project":"shop","status":"superseded","superseded_by":13,"trigger":"manual","ref":"refs/heads/main","attempt":1,"created_at":"2026-01-02T03:04:00Z"}`
)

func send(w http.ResponseWriter, id, kind, data string) {
	fmt.Fprintf(w, "id: %s\nevent: %s\ndata: %s\n\n", id, kind, data)
	w.(http.Flusher).Flush()
}

// build streams a deployment that ends as end says, over a connection that breaks once.
func build(end string) func(http.ResponseWriter, *http.Request) {
	var connections atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "retry: 1\n\n")
		if connections.Add(1) == 1 {
			send(w, "0:0", "status", queuedNow)
			send(w, "0:0", "status", buildsNow)
			send(w, "3:9", "line", `{"step":"build","time":"2026-01-02T03:04:06Z","line":"one \u001b[32mgreen\u001b[0m"}`)
			panic(http.ErrAbortHandler)
		}
		if from := r.Header.Get("Last-Event-ID"); from != "3:9" {
			panic("resumed from " + from)
		}
		send(w, "3:9", "status", buildsNow)
		send(w, "3:19", "line", `{"step":"build","time":"2026-01-02T03:04:07Z","line":"two\u0007"}`)
		send(w, "3:19", "end", end)
	}
}

func placing(end string) map[string]any {
	return map[string]any{
		"POST /api/v1/projects/shop/deploy": deployer.Placed{Deployment: deployer.Deployment{ID: 12, Project: "shop", Status: deployer.Queued}, Verdict: deployer.VerdictQueued},
		"GET /api/v1/deployments/12/logs":   build(end),
		"GET /api/v1/projects/shop":         deployer.ProjectState{Name: "shop", Last: &deployer.Deployment{ID: 11}, Pending: &deployer.Deployment{ID: 12}},
	}
}

func TestFollowShowsTheLiveLogAndTheVerdict(t *testing.T) {
	t.Parallel()
	newService(t, placing(goodEnd)).run(t, "deploy", "shop", "--follow").want(t, 0, `
deployment 12 of shop queued
-- running build
build    | one green
build    | two`+"\uFFFD"+`
deployment 12 of shop succeeded after 42s: main at 3f2a9c1d77aa
`)
}

func TestTheExitCodeTellsHowItEnded(t *testing.T) {
	t.Parallel()
	newService(t, placing(badEnd)).run(t, "deploy", "shop", "--wait").want(t, 1, `
deployment 12 of shop queued
-- running build
deployment 12 of shop failed in step build after 42s: exit code 1; nothing that runs was touched
`)
	newService(t, placing(superseded)).run(t, "logs", "shop", "-f").want(t, 1, `
-- queued
-- running build
build    | one green
build    | two`+"\uFFFD"+`
deployment 12 of shop was superseded by deployment 13 before it started
`)
}

func TestFollowAsJSONIsOneEventPerLine(t *testing.T) {
	t.Parallel()
	out := newService(t, placing(goodEnd)).run(t, "deploy", "shop", "-f", "--json")
	lines := strings.Split(out.stdout, "\n")
	if out.code != 0 || len(lines) != 7 || !strings.HasPrefix(lines[2], `{"event":"line","id":"3:9","data":{"step":"build"`) ||
		!sameJSON(t, lines[5], `{"event":"end","id":"3:19","data":`+goodEnd+`}`) {
		t.Errorf("exit code %d, %s", out.code, out.stdout)
	}
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var left, right any
	if err := errors.Join(json.Unmarshal([]byte(a), &left), json.Unmarshal([]byte(b), &right)); err != nil {
		t.Fatalf("%v in %s and %s", err, a, b)
	}
	return cmp.Equal(left, right)
}

func TestWaitAsJSONIsTheDeploymentAtItsEnd(t *testing.T) {
	t.Parallel()
	out := newService(t, placing(badEnd)).run(t, "deploy", "shop", "--wait", "--json")
	if out.code != 1 || !sameJSON(t, out.stdout, badEnd) {
		t.Errorf("exit code %d, %s", out.code, out.stdout)
	}
}

func TestInterruptionDetaches(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := newService(t, map[string]any{
		"GET /api/v1/deployments/12/logs": func(w http.ResponseWriter, r *http.Request) {
			send(w, "0:0", "status", buildsNow)
			cancel()
			<-r.Context().Done()
		},
	})
	out := command(ctx, s.URL, "logs", "-f", "12")
	if out.code != exitInterrupted || !strings.Contains(out.stderr, "deployment 12 goes on") {
		t.Errorf("exit code %d, stderr %q", out.code, out.stderr)
	}
	if asked := s.requests(); asked != "GET /api/v1/deployments/12/logs" {
		t.Errorf("asked %s", asked)
	}
}

func TestLogsPrintsWhatIsThere(t *testing.T) {
	t.Parallel()
	transcript := func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, `{"step":"fetch","time":"2026-01-02T03:04:06Z","stream":"stdout","line":"<one>"}`)
		fmt.Fprintln(w, `{"step":"rollback","time":"2026-01-02T03:04:06Z","stream":"stderr","line":"\ttwo"}`)
	}
	running, queued, failed, _ := deployments()
	s := newService(t, map[string]any{
		"GET /api/v1/deployments/11/logs": transcript, "GET /api/v1/deployments/14/logs": transcript,
		"GET /api/v1/projects/shop": deployer.ProjectState{Name: "shop", Last: &deployer.Deployment{ID: 11}, Pending: &deployer.Deployment{ID: 12}},
		"GET /api/v1/projects/new":  deployer.ProjectState{Name: "new"},
		"GET /api/v1/status":        deployer.Overview{Deployments: []deployer.Deployment{queued, running, failed}},
	})
	text := "fetch    | <one>\nrollback | \ttwo\n"
	s.run(t, "logs", "11").want(t, 0, text)
	s.run(t, "logs", "shop").want(t, 0, text)
	s.run(t, "logs").want(t, 0, text)
	s.run(t, "logs", "new").want(t, exitNotFound, "")
	s.run(t, "logs", "shop", "--json").want(t, 0, `
{"step":"fetch","time":"2026-01-02T03:04:06Z","stream":"stdout","line":"<one>"}
{"step":"rollback","time":"2026-01-02T03:04:06Z","stream":"stderr","line":"\ttwo"}
`)
}
