package httpd_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/httpd"
	"github.com/seadog/seadog/deployer/transcript"
)

const (
	secret      = "sentinel-webhook-secret"
	password    = "sentinel-repository-password"
	readToken   = "sentinel-read-token"
	deployToken = "sentinel-deploy-token"
	adminToken  = "sentinel-admin-token"

	commitA = "1111111111111111111111111111111111111111"
	commitB = "2222222222222222222222222222222222222222"
)

// service is a running server.
type service struct {
	t       testing.TB
	url     string
	addr    string
	client  *http.Client
	store   *memory
	book    transcript.Book
	rings   atomic.Int64
	log     *logBuffer
	counted *observer
	stop    func() // begins a drain and waits for it
}

// start runs a server on a port of its own until the test ends.
func start(t testing.TB, change ...func(*httpd.Config)) *service {
	t.Helper()
	s := &service{t: t, store: newMemory(), log: &logBuffer{}, counted: &observer{}, book: transcript.Book{Dir: t.TempDir()}}
	tailer := transcript.NewTailer(s.book)
	cfg := config()
	cfg.Store, cfg.Book, cfg.Tailer, cfg.Observer = s.store, s.book, tailer, s.counted
	cfg.Ring = func() { s.rings.Add(1) }
	cfg.Log = slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	for _, f := range change {
		f(&cfg)
	}
	server, err := httpd.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().String()
	s.url = "http://" + s.addr
	transport := &http.Transport{MaxIdleConnsPerHost: 100, DisableCompression: true}
	s.client = &http.Client{Transport: transport, Timeout: time.Minute}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := server.Run(ctx, []net.Listener{ln}); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	tailing, untail := context.WithCancel(context.Background())
	wg.Go(func() { _ = tailer.Run(tailing) })
	var once sync.Once
	s.stop = func() {
		once.Do(func() {
			cancel()
			transport.CloseIdleConnections()
			untail()
			wg.Wait()
		})
	}
	t.Cleanup(s.stop)
	return s
}

// config has one hook of each kind that matters here, and three tokens.
func config() httpd.Config {
	project := func(name, hook, repository string, sel deployer.Selector) deployer.Project {
		return deployer.Project{Name: name, Hook: hook, Repository: repository, Select: sel}
	}
	main := deployer.Selector{Branches: []string{"main"}}
	return httpd.Config{
		Hooks: []deployer.Hook{
			{Name: "gh", Provider: deployer.GitHub, Secrets: []deployer.Secret{deployer.NewSecret(secret)}, Projects: []string{"web", "docs"}},
			{Name: "hub", Provider: deployer.DockerHub, Secrets: []deployer.Secret{deployer.NewSecret(secret)}, Projects: []string{"cache"}},
		},
		Projects: []deployer.Project{
			project("web", "gh", "https://bot:"+password+"@git.example.org/acme/web.git?token="+password, main),
			project("docs", "gh", "/srv/git/docs.git", deployer.Selector{Branches: []string{"release/*"}}),
			project("cache", "hub", "", deployer.Selector{Images: []string{"acme/cache:latest"}}),
		},
		Tokens: []httpd.Token{
			{Name: "reader", Scope: deployer.ScopeRead, SHA256: sha256.Sum256([]byte(readToken))},
			{Name: "alice", Scope: deployer.ScopeDeploy, SHA256: sha256.Sum256([]byte(deployToken))},
			{Name: "root", Scope: deployer.ScopeAdmin, SHA256: sha256.Sum256([]byte(adminToken))},
		},
		Version: "test",
	}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, a.body) }

// decode reads the body into v.
func (a answer) decode(t testing.TB, v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(a.body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		t.Fatalf("%s: %v", a, err)
	}
}

func (a answer) problem(t testing.TB) deployer.Problem {
	t.Helper()
	var p deployer.Problem
	a.decode(t, &p)
	return p
}

// do sends a request and returns the answer. header alternates names and values.
func (s *service) do(method, path string, body io.Reader, header ...string) answer {
	s.t.Helper()
	req, err := http.NewRequest(method, s.url+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := s.client.Do(req)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{res.StatusCode, res.Header, all}
}

// call is an API call with a token.
func (s *service) call(method, path, token, body string) answer {
	s.t.Helper()
	return s.do(method, path, strings.NewReader(body), "Authorization", "Bearer "+token)
}

func sign(body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// deliver sends a signed GitHub delivery.
func (s *service) deliver(event, id string, body []byte) answer {
	s.t.Helper()
	return s.do("POST", "/hooks/gh", bytes.NewReader(body), "Content-Type", "application/json",
		"X-GitHub-Event", event, "X-GitHub-Delivery", id, "X-Hub-Signature-256", sign(body))
}

// push is the body of a GitHub push.
func push(ref, before, after string, more ...string) []byte {
	return []byte(fmt.Sprintf(`{"ref":%q,"before":%q,"after":%q,"repository":{"full_name":"acme/web"},`+
		`"head_commit":{"id":%q,"message":"a change %s","author":{"name":"Al"}},"commits":[]}`,
		ref, before, after, after, strings.Join(more, " ")))
}

// logBuffer keeps log lines.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// observer keeps what was counted.
type observer struct {
	mu   sync.Mutex
	seen []string
}

func (o *observer) Request(route string, status int) { o.note(fmt.Sprintf("%s %d", route, status)) }
func (o *observer) OverBudget(route string)          { o.note("over " + route) }
func (o *observer) Unverified(p deployer.Provider)   { o.note("unverified " + string(p)) }

func (o *observer) note(s string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen = append(o.seen, s)
}

func (o *observer) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.seen, "\n")
}

// eventually waits until ok returns true.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("never happened: %s", what)
		case <-tick.C:
		}
	}
}

// broken is a working configuration after breaks.
func broken(s *service, breaks func(*httpd.Config)) httpd.Config {
	cfg := config()
	cfg.Store, cfg.Book, cfg.Tailer = s.store, s.book, transcript.NewTailer(s.book)
	cfg.Log = slog.New(slog.DiscardHandler)
	breaks(&cfg)
	return cfg
}
