package httpd_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/httpd"
	"github.com/seadog/seadog/deployer/process"
	"github.com/seadog/seadog/deployer/transcript"
)

// document is openapi.json as the service serves it.
func document(t testing.TB, s *service) *openapi3.T {
	t.Helper()
	a := s.do("GET", "/api/v1/openapi.json", nil)
	doc, err := openapi3.NewLoader().LoadFromData(a.body)
	if err != nil {
		t.Fatalf("%s: %v", a, err)
	}
	return doc
}

func TestTheDocumentIsValidOpenAPI(t *testing.T) {
	t.Parallel()
	if err := document(t, start(t)).Validate(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestTheDocumentDescribesExactlyTheRoutes(t *testing.T) {
	t.Parallel()
	s := start(t)
	server, err := httpd.New(broken(s, func(*httpd.Config) {}))
	if err != nil {
		t.Fatal(err)
	}
	var routes, described []string
	for _, r := range server.Routes() {
		routes = append(routes, strings.TrimSpace(r.Method+" "+r.Path+" "+string(r.Scope)))
	}
	for path, item := range document(t, s).Paths.Map() {
		for method, op := range item.Operations() {
			scope, _ := op.Extensions["x-scope"].(string)
			described = append(described, strings.TrimSpace(method+" "+path+" "+scope))
			if open := op.Security != nil && len(*op.Security) == 0; open == (scope != "") {
				t.Errorf("%s %s: scope %q does not fit its security", method, path, scope)
			}
		}
	}
	slices.Sort(routes)
	slices.Sort(described)
	if diff := cmp.Diff(routes, described); diff != "" {
		t.Errorf("routes (-) and openapi.json (+):\n%s", diff)
	}
}

// TestTheDocumentNamesEveryValue: enumerations of the document are those of the code.
func TestTheDocumentNamesEveryValue(t *testing.T) {
	t.Parallel()
	schemas := document(t, start(t)).Components.Schemas
	for name, want := range map[string][]string{
		"Status":   text(deployer.Statuses()),
		"Verdict":  text(deployer.Verdicts()),
		"Provider": text(deployer.Providers()),
		"Step":     text(deployer.Steps()),
	} {
		var got []string
		for _, v := range schemas[name].Value.Enum {
			got = append(got, v.(string))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-code +document):\n%s", name, diff)
		}
	}
}

func text[T ~string](values []T) []string {
	var all []string
	for _, v := range values {
		all = append(all, string(v))
	}
	return all
}

// TestRealAnswersAreAsDescribed sends one request of every kind and holds the
// answers against the document.
func TestRealAnswersAreAsDescribed(t *testing.T) {
	t.Parallel()
	s := start(t)
	doc := document(t, s)
	doc.Servers = openapi3.Servers{{URL: s.url}}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	openapi3filter.RegisterBodyDecoder("application/x-ndjson", openapi3filter.PlainBodyDecoder)
	defer openapi3filter.UnregisterBodyDecoder("application/x-ndjson")
	populate(t, s)
	signed := push("refs/heads/main", commitA, commitB)
	for _, r := range []struct {
		method, path, token, body string
		status                    int
		header                    []string
	}{
		{method: "GET", path: "/healthz", status: 200},
		{method: "GET", path: "/readyz", status: 200},
		{method: "GET", path: "/api/v1/openapi.json", status: 200},
		{method: "GET", path: "/api/v1/status", token: readToken, status: 200},
		{method: "GET", path: "/api/v1/status", status: 401},
		{method: "GET", path: "/api/v1/projects", token: readToken, status: 200},
		{method: "GET", path: "/api/v1/projects/web", token: readToken, status: 200},
		{method: "GET", path: "/api/v1/projects/nope", token: readToken, status: 404},
		{method: "POST", path: "/api/v1/projects/web/deploy", token: readToken, status: 403},
		{method: "POST", path: "/api/v1/projects/web/deploy", token: deployToken, body: `{"ref":"main"}`, status: 202},
		{method: "POST", path: "/api/v1/projects/web/redeploy", token: deployToken, body: `{}`, status: 202},
		{method: "POST", path: "/api/v1/projects/docs/redeploy", token: deployToken, body: `{}`, status: 409},
		{method: "POST", path: "/api/v1/projects/web/rollback", token: deployToken, status: 202},
		{method: "PUT", path: "/api/v1/projects/web/lock", token: deployToken, body: `{"reason":"exam","for":"1h"}`, status: 200},
		{method: "GET", path: "/api/v1/locks", token: readToken, status: 200},
		{method: "GET", path: "/api/v1/projects", token: readToken, status: 200},
		{method: "POST", path: "/api/v1/projects/web/deploy", token: deployToken, status: 202},
		{method: "DELETE", path: "/api/v1/projects/web/lock", token: deployToken, status: 204},
		{method: "DELETE", path: "/api/v1/projects/web/lock", token: deployToken, status: 404},
		{method: "GET", path: "/api/v1/deployments?project=web&status=running,failed&before=100&limit=2", token: readToken, status: 200},
		{method: "GET", path: "/api/v1/deployments/1", token: readToken, status: 200},
		{method: "GET", path: "/api/v1/deployments/999", token: readToken, status: 404},
		{method: "POST", path: "/api/v1/deployments/3/cancel", token: deployToken, status: 202},
		{method: "POST", path: "/api/v1/deployments/1/cancel", token: deployToken, status: 409},
		{method: "GET", path: "/api/v1/deployments/1/logs", token: readToken, status: 200},
		{method: "POST", path: "/hooks/gh", body: string(signed), status: 202, header: []string{
			"X-GitHub-Event", "push", "X-Hub-Signature-256", sign(signed),
		}},
		{method: "POST", path: "/hooks/gh", body: "{}", status: 401},
		{method: "GET", path: "/api/v1/deliveries?project=web&verdict=queued", token: readToken, status: 200},
		{method: "GET", path: "/api/v1/deliveries/1", token: readToken, status: 200},
		{method: "GET", path: "/api/v1/deliveries/999", token: readToken, status: 404},
	} {
		name := r.method + " " + r.path
		req, err := http.NewRequest(r.method, s.url+r.path, strings.NewReader(r.body))
		if err != nil {
			t.Fatal(err)
		}
		if r.body != "" {
			req.Header.Set("Content-Type", "application/json")
		}
		if r.token != "" {
			req.Header.Set("Authorization", "Bearer "+r.token)
		}
		for i := 0; i < len(r.header); i += 2 {
			req.Header.Set(r.header[i], r.header[i+1])
		}
		a := s.send(req)
		if a.status != r.status {
			t.Errorf("%s: got %s, want %d", name, a, r.status)
		}
		hold(t, router, req, r.body, a)
	}
}

// hold holds one request and its answer against the document.
func hold(t *testing.T, router routers.Router, req *http.Request, body string, a answer) {
	t.Helper()
	req.Body = io.NopCloser(strings.NewReader(body))
	route, params, err := router.FindRoute(req)
	if err != nil {
		t.Errorf("%s %s: %v", req.Method, req.URL, err)
		return
	}
	options := &openapi3filter.Options{
		AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc,
		IncludeResponseStatus: true,
		ExcludeRequestBody:    strings.HasPrefix(req.URL.Path, "/hooks/"),
	}
	in := &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route, Options: options}
	if err := openapi3filter.ValidateRequest(req.Context(), in); err != nil {
		t.Errorf("%s %s: %v", req.Method, req.URL, err)
	}
	out := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: a.status, Header: a.header,
		Body: io.NopCloser(bytes.NewReader(a.body)), Options: options,
	}
	if err := openapi3filter.ValidateResponse(req.Context(), out); err != nil {
		t.Errorf("%s %s: %s: %v", req.Method, req.URL, a, err)
	}
}

// send sends a request as it is.
func (s *service) send(req *http.Request) answer {
	s.t.Helper()
	res, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, all}
}

// populate records two healthy deployments, a running one with every field
// set, and some output.
func populate(t testing.TB, s *service) {
	t.Helper()
	now := time.Now()
	s.store.add(deployer.Deployment{Project: "web", Status: deployer.Succeeded, Ref: "refs/heads/main", Commit: commitA, FinishedAt: &now})
	s.store.add(deployer.Deployment{Project: "web", Status: deployer.Succeeded, Ref: "refs/heads/main", Commit: commitB, FinishedAt: &now})
	s.store.add(deployer.Deployment{
		Project: "web", Status: deployer.Running, Ref: "refs/heads/main", Commit: commitA, Trigger: deployer.TriggerRetry,
		Outcome: deployer.OutcomeUntouched, Cause: deployer.CauseOwnerDied, Reason: "r", Message: "m", By: "al", Attempt: 2,
		Origin: 1, SupersededBy: 9, Coalesced: 3, Override: true, StartedAt: &now, Step: deployer.StepBuild, StalledSince: &now,
		CancelBy: "root", Owner: &deployer.Owner{Node: "n", Boot: "b", PID: 1, Started: 2}, HeartbeatAt: &now, Marker: "sentinel-marker",
		Images: []deployer.Image{{Service: "web", ID: "sha256:1", Tag: "t"}},
		Steps:  []deployer.StepRun{{Step: deployer.StepFetch, StartedAt: now, FinishedAt: &now, Error: "e"}},
	})
	write(t, s, 1, deployer.StepFetch, "fetching", "done")
}

// write prints lines as a step of a deployment.
func write(t testing.TB, s *service, id int64, step deployer.Step, lines ...string) {
	t.Helper()
	w, err := s.book.Create(id, step, 1<<20, transcript.NewRedactor())
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		w.Line(process.Stdout, []byte(line))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}
