package web_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/httpd"
	"github.com/seadog/seadog/deployer/web"
)

func TestNothingIsShownWithoutASession(t *testing.T) {
	t.Parallel()
	s := start(t, setting{})
	v := s.visitor()
	id := s.deployed("web", "sentinel-message", deployer.Succeeded)
	for _, path := range []string{
		"/", "/projects/web", "/deployments", fmt.Sprintf("/deployments/%d", id), "/deliveries", "/workers", "/incidents", "/reports", "/settings",
	} {
		a := v.get(path)
		if a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/sign-in") || strings.Contains(a.body, "sentinel") {
			t.Errorf("%s: %s to %s", path, a, a.header.Get("Location"))
		}
	}
	for _, path := range []string{"/live?of=/", fmt.Sprintf("/deployments/%d/live", id), fmt.Sprintf("/deployments/%d/log", id), fmt.Sprintf("/deployments/%d/log.txt", id)} {
		if a := v.get(path); a.status != http.StatusUnauthorized || strings.Contains(a.body, "sentinel") {
			t.Errorf("%s: %s", path, a)
		}
	}
	if a := v.post("/projects/web/deploy"); a.status != http.StatusUnauthorized {
		t.Errorf("deploy: %s", a)
	}
	if a := v.get("/deployments/7?x=1"); a.header.Get("Location") != "/sign-in?next="+url.QueryEscape("/deployments/7?x=1") {
		t.Errorf("the way back is lost: %s", a.header.Get("Location"))
	}
}

func TestSigningIn(t *testing.T) {
	t.Parallel()
	s := start(t, setting{})
	v := s.visitor()
	if a := v.signIn("wrong"); a.status != http.StatusUnauthorized || len(a.header.Values("Set-Cookie")) > 0 || strings.Contains(a.body, "wrong\"") {
		t.Errorf("a wrong token: %s", a)
	}
	a := v.post("/sign-in", "token", " "+readToken+"\n", "next", "/deployments")
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/deployments" {
		t.Fatalf("the right token: %s", a)
	}
	for _, c := range a.header.Values("Set-Cookie") {
		for _, want := range []string{"HttpOnly", "SameSite=Strict", "path=/", "expires="} {
			if !strings.Contains(c, want) {
				t.Errorf("cookie %q lacks %s", c, want)
			}
		}
		if strings.Contains(strings.ToLower(c), "secure") || strings.Contains(c, readToken) {
			t.Errorf("cookie %q", c)
		}
	}
	if body := v.page("/").body; !strings.Contains(body, "reader") || strings.Contains(body, readToken) {
		t.Errorf("the page does not say who one is, or the token: %.300s", body)
	}
	if a := v.get("/sign-in?next=/workers"); a.header.Get("Location") != "/workers" {
		t.Errorf("who is signed in is asked again: %s", a)
	}
}

func TestAfterSigningInNobodyIsSentElsewhere(t *testing.T) {
	t.Parallel()
	s := start(t, setting{})
	for _, next := range []string{"https://evil.example", "//evil.example", `/\evil.example`, "/\r\nX: y", "evil", "javascript:alert(1)", "/\t/evil.example"} {
		if a := s.visitor().post("/sign-in", "token", readToken, "next", next); a.header.Get("Location") != "/" {
			t.Errorf("next %q leads to %q", next, a.header.Get("Location"))
		}
	}
}

func TestBehindTLSCookiesAreSecure(t *testing.T) {
	t.Parallel()
	s := start(t, setting{})
	v := s.visitor()
	v.header["X-Forwarded-Proto"] = "https"
	a := v.signIn(readToken)
	for _, c := range a.header.Values("Set-Cookie") {
		if !strings.HasPrefix(c, "__Host-") || !strings.Contains(c, "secure") {
			t.Errorf("cookie %q", c)
		}
	}
	// And so they are if the server itself speaks TLS.
	helper := httptest.NewTLSServer(nil)
	defer helper.Close()
	direct := start(t, setting{tls: &tls.Config{Certificates: helper.TLS.Certificates}})
	v = direct.visitor()
	for _, c := range v.signIn(readToken).header.Values("Set-Cookie") {
		if !strings.HasPrefix(c, "__Host-") || !strings.Contains(c, "secure") {
			t.Errorf("cookie %q", c)
		}
	}
	v.page("/")
	if page := v.page("/settings?hook=web").body; !strings.Contains(page, direct.url+"/hooks/web") {
		t.Error("the URL for the forge has no TLS")
	}
	// A proxy that is not trusted cannot say so.
	other := start(t, setting{httpd: func(c *httpd.Config) { c.TrustedProxies = nil }}).visitor()
	other.header["X-Forwarded-Proto"] = "https"
	for _, c := range other.signIn(readToken).header.Values("Set-Cookie") {
		if strings.HasPrefix(c, "__Host-") || strings.Contains(c, "secure") {
			t.Errorf("cookie %q", c)
		}
	}
}

func TestASessionOutlivesItsWorkerAndKnowsItsToken(t *testing.T) {
	t.Parallel()
	s := start(t, setting{})
	v := s.signedIn(deployToken)
	another := func(change func(httpd.Tokens) httpd.Tokens) *visitor {
		next := serve(t, setting{httpd: func(c *httpd.Config) { c.Tokens = change(tokens()) }}, s.dir, s.store)
		moved := *v
		moved.base = next.url
		return &moved
	}
	same := another(func(t httpd.Tokens) httpd.Tokens { return t })
	if a := same.page("/"); !strings.Contains(a.body, "alice") {
		t.Errorf("another worker: %s", a)
	}
	gone := another(func(t httpd.Tokens) httpd.Tokens { return t[:1] })
	if a := gone.get("/"); a.status != http.StatusSeeOther {
		t.Errorf("a session of a token that is not configured any more: %s", a)
	}
	less := another(func(t httpd.Tokens) httpd.Tokens { t[1].Scope = deployer.ScopeRead; return t })
	if a := less.send("/projects/web/deploy"); a.status != http.StatusForbidden {
		t.Errorf("a session of a token that may less now: %s", a)
	}
	more := another(func(t httpd.Tokens) httpd.Tokens { t[1].Scope = deployer.ScopeAdmin; return t })
	if a := more.send("/projects/web/deploy", "override", "yes"); a.status != http.StatusForbidden {
		t.Errorf("a session reaches further than when it began: %s", a)
	}
}

func TestASessionEndsAtItsTime(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Now()
	s := start(t, setting{web: func(c *web.Config) {
		c.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
		c.Limits.Session = time.Hour
	}})
	v := s.signedIn(readToken)
	v.page("/")
	mu.Lock()
	now = now.Add(time.Hour)
	mu.Unlock()
	if a := v.get("/"); a.status != http.StatusSeeOther {
		t.Errorf("after an hour: %s", a)
	}
}

func TestSigningOutEndsTheSessionEverywhere(t *testing.T) {
	t.Parallel()
	s := start(t, setting{})
	other := serve(t, setting{}, s.dir, s.store)
	v := s.signedIn(readToken)
	u, _ := url.Parse(s.url)
	stolen := v.client.Jar.Cookies(u)
	if a := v.send("/sign-out"); a.status != http.StatusSeeOther {
		t.Fatalf("sign out: %s", a)
	}
	for _, where := range []*service{s, other} {
		thief := where.visitor()
		at, _ := url.Parse(where.url)
		thief.client.Jar.SetCookies(at, stolen)
		if a := thief.get("/"); a.status != http.StatusSeeOther {
			t.Errorf("the old cookie still opens: %s", a)
		}
	}
	s.signedIn(readToken).page("/")
}

func TestWrongTokensAreBoundedAndLockNobodyOut(t *testing.T) {
	t.Parallel()
	s := start(t, setting{})
	owner := s.signedIn(adminToken)
	stranger := s.visitor()
	refused := 0
	for range 30 {
		if a := stranger.signIn("guess"); a.status == http.StatusTooManyRequests {
			refused++
			if a.header.Get("Retry-After") == "" {
				t.Errorf("not told when: %s", a)
			}
		}
	}
	if refused < 15 {
		t.Errorf("%d of 30 attempts were refused", refused)
	}
	if a := stranger.signIn(adminToken); a.status != http.StatusTooManyRequests {
		t.Errorf("the bound does not hold for the right token, so that it is no bound: %s", a)
	}
	if a := owner.send("/sign-out"); a.status != http.StatusSeeOther {
		t.Fatalf("sign out: %s", a)
	}
	if a := owner.signIn(adminToken); a.status != http.StatusSeeOther {
		t.Errorf("the owner, from the same address and a browser that was here before: %s", a)
	}
	if a := s.visitor().get("/api/v1/status", "Authorization", "Bearer "+adminToken); a.status != http.StatusOK {
		t.Errorf("the API: %s", a)
	}
	elsewhere := s.visitor()
	elsewhere.header["X-Forwarded-For"] = "198.51.100.7"
	if a := elsewhere.signIn(adminToken); a.status != http.StatusSeeOther {
		t.Errorf("from another address: %s", a)
	}
}

func TestAFormComesFromAPageOfOurs(t *testing.T) {
	t.Parallel()
	s := start(t, setting{})
	v := s.signedIn(deployToken)
	token := v.formToken()
	stranger := s.signedIn(deployToken).formToken()
	form := func(token string) url.Values { return url.Values{"form": {token}} }
	host := strings.TrimPrefix(s.url, "http://")
	for name, c := range map[string]struct {
		form   url.Values
		header []string
		status int
	}{
		"ours":                       {form(token), nil, http.StatusSeeOther},
		"ours, by Origin":            {form(token), []string{"Sec-Fetch-Site", "", "Origin", "http://" + host}, http.StatusSeeOther},
		"another site":               {form(token), []string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		"another host of the domain": {form(token), []string{"Sec-Fetch-Site", "same-site"}, http.StatusForbidden},
		"another origin":             {form(token), []string{"Sec-Fetch-Site", "", "Origin", "http://evil.example"}, http.StatusForbidden},
		"another port":               {form(token), []string{"Sec-Fetch-Site", "", "Origin", "http://127.0.0.1:1"}, http.StatusForbidden},
		"no origin at all":           {form(token), []string{"Sec-Fetch-Site", "", "Origin", "null"}, http.StatusForbidden},
		"no header":                  {form(token), []string{"Sec-Fetch-Site", ""}, http.StatusForbidden},
		"no token":                   {url.Values{}, nil, http.StatusForbidden},
		"the token of another":       {form(stranger), nil, http.StatusForbidden},
	} {
		if a := v.do("POST", "/projects/web/lock", c.form, c.header...); a.status != c.status {
			t.Errorf("%s: %s", name, a)
		}
	}
	if a := v.do("POST", "/projects/web/lock", nil, "Content-Type", "application/json"); a.status != http.StatusBadRequest {
		t.Errorf("no form: %s", a)
	}
}

func TestALinkFromElsewhereFindsTheSession(t *testing.T) {
	t.Parallel()
	s := start(t, setting{})
	// The browser keeps a strict cookie back when a link on another site is followed.
	a := s.visitor().get("/deployments", "Sec-Fetch-Site", "cross-site")
	if a.status != http.StatusOK || !strings.Contains(a.body, `http-equiv="refresh" content="0"`) {
		t.Errorf("a link from elsewhere: %s", a)
	}
}

func TestEverybodyMayDoWhatTheirTokenMay(t *testing.T) {
	t.Parallel()
	s := start(t, setting{})
	id := s.push("web", "first")
	cancel := fmt.Sprintf("/deployments/%d/cancel", id)
	reader, alice, root := s.signedIn(readToken), s.signedIn(deployToken), s.signedIn(adminToken)
	for _, path := range []string{"/projects/web/deploy", "/projects/web/redeploy", "/projects/web/rollback", "/projects/web/lock", "/projects/web/unlock", cancel} {
		if a := reader.send(path); a.status != http.StatusForbidden {
			t.Errorf("reader %s: %s", path, a)
		}
	}
	if body := reader.page("/projects/web").body; strings.Contains(body, "<form class=\"sheet\"") {
		t.Error("a reader is offered what he may not do")
	}
	if a := alice.send("/projects/web/deploy", "override", "yes"); a.status != http.StatusForbidden {
		t.Errorf("alice passes over a lock: %s", a)
	}
	if a := root.send("/projects/web/deploy", "override", "yes"); a.status != http.StatusSeeOther {
		t.Errorf("root passes over a lock: %s", a)
	}
	if a := alice.page("/settings"); strings.Contains(a.body, "Configuration in force") {
		t.Error("the configuration is shown to who may only deploy")
	}
}

func TestWithoutTokensEverybodyIsIn(t *testing.T) {
	t.Parallel()
	s := start(t, setting{httpd: func(c *httpd.Config) { c.Tokens, c.Insecure = nil, true }})
	v := s.visitor()
	if a := v.page("/"); !strings.Contains(a.body, "anonymous") {
		t.Errorf("%s", a)
	}
	if a := v.send("/projects/web/lock"); a.status != http.StatusSeeOther {
		t.Errorf("lock: %s", a)
	}
	if a := v.post("/projects/web/unlock"); a.status != http.StatusForbidden {
		t.Errorf("a form without token: %s", a)
	}
}

func TestTheKeyIsMadeOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	const workers = 16
	keys := make([]web.Key, workers)
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() {
			var err error
			if keys[i], err = web.OpenKey(path); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, k := range keys {
		if k != keys[0] || k == (web.Key{}) {
			t.Fatal("the keys differ, or are none")
		}
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files are left, error %v", len(entries), err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, error %v", info.Mode(), err)
	}
	for says, spoil := range map[string]func() error{
		"others can read":  func() error { return os.Chmod(path, 0o640) },
		"is no key":        func() error { return os.WriteFile(path, []byte("short"), 0o600) },
		"no key of sessio": func() error { return os.Truncate(path, 0) },
	} {
		if err := errors.Join(os.WriteFile(path, keys[0][:], 0o600), os.Chmod(path, 0o600)); err != nil {
			t.Fatal(err)
		}
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if _, err := web.OpenKey(path); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want that it %s", err, says)
		}
	}
}

func TestAUIThatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	s := start(t, setting{})
	for says, breaks := range map[string]func(*web.Config){
		"no desk":        func(c *web.Config) { c.Desk = nil },
		"no transcripts": func(c *web.Config) { c.Book = nil },
		"no directory":   func(c *web.Config) { c.Dir = "" },
		"no log":         func(c *web.Config) { c.Log = nil },
		"no token":       func(c *web.Config) { c.Tokens = nil },
		"negative time":  func(c *web.Config) { c.Limits.Poll = -1 },
	} {
		var cfg web.Config
		serve(t, setting{web: func(c *web.Config) { cfg = *c }}, s.dir, s.store)
		breaks(&cfg)
		if _, err := web.New(cfg); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v", says, err)
		}
	}
}
