package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
)

// fakeService answers as the service would, and remembers what it was asked.
type fakeService struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
}

// newService serves one answer per "METHOD /path". A value is sent as JSON, a
// deployer.Code refuses, a function does as it likes.
func newService(t *testing.T, answers map[string]any) *fakeService {
	t.Helper()
	s := &fakeService{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.asked = append(s.asked, strings.TrimSpace(r.Method+" "+r.RequestURI+" "+string(body)))
		s.mu.Unlock()
		if auth := r.Header.Get("Authorization"); auth != "Bearer t0ken" {
			refuse(w, deployer.CodeUnauthorized)
			return
		}
		switch a := answers[r.Method+" "+r.URL.Path].(type) {
		case nil:
			refuse(w, deployer.CodeNotFound)
		case deployer.Code:
			refuse(w, a)
		case func(http.ResponseWriter, *http.Request):
			a(w, r)
		default:
			_ = json.NewEncoder(w).Encode(a)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func refuse(w http.ResponseWriter, code deployer.Code) {
	status := map[deployer.Code]int{
		deployer.CodeInvalid: 400, deployer.CodeUnauthorized: 401, deployer.CodeForbidden: 403, deployer.CodeNotFound: 404,
		deployer.CodeConflict: 409, deployer.CodeTooLarge: 413, deployer.CodeInternal: 500, deployer.CodeUnavailable: 503, deployer.CodeTimeout: 504,
	}[code]
	var p deployer.Problem
	p.Error.Code, p.Error.Message, p.Error.Hint = code, "it is "+string(code), "mind the \x1b[31mgap"
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(p)
}

// requests returns what was asked since the last call.
func (s *fakeService) requests() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := strings.Join(s.asked, "\n")
	s.asked = nil
	return asked
}

type outcome struct {
	stdout, stderr string
	code           int
}

// command runs one command line against the service at url.
func command(ctx context.Context, url string, args ...string) outcome {
	var stdout, stderr bytes.Buffer
	environment := map[string]string{"SEADOG_URL": url, "SEADOG_TOKEN": "t0ken\n"}
	e := &env{
		Args: args, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
		Getenv: func(key string) string { return environment[key] },
	}
	code := run(ctx, e)
	return outcome{stdout.String(), stderr.String(), code}
}

func (s *fakeService) run(t *testing.T, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return command(ctx, s.URL, args...)
}

func (o outcome) want(t *testing.T, code int, stdout string) {
	t.Helper()
	if o.code != code {
		t.Errorf("exit code %d, want %d; stderr: %s", o.code, code, o.stderr)
	}
	if diff := cmp.Diff(strings.Split(strings.TrimPrefix(stdout, "\n"), "\n"), strings.Split(o.stdout, "\n")); diff != "" {
		t.Error(diff)
	}
}

func past(d time.Duration) time.Time { return time.Now().Add(-d).UTC() }

func at(d time.Duration) *time.Time {
	t := past(d)
	return &t
}

const commit = "3f2a9c1d77aa4b0c8e5d6f7a8b9c0d1e2f3a4b5c"

// Deployments of every kind. Their times are half a unit away from where their text changes.
func deployments() (running, queued, failed, succeeded deployer.Deployment) {
	running = deployer.Deployment{
		ID: 14, Project: "shop", Status: deployer.Running, Step: deployer.StepBuild, Trigger: deployer.TriggerPush,
		Ref: "refs/heads/main", Commit: commit, By: "ana", CreatedAt: past(90 * time.Second), StartedAt: at(80500 * time.Millisecond),
	}
	queued = deployer.Deployment{
		ID: 15, Project: "blog", Status: deployer.Queued, Trigger: deployer.TriggerManual, Ref: "refs/tags/v1", By: "ci", CreatedAt: past(30500 * time.Millisecond),
	}
	start := past(3*time.Hour + 30*time.Minute)
	end := start.Add(125 * time.Second)
	failed = deployer.Deployment{
		ID: 9, Project: "shop", Status: deployer.TimedOut, Outcome: deployer.OutcomeRolledBack, Cause: deployer.CauseSilence,
		Reason: "build printed nothing for 5m0s", Step: deployer.StepBuild, Trigger: deployer.TriggerRedeploy, Origin: 8, Ref: "refs/heads/main",
		Commit: commit, By: "ana", CreatedAt: past(3*time.Hour + 31*time.Minute), StartedAt: &start, FinishedAt: &end,
		Steps: []deployer.StepRun{
			{Step: deployer.StepFetch, StartedAt: start, FinishedAt: at(3*time.Hour + 29*time.Minute + 59*time.Second)},
			{Step: deployer.StepBuild, StartedAt: start, FinishedAt: &end, Error: "nothing printed\x07 for 5m0s"},
		},
	}
	succeeded = deployer.Deployment{
		ID: 8, Project: "shop", Status: deployer.Succeeded, Trigger: deployer.TriggerPush, Ref: "refs/heads/main", Commit: commit,
		By: "e\x1b[2Jve", CreatedAt: past(60 * time.Hour), StartedAt: at(60 * time.Hour), FinishedAt: at(60*time.Hour - 4200*time.Millisecond),
	}
	return running, queued, failed, succeeded
}
