package httpd_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/httpd"
)

// TestEveryRouteAsksForItsScope tries every route with every token.
func TestEveryRouteAsksForItsScope(t *testing.T) {
	t.Parallel()
	s := start(t)
	populate(t, s)
	server, err := httpd.New(broken(s, func(*httpd.Config) {}))
	if err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer("{project}", "web", "{id}", "1", "{hook}", "gh", "{token}", "x")
	for _, r := range server.Routes() {
		for name, token := range map[string]struct {
			header string
			scope  deployer.Scope
		}{
			"no token":       {"", ""},
			"unknown":        {"Bearer nope", ""},
			"another scheme": {"Basic " + adminToken, ""},
			"only the token": {adminToken, ""},
			"empty":          {"Bearer ", ""},
			"read":           {"Bearer " + readToken, deployer.ScopeRead},
			"deploy":         {"Bearer " + deployToken, deployer.ScopeDeploy},
			"admin":          {"bearer " + adminToken, deployer.ScopeAdmin},
		} {
			a := s.do(r.Method, fill.Replace(r.Path), nil, "Authorization", token.header)
			got := a.status
			switch {
			case r.Scope == "" || token.scope.Includes(r.Scope):
				if strings.HasPrefix(r.Path, "/hooks/") {
					continue // has its own authentication
				}
				if got == http.StatusUnauthorized || got == http.StatusForbidden {
					t.Errorf("%s %s with %s: got %s", r.Method, r.Path, name, a)
				}
			case token.scope == "":
				if got != http.StatusUnauthorized || a.header.Get("WWW-Authenticate") == "" {
					t.Errorf("%s %s with %s: got %s, want 401", r.Method, r.Path, name, a)
				}
			default:
				if got != http.StatusForbidden || !strings.Contains(a.problem(t).Error.Message, string(r.Scope)) {
					t.Errorf("%s %s with %s: got %s, want a 403 that names %s", r.Method, r.Path, name, a, r.Scope)
				}
			}
		}
	}
}

func TestOverridingALockNeedsAdmin(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"deploy", "redeploy", "rollback"} {
		s := start(t)
		populate(t, s)
		s.store.locks["web"] = deployer.Lock{Project: "web", Owner: "alice"}
		path := "/api/v1/projects/web/" + action
		if a := s.call("POST", path, deployToken, `{"override":true}`); a.status != 403 || !strings.Contains(a.String(), "scope admin") {
			t.Errorf("%s: got %s, want 403", action, a)
		}
		a := s.call("POST", path, adminToken, `{"override":true}`)
		var p deployer.Placed
		a.decode(t, &p)
		if a.status != 202 || p.Verdict != deployer.VerdictQueued || !p.Deployment.Override || p.Deployment.By != "root" {
			t.Errorf("%s: got %s, want it queued", action, a)
		}
	}
}

func TestWithoutTokensAnInsecureServiceLetsEverybodyIn(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *httpd.Config) { c.Insecure, c.Tokens = true, nil })
	a := s.do("PUT", "/api/v1/projects/web/lock", strings.NewReader(`{"reason":"x"}`))
	var l deployer.Lock
	a.decode(t, &l)
	if a.status != 200 || l.Owner != "anonymous" {
		t.Errorf("got %s, want a lock of anonymous", a)
	}
}

func TestAnInsecureServiceWithTokensStillAsksForThem(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *httpd.Config) { c.Insecure = true })
	if a := s.do("GET", "/api/v1/status", nil); a.status != 401 {
		t.Errorf("got %s, want 401", a)
	}
}
