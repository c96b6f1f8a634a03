package client_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/client"
)

func TestNewRefusesWhatCannotBeAnAddress(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"", "localhost:8787", "ftp://h", "http://", "unix:relative.sock", "unix:", "http://h/?q=1", "http://h/#f",
		"http://user:pa55@h", "http://us er:pa55@h", "http://h:port:7/",
	} {
		_, err := client.New(client.Config{URL: address})
		if deployer.CodeOf(err) != deployer.CodeInvalid {
			t.Errorf("%q: got %v, want CodeInvalid", address, err)
		} else if strings.Contains(err.Error(), "pa55") {
			t.Errorf("%q: the error shows the password: %v", address, err)
		}
	}
	for _, token := range []string{"two words", "line\nbreak", "tab\t", "ümlaut"} {
		_, err := client.New(client.Config{URL: "http://h", Token: deployer.NewSecret(token)})
		if deployer.CodeOf(err) != deployer.CodeInvalid || strings.Contains(err.Error(), token) {
			t.Errorf("token %q: got %v", token, err)
		}
	}
}

func TestEveryCallUsesItsRoute(t *testing.T) {
	t.Parallel()
	type call = func(context.Context, *client.Client) error
	first := func(_ any, err error) error { return err }
	for want, do := range map[string]call{
		"GET /readyz":               func(ctx context.Context, c *client.Client) error { return c.Ready(ctx) },
		"GET /api/v1/status":        func(ctx context.Context, c *client.Client) error { return first(c.Overview(ctx)) },
		"GET /api/v1/projects":      func(ctx context.Context, c *client.Client) error { return first(c.Projects(ctx)) },
		"GET /api/v1/locks":         func(ctx context.Context, c *client.Client) error { return first(c.Locks(ctx)) },
		"GET /api/v1/projects/shop": func(ctx context.Context, c *client.Client) error { return first(c.Project(ctx, "shop")) },
		`POST /api/v1/projects/shop/deploy {"ref":"refs/heads/main","override":true}`: func(ctx context.Context, c *client.Client) error {
			return first(c.Deploy(ctx, "shop", deployer.DeployRequest{Ref: "refs/heads/main", Override: true}))
		},
		`POST /api/v1/projects/shop/redeploy {"deployment":7}`: func(ctx context.Context, c *client.Client) error {
			return first(c.Redeploy(ctx, "shop", deployer.RepeatRequest{Deployment: 7}))
		},
		`POST /api/v1/projects/shop/rollback {}`: func(ctx context.Context, c *client.Client) error {
			return first(c.Rollback(ctx, "shop", deployer.RepeatRequest{}))
		},
		`PUT /api/v1/projects/shop/lock {"reason":"fair","for":"2h"}`: func(ctx context.Context, c *client.Client) error {
			return first(c.Lock(ctx, "shop", deployer.LockRequest{Reason: "fair", For: "2h"}))
		},
		"DELETE /api/v1/projects/shop/lock": func(ctx context.Context, c *client.Client) error { return c.Unlock(ctx, "shop") },
		"GET /api/v1/deployments?before=9&limit=5&project=shop&status=failed%2Ctimed_out": func(ctx context.Context, c *client.Client) error {
			return first(c.Deployments(ctx, deployer.DeploymentFilter{
				Project: "shop", Statuses: []deployer.Status{deployer.Failed, deployer.TimedOut}, Before: 9, Limit: 5,
			}))
		},
		"GET /api/v1/deployments": func(ctx context.Context, c *client.Client) error {
			return first(c.Deployments(ctx, deployer.DeploymentFilter{}))
		},
		"GET /api/v1/deployments/7": func(ctx context.Context, c *client.Client) error { return first(c.Deployment(ctx, 7)) },
		"POST /api/v1/deployments/7/cancel": func(ctx context.Context, c *client.Client) error {
			return first(c.Cancel(ctx, 7))
		},
		"GET /api/v1/deliveries?project=shop&verdict=ignored": func(ctx context.Context, c *client.Client) error {
			return first(c.Deliveries(ctx, deployer.DeliveryFilter{Project: "shop", Verdict: deployer.VerdictIgnored}))
		},
		"GET /api/v1/deliveries/3": func(ctx context.Context, c *client.Client) error { return first(c.Delivery(ctx, 3)) },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			var got atomic.Value
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got.Store(strings.TrimSpace(r.Method + " " + r.RequestURI + " " + string(body)))
				if auth := r.Header.Get("Authorization"); auth != "Bearer t0ken" {
					t.Errorf("got authorization %q", auth)
				}
				if r.Method == http.MethodDelete {
					w.WriteHeader(http.StatusNoContent)
					return
				}
				answer(w, http.StatusOK, struct{}{})
			})
			if err := do(bounded(t), c); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got.Load()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAPathBeforeTheAPIIsKept(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, deployer.Overview{Version: r.RequestURI})
	}))
	t.Cleanup(server.Close)
	c := connect(t, client.Config{URL: server.URL + "/tools/seadog/"})
	o, err := c.Overview(bounded(t))
	if err != nil || o.Version != "/tools/seadog/api/v1/status" {
		t.Errorf("got %q, %v", o.Version, err)
	}
}

func TestAUnixSocketIsAnAddress(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, deployer.Overview{Version: "1"})
	}))
	server.Listener.Close()
	server.Listener = l
	server.Start()
	t.Cleanup(server.Close)
	for _, address := range []string{"unix:" + path, "unix://" + path} {
		if o, err := connect(t, client.Config{URL: address}).Overview(bounded(t)); err != nil || o.Version != "1" {
			t.Errorf("%s: got %+v, %v", address, o, err)
		}
	}
}

func TestARefusalKeepsCodeMessageAndHint(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusForbidden, deployer.CodeForbidden, "the token may only read", "ask for scope deploy")
	})
	_, err := c.Deploy(bounded(t), "shop", deployer.DeployRequest{})
	var e *deployer.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a deployer.Error", err)
	}
	want := deployer.Error{Code: deployer.CodeForbidden, Message: "the token may only read", Hint: "ask for scope deploy"}
	if diff := cmp.Diff(want, *e); diff != "" {
		t.Error(diff)
	}
}

func TestAnInternalErrorNamesTheRequest(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusInternalServerError, deployer.CodeInternal, "internal error", "")
	})
	_, err := c.Overview(bounded(t))
	var e *deployer.Error
	if !errors.As(err, &e) || !strings.Contains(e.Hint, "r-17") {
		t.Errorf("got %#v", err)
	}
}

func TestWhatIsNotSeadogIsNamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		want   deployer.Code
	}{
		"a page":               {200, "<html>", deployer.CodeUnavailable},
		"a gateway":            {502, "<html>Bad Gateway", deployer.CodeUnavailable},
		"a gateway's timeout":  {504, "", deployer.CodeTimeout},
		"a proxy's password":   {401, "", deployer.CodeUnauthorized},
		"somebody's not found": {404, "{}", deployer.CodeNotFound},
		"somebody's teapot":    {418, "", deployer.CodeInvalid},
		"somebody's crash":     {500, "", deployer.CodeInternal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cl := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})
			_, err := cl.Overview(bounded(t))
			if got := deployer.CodeOf(err); got != c.want {
				t.Errorf("got %q (%v), want %q", got, err, c.want)
			}
		})
	}
}

func TestTheTokenDoesNotFollowARedirect(t *testing.T) {
	t.Parallel()
	var visited atomic.Bool
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visited.Store(true) }))
	t.Cleanup(thief.Close)
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, thief.URL, http.StatusTemporaryRedirect)
	})
	_, err := c.Overview(bounded(t))
	if deployer.CodeOf(err) != deployer.CodeInvalid || !strings.Contains(err.Error(), thief.URL) {
		t.Errorf("got %v, want an error that names %s", err, thief.URL)
	}
	if visited.Load() {
		t.Error("the redirect was followed")
	}
}

func TestNobodyListening(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	_, err := connect(t, client.Config{URL: server.URL}).Overview(bounded(t))
	if deployer.CodeOf(err) != deployer.CodeUnavailable {
		t.Errorf("got %v", err)
	}
}

func TestAServiceThatDoesNotAnswerIsLeft(t *testing.T) {
	t.Parallel()
	quick := func(c *client.Config) { c.Timeout = 50 * time.Millisecond }
	release := make(chan struct{})
	c := serve(t, func(http.ResponseWriter, *http.Request) { <-release }, quick)
	t.Cleanup(func() { close(release) })
	if _, err := c.Overview(bounded(t)); deployer.CodeOf(err) != deployer.CodeTimeout {
		t.Errorf("call: got %v", err)
	}
	if err := c.Follow(bounded(t), 1, "", nil); deployer.CodeOf(err) != deployer.CodeTimeout {
		t.Errorf("follow: got %v", err)
	}
}

func TestTheCallersCancellationIsReturnedAsItIs(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	c := serve(t, func(http.ResponseWriter, *http.Request) { cancel(); <-release })
	t.Cleanup(func() { close(release) })
	if _, err := c.Overview(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestANameNeverLeavesItsPathSegment(t *testing.T) {
	t.Parallel()
	c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	for _, name := range []string{"", "..", "a/b", "a?b", "A", "a%2fb"} {
		_, deploy := c.Deploy(bounded(t), name, deployer.DeployRequest{})
		_, lock := c.Lock(bounded(t), name, deployer.LockRequest{})
		_, get := c.Project(bounded(t), name)
		for _, err := range []error{deploy, lock, get, c.Unlock(bounded(t), name)} {
			if deployer.CodeOf(err) != deployer.CodeInvalid {
				t.Errorf("%q: got %v", name, err)
			}
		}
	}
}
