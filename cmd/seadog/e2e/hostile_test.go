package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
)

// TestRealPayloadsGetTheRightDecision: none of these creates a lock, a job or an error.
func TestRealPayloadsGetTheRightDecision(t *testing.T) {
	needEngine(t)
	f := newFake(t, "")
	r := fakeProject(t)
	s := newService(t, map[string]string{"site": entry(r.dir, "tags: ['*']")}, "")
	s.env = f.env()
	s.start()
	for file, event := range map[string]string{
		"ping":                         "ping",
		"ping-organization":            "ping", // names no repository
		"push-tag-delete":              "push",
		"push-tag-delete-organization": "push",
		"push-branch-delete":           "push",
		"release-released":             "release",
		"workflow_run-completed":       "workflow_run",
		"package-published-docker":     "package",
	} {
		t.Run(file, func(t *testing.T) {
			body, err := os.ReadFile(filepath.Join("..", "..", "..", "deployer", "webhook", "testdata", "github", file+".json"))
			if err != nil {
				t.Fatal(err)
			}
			code, d, err := s.deliver("/hooks/site", event, file, body)
			if err != nil || code != http.StatusOK || len(d.Decisions) != 1 || d.Decisions[0].Verdict != deployer.VerdictIgnored || d.Decisions[0].Reason == "" {
				t.Errorf("status %d, delivery %+v, error %v; want 200, ignored, with a reason", code, d, err)
			}
		})
	}
	ctx := context.Background()
	if list, err := s.api.Deployments(ctx, deployer.DeploymentFilter{}); err != nil || len(list.Deployments) > 0 {
		t.Errorf("deployments %+v, error %v", list.Deployments, err)
	}
	if locks, err := s.api.Locks(ctx); err != nil || len(locks.Locks) > 0 {
		t.Errorf("locks %+v, error %v", locks, err)
	}
}

// TestASecretAppearsNowhere lets a build print secrets and looks at every surface.
func TestASecretAppearsNowhere(t *testing.T) {
	needEngine(t)
	const sentinel = "sentinel-8c1f47d0a9"
	f := newFake(t, "build=leak")
	r := fakeProject(t)
	s := newService(t, map[string]string{
		"site": entry(r.dir, fmt.Sprintf("secrets: {SENTINEL: {secret: %q}}", sentinel)),
		"git":  entry("http://user:"+sentinel+"@127.0.0.1:1/e2e/git.git", ""),
	}, "")
	s.env = append(f.env(), "UNRELATED="+sentinel)
	s.start()
	var seen bytes.Buffer
	watch := watchCommandLines(t, sentinel)
	for _, project := range []string{"site", "git"} {
		id := s.mustPush(project, project, noCommit, r.head)
		d := s.over(id, 30*time.Second)
		if d.Status != deployer.Failed {
			t.Errorf("%s ended as %s: %s; want failed", project, d.Status, d.Reason)
		}
		for _, path := range []string{
			"/api/v1/status", "/api/v1/projects", "/api/v1/deliveries", "/api/v1/deployments",
			fmt.Sprintf("/api/v1/deployments/%d", id), fmt.Sprintf("/api/v1/deployments/%d/logs", id),
		} {
			seen.WriteString(s.get(path))
		}
	}
	if !strings.Contains(seen.String(), "the secret is [redacted]") {
		t.Error("the transcript does not show the redacted line: the test looks at nothing")
	}
	if line := watch(); line != "" {
		t.Errorf("the secret is in a command line: %s", line)
	}
	seen.WriteString(s.log())
	if strings.Contains(seen.String(), sentinel) {
		t.Error("the secret is in an API answer, a transcript or the log")
	}
	s.stop()
	err := filepath.WalkDir(filepath.Join(s.dir, "data"), func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if bytes.Contains(text, []byte(sentinel)) || bytes.Contains(text, []byte(hookSecret)) || bytes.Contains(text, []byte(apiToken)) {
			t.Errorf("a secret is in %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// watchCommandLines looks at the arguments of all processes until the returned
// function is called; that returns one that contained what, or "".
func watchCommandLines(t *testing.T, what string) func() string {
	ctx, cancel := context.WithCancel(context.Background())
	found := make(chan string, 1)
	go func() {
		hit := ""
		for ctx.Err() == nil && hit == "" {
			files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
			for _, file := range files {
				if text, _ := os.ReadFile(file); bytes.Contains(text, []byte(what)) {
					hit = strings.ReplaceAll(string(text), "\x00", " ")
				}
			}
		}
		found <- hit
	}()
	t.Cleanup(cancel)
	return func() string { cancel(); return <-found }
}

func TestHostileRepositoriesAreRefusedClearly(t *testing.T) {
	needEngine(t)
	outside := filepath.Join(t.TempDir(), "outside.yaml")
	if err := os.WriteFile(outside, []byte("services: {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	r := newRepository(t)
	if err := os.Symlink(outside, filepath.Join(r.dir, "compose.yaml")); err != nil {
		t.Fatal(err)
	}
	r.commit(nil)
	f := newFake(t, "")
	s := newService(t, map[string]string{"link": strings.Replace(entry(r.dir, ""), "[main]", `["**"]`, 1)}, "")
	s.env = f.env()
	s.start()
	d := s.over(s.mustPush("link", "1", noCommit, r.head), 20*time.Second)
	if d.Status != deployer.Failed || d.Cause != deployer.CauseInvalidProject || d.Outcome != deployer.OutcomeUntouched {
		t.Errorf("a symlink out of the worktree: %s (%s, %s): %s", d.Status, d.Cause, d.Outcome, d.Reason)
	}

	var body []byte
	for i, ref := range []string{"--upload-pack=touch${IFS}x", "refs/heads/--upload-pack=x", "refs/heads/a/../b", "refs/heads/a b"} {
		body = []byte(fmt.Sprintf(`{"ref":%q,"before":%q,"after":%q}`, ref, noCommit, r.head))
		code, got, err := s.deliver("/hooks/link", "push", fmt.Sprint("ref-", i), body)
		if err != nil || code != http.StatusOK && code != http.StatusBadRequest || code == http.StatusOK && got.Decisions[0].Verdict != deployer.VerdictIgnored {
			t.Errorf("the hostile ref %s: %d %+v %v; want 200 and ignored, or 400", ref, code, got, err)
		}
	}
	deep := []byte(`{"ref":` + strings.Repeat("[", 200_000) + strings.Repeat("]", 200_000) + `}`)
	if code, _, err := s.deliver("/hooks/link", "push", "3", deep); err != nil || code != http.StatusBadRequest {
		t.Errorf("deep JSON: %d %v; want 400", code, err)
	}
	if code, _, err := s.deliver("/hooks/..%2f..%2fetc", "push", "4", body); err != nil || code != http.StatusNotFound {
		t.Errorf("a project name with dots: %d %v; want 404", code, err)
	}
	if code, _, err := s.push("link", "5", noCommit, r.head); err != nil || code >= 300 {
		t.Errorf("afterwards the service answers %d, error %v", code, err)
	}
}

// TestUnauthenticatedBodiesDoNotFillTheMemory sends a thousand bodies of 26 MiB
// without a valid signature at once, from few bytes of our own.
func TestUnauthenticatedBodiesDoNotFillTheMemory(t *testing.T) {
	needEngine(t)
	f := newFake(t, "")
	r := fakeProject(t)
	s := newService(t, map[string]string{"site": entry(r.dir, "")}, "limits: {body_timeout: 10s}")
	s.env = f.env()
	s.start()
	const senders, size = 1000, 26 << 20
	addr := strings.TrimPrefix(s.url, "http://")
	chunk := make([]byte, 64<<10)
	ctx, cancel := context.WithTimeout(context.Background(), 12*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for range senders {
		wg.Go(func() {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				return
			}
			defer c.Close()
			stop := context.AfterFunc(ctx, func() { c.Close() })
			defer stop()
			fmt.Fprintf(c, "POST /hooks/site HTTP/1.1\r\nHost: x\r\nX-GitHub-Event: push\r\nX-Hub-Signature-256: sha256=%064d\r\nContent-Length: %d\r\n\r\n", 0, size)
			for sent := 0; sent < size; sent += len(chunk) {
				if _, err := c.Write(chunk); err != nil {
					return
				}
			}
			_, _ = io.Copy(io.Discard, c)
		})
	}
	var most int64
	for ctx.Err() == nil {
		for _, pid := range s.workers("worker http") {
			most = max(most, rss(pid))
		}
		began := time.Now()
		resp, err := http.Get(s.url + "/healthz")
		if err != nil {
			t.Fatalf("/healthz during the flood: %v", err)
		}
		resp.Body.Close()
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("/healthz took %s", took)
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
	wg.Wait()
	// 256 MiB of bodies, what the collector has not taken back yet, and the process itself.
	if limit := int64(512 << 20); most > limit {
		t.Errorf("an HTTP worker grew to %d MiB, want at most %d", most>>20, limit>>20)
	}
	t.Logf("largest HTTP worker: %d MiB", most>>20)
	if code, _, err := s.push("site", "1", noCommit, r.head); err != nil || code != http.StatusAccepted {
		t.Errorf("a genuine push afterwards: %d, %v", code, err)
	}
}

// rss is the most memory that a process ever had.
func rss(pid int) int64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb << 10
		}
	}
	return 0
}

func TestTenThousandIdleConnectionsHurtNobody(t *testing.T) {
	needEngine(t)
	f := newFake(t, "")
	r := fakeProject(t)
	s := newService(t, map[string]string{"site": entry(r.dir, "")}, "")
	s.env = f.env()
	s.start()
	addr := strings.TrimPrefix(s.url, "http://")
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	for i := range 10_000 {
		// Addresses of our own, so that ports do not run out.
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i%8))}, Timeout: 5 * time.Second}
		c, err := d.Dial("tcp", addr)
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		conns = append(conns, c)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	for range 50 { // so that both workers are asked
		resp, err := client.Get(s.url + "/healthz")
		if err != nil {
			t.Fatalf("beside ten thousand idle connections: %v", err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("beside ten thousand idle connections: %s", resp.Status)
		}
	}
	if code, _, err := s.push("site", "1", noCommit, r.head); err != nil || code != http.StatusAccepted {
		t.Errorf("a push beside ten thousand idle connections: %d, %v", code, err)
	}
}

// get returns the body of an API path.
func (s *service) get(path string) string {
	s.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+apiToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(body)
}
