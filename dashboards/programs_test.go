package dashboards_test

import (
	"bytes"
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

// loadScenario is what `seadog load run` does to the service: webhooks, some with a wrong
// signature, and a harmless fault.
const loadScenario = `version: 1
name: proof
target: {base_url: "http://%s"}
phases: [{name: steady, for: %s}]
scenarios:
  - name: pushes
    pacing: {kind: constant, rate: 20/s}
    request:
      method: POST
      path: /hooks/site
      headers: {Content-Type: application/json, X-GitHub-Event: push}
      body: {push: github, repository: proof/nowhere, size: 4KiB}
      id: {header: X-GitHub-Delivery}
      sign: {scheme: github-sha256, header: X-Hub-Signature-256, secret: %s}
    expect: {status: [200, 202]}
    negative: [{name: forged, share: 10%%, mutate: signature, expect: {status: [401]}}]
faults: [{name: idlers, phase: steady, at: 3s, for: 8s, do: {kind: idle, count: 5}}]
thresholds: [p90(response) < 5s, ratio(failed) <= 0%%]
`

// startLoad runs it for a while against the service; it shows itself at an address.
// The channel says how it ended.
func startLoad(t *testing.T, binary string, service *process, address string, length time.Duration) <-chan error {
	t.Helper()
	file := filepath.Join(t.TempDir(), "proof.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, loadScenario, service.url, length, secret), 0o600); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	cmd, out := exec.Command(binary, "load", "run", "--no-calibration", "--metrics", address, file), new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		err := cmd.Wait()
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, out)
		}
		ended <- err
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-over
	})
	return ended
}
