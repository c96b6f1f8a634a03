package dashboards_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// build returns a seadog of what lies beside this module.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "seadog")
	cmd := exec.Command("go", "build", "-C", "..", "-o", binary, "./cmd/seadog")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build seadog: %v\n%s", err, out)
	}
	return binary
}

// process is one of the programs that run.
type process struct {
	url, admin string // host:port
	cmd        *exec.Cmd
}

// run starts a program that ends with the test.
func run(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s %s:\n%.8000s", filepath.Base(name), args[0], out.String())
		}
	})
	return cmd
}

const secret = "proof-of-the-dashboards-0123456789"

// startService runs seadog serve with a project whose deployments fail: what is
// to be seen needs no engine.
func startService(t *testing.T, binary string) *process {
	t.Helper()
	ports := freePorts(t, 2)
	dir := t.TempDir()
	p := &process{url: ports[0], admin: ports[1]}
	config := filepath.Join(dir, "seadog.yml")
	text := fmt.Sprintf(`listen: [%q]
admin: {listen: %q}
data: %q
api: {tokens: [{name: proof, scope: read, token: %q}]}
projects:
  site: {repository: %q, webhook: {provider: github, secret: %q}}
`, p.url, p.admin, filepath.Join(dir, "data"), secret, filepath.Join(dir, "nowhere.git"), secret)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p.cmd = run(t, binary, "serve", "--config", config)
	eventually(t, "seadog is ready", func() bool { return reachable("http://" + p.url + "/readyz") })
	return p
}

func startLab(t *testing.T, binary string) *process {
	t.Helper()
	ports := freePorts(t, 2)
	p := &process{url: ports[0], admin: ports[1]}
	p.cmd = run(t, binary, "lab", "--listen", p.url, "--admin", p.admin, "--data", t.TempDir(), "--harakiri", "300ms", "--mercy", "300ms")
	eventually(t, "the lab is ready", func() bool { return reachable("http://"+p.url+"/health") && reachable("http://"+p.admin+"/healthz") })
	return p
}

// sicken has the lab do what the watchdog is for.
func (p *process) sicken() {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for _, fault := range []string{"/sleep?s=2", "/crash", "/freeze", "/sleep?s=1"} {
		if resp, err := client.Get("http://" + p.url + fault); err == nil {
			resp.Body.Close()
		}
	}
}

// push sends webhooks until ctx ends, every tenth with a wrong signature.
func (p *process) push(ctx context.Context, t *testing.T, g *standIn) {
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		key := secret
		if n%10 == 9 {
			key = "wrong"
		}
		g.inflight.Add(1)
		began := time.Now()
		status, err := p.deliver(client, n, key)
		g.seconds.Add(int64(time.Since(began)))
		g.inflight.Add(-1)
		switch {
		case err != nil || status >= 500:
			t.Errorf("push %d: %d %v", n, status, err)
		case status == http.StatusUnauthorized:
			g.refused.Add(1)
		default:
			g.sent.Add(1)
		}
	}
}

func (p *process) deliver(client *http.Client, n int, key string) (int, error) {
	commit := fmt.Sprintf("%040x", n+1)
	body, err := json.Marshal(map[string]any{
		"ref": "refs/heads/main", "before": fmt.Sprintf("%040x", n), "after": commit,
		"repository": map[string]any{"full_name": "proof/nowhere"}, "head_commit": map[string]any{"id": commit, "message": "change"},
	})
	if err != nil {
		return 0, err
	}
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(body)
	req, err := http.NewRequest(http.MethodPost, "http://"+p.url+"/hooks/site", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": fmt.Sprintf("proof-%d", n),
		"X-Hub-Signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil)),
	} {
		req.Header.Set(name, value)
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	resp.Body.Close()
	return resp.StatusCode, nil
}
