package web_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/desk"
	"github.com/seadog/seadog/deployer/httpd"
	"github.com/seadog/seadog/deployer/process"
	"github.com/seadog/seadog/deployer/sqlite"
	"github.com/seadog/seadog/deployer/transcript"
	"github.com/seadog/seadog/deployer/web"
)

const (
	readToken   = "sentinel-read-token"
	deployToken = "sentinel-deploy-token"
	adminToken  = "sentinel-admin-token"
	hookSecret  = "sentinel-hook-secret"
)

func tokens() httpd.Tokens {
	return httpd.Tokens{
		{Name: "reader", Scope: deployer.ScopeRead, SHA256: sha256.Sum256([]byte(readToken))},
		{Name: "alice", Scope: deployer.ScopeDeploy, SHA256: sha256.Sum256([]byte(deployToken))},
		{Name: "root", Scope: deployer.ScopeAdmin, SHA256: sha256.Sum256([]byte(adminToken))},
	}
}

// service is an HTTP plane with pages, on a real store.
type service struct {
	t     testing.TB
	url   string
	dir   string
	store *sqlite.Store
	book  transcript.Book
	owner deployer.Owner
	over  *overBudget
}

// setting is what a test changes about a service.
type setting struct {
	projects int // beside web and docs
	tls      *tls.Config
	web      func(*web.Config)
	httpd    func(*httpd.Config)
}

func start(t testing.TB, s setting) *service {
	t.Helper()
	dir := t.TempDir()
	store, err := sqlite.Open(context.Background(), sqlite.Config{Path: filepath.Join(dir, "seadog.db"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return serve(t, s, dir, store)
}

// serve runs a server until the test ends. Several may share dir and store, as workers do.
func serve(t testing.TB, s setting, dir string, store *sqlite.Store) *service {
	t.Helper()
	svc := &service{
		t: t, dir: dir, store: store, book: transcript.Book{Dir: filepath.Join(dir, "logs")}, over: &overBudget{},
		owner: deployer.Owner{Node: "here", Boot: "now", PID: 77, Started: 1},
	}
	tailer := transcript.NewTailer(svc.book)
	cfg := httpd.Config{
		Tokens: tokens(), Store: store, Book: svc.book, Tailer: tailer, Version: "1.2.3", Log: slog.New(slog.DiscardHandler),
		Observer: svc.over, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
	}
	names := []string{"web", "docs"}
	for i := range s.projects {
		names = append(names, fmt.Sprintf("project-%03d", i))
	}
	for _, name := range names {
		cfg.Projects = append(cfg.Projects, deployer.Project{
			Name: name, Hook: name, Repository: "https://bot:sentinel-password@github.com/acme/" + name + ".git", Select: deployer.Selector{Branches: []string{"main"}},
		})
		cfg.Hooks = append(cfg.Hooks, deployer.Hook{
			Name: name, Provider: deployer.GitHub, Secrets: []deployer.Secret{deployer.NewSecret(hookSecret)}, Projects: []string{name},
		})
	}
	if s.httpd != nil {
		s.httpd(&cfg)
	}
	cfg.Site = site(t, s, svc, cfg, tailer)
	svc.run(cfg, tailer, s.tls)
	return svc
}

func site(t testing.TB, s setting, svc *service, cfg httpd.Config, tailer *transcript.Tailer) httpd.Site {
	t.Helper()
	office, err := desk.New(desk.Config{Store: cfg.Store, Projects: cfg.Projects, Hooks: cfg.Hooks})
	if err != nil {
		t.Fatal(err)
	}
	wc := web.Config{
		Desk: office, Store: cfg.Store, Projects: cfg.Projects, Hooks: cfg.Hooks, Tokens: cfg.Tokens, Insecure: cfg.Insecure,
		Book: svc.book, Tailer: tailer, Dir: filepath.Join(svc.dir, "web"), Runners: 2, Version: cfg.Version, Log: cfg.Log,
		Limits: web.Limits{Poll: 20 * time.Millisecond, Heartbeat: 50 * time.Millisecond},
	}
	if s.web != nil {
		s.web(&wc)
	}
	ui, err := web.New(wc)
	if err != nil {
		t.Fatal(err)
	}
	return ui.Site()
}

func (s *service) run(cfg httpd.Config, tailer *transcript.Tailer, secure *tls.Config) {
	server, err := httpd.New(cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.url = "http://" + ln.Addr().String()
	if secure != nil {
		ln = tls.NewListener(ln, secure)
		s.url = "https://" + ln.Addr().String()
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := server.Run(ctx, []net.Listener{ln}); err != nil {
			s.t.Errorf("Run: %v", err)
		}
	})
	wg.Go(func() { _ = tailer.Run(ctx) })
	s.t.Cleanup(func() { cancel(); wg.Wait() })
}

// overBudget notes routes that made too many queries.
type overBudget struct {
	mu     sync.Mutex
	routes []string
}

func (*overBudget) Request(string, int) {}

func (*overBudget) Unverified(deployer.Provider) {}

func (o *overBudget) OverBudget(route string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.routes = append(o.routes, route)
}

// visitor is a browser as far as HTTP goes.
type visitor struct {
	s      *service
	client *http.Client
	base   string
	header map[string]string // of every request
}

func (s *service) visitor() *visitor {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &visitor{s: s, base: s.url, header: map[string]string{"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}, client: &http.Client{
		Jar: jar, Transport: transport, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// signedIn is a visitor who has signed in.
func (s *service) signedIn(token string) *visitor {
	s.t.Helper()
	v := s.visitor()
	if a := v.signIn(token); a.status != http.StatusSeeOther {
		s.t.Fatalf("sign in: %s", a)
	}
	return v
}

func (v *visitor) signIn(token string) answer {
	v.s.t.Helper()
	return v.post("/sign-in", "token", token)
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) String() string { return fmt.Sprintf("%d %.600s", a.status, a.body) }

func (v *visitor) do(method, path string, form url.Values, header ...string) answer {
	v.s.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequest(method, v.base+path, body)
	if err != nil {
		v.s.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range v.header {
		req.Header.Set(name, value)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i+1] == "" {
			req.Header.Del(header[i])
		}
	}
	res, err := v.client.Do(req)
	if err != nil {
		v.s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		v.s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{res.StatusCode, res.Header, string(text)}
}

func (v *visitor) get(path string, header ...string) answer {
	v.s.t.Helper()
	return v.do("GET", path, nil, header...)
}

// page gets a page that must be there.
func (v *visitor) page(path string) answer {
	v.s.t.Helper()
	a := v.get(path)
	if a.status != http.StatusOK {
		v.s.t.Fatalf("GET %s: %s", path, a)
	}
	return a
}

// post sends fields, names and values in turn.
func (v *visitor) post(path string, fields ...string) answer {
	v.s.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return v.do("POST", path, form)
}

var formTokenRE = regexp.MustCompile(`name="form" value="([^"]+)"`)

// formToken finds the token of the session's forms.
func (v *visitor) formToken() string {
	v.s.t.Helper()
	found := formTokenRE.FindStringSubmatch(v.page("/").body)
	if found == nil {
		v.s.t.Fatal("there is no form on the page")
	}
	return found[1]
}

// send sends a form of the session.
func (v *visitor) send(path string, fields ...string) answer {
	v.s.t.Helper()
	return v.post(path, append(fields, "form", v.formToken())...)
}

func commitOf(n int) string { return fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%d", n)))[:40] }

// push queues a deployment.
func (s *service) push(project, message string) int64 {
	s.t.Helper()
	d, _, err := s.store.Enqueue(context.Background(), deployer.Order{
		Project: project, Trigger: deployer.TriggerPush, Ref: "refs/heads/main", Commit: commitOf(len(message)), Message: message, By: "octocat",
	})
	s.must(err)
	return d.ID
}

// begin lets a runner take the deployment of a project.
func (s *service) begin(project string) {
	s.t.Helper()
	_, err := s.store.Claim(context.Background(), s.owner, []string{project})
	s.must(err)
}

func (s *service) finish(id int64, status deployer.Status, reason string) {
	s.t.Helper()
	_, err := s.store.Finish(context.Background(), id, s.owner, deployer.Result{Status: status, Reason: reason})
	s.must(err)
}

// deployed is a deployment that is over.
func (s *service) deployed(project, message string, status deployer.Status) int64 {
	s.t.Helper()
	id := s.push(project, message)
	s.begin(project)
	s.finish(id, status, "because "+message)
	return id
}

// print writes lines into the transcript of a step.
func (s *service) print(id int64, step deployer.Step, lines ...string) {
	s.t.Helper()
	w, err := s.book.Create(id, step, 0, transcript.NewRedactor())
	s.must(err)
	for _, line := range lines {
		w.Line(process.Stdout, []byte(line))
	}
	s.must(w.Close())
}

func (s *service) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}
