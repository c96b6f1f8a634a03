package e2e_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/client"
)

const (
	hookSecret = "e2e-hook-secret-0123456789abcdef"
	apiToken   = "e2e-api-token-0123456789abcdef00"
)

// service is one `seadog serve` with its directory, which outlives its processes.
type service struct {
	t          testing.TB
	dir        string
	url, admin string
	env        []string // added to the environment
	api        *client.Client
	out        *os.File // standard output; service.log if nil
	cmd        *exec.Cmd
	exited     chan error
}

// newService writes a configuration for projects (YAML of their entries, by
// name) and returns a service that is not started yet. extra is added on top level.
func newService(t testing.TB, projects map[string]string, extra string) *service {
	t.Helper()
	s := &service{t: t, dir: t.TempDir()}
	ports := freePorts(t, 2)
	s.url = fmt.Sprintf("http://127.0.0.1:%d", ports[0])
	s.admin = fmt.Sprintf("http://127.0.0.1:%d", ports[1])
	var text strings.Builder
	fmt.Fprintf(&text, "listen: [\"127.0.0.1:%d\"]\nadmin: {listen: \"127.0.0.1:%d\"}\ndata: %q\n", ports[0], ports[1], filepath.Join(s.dir, "data"))
	fmt.Fprintf(&text, "api: {tokens: [{name: e2e, scope: admin, token: %q}]}\n%s\nprojects:\n", apiToken, extra)
	for name, entry := range projects {
		fmt.Fprintf(&text, "  %s:\n", name)
		if !strings.Contains(entry, "webhook:") {
			fmt.Fprintf(&text, "    webhook: {provider: github, secret: %q}\n", hookSecret)
		}
		for line := range strings.SplitSeq(strings.TrimSpace(entry), "\n") {
			fmt.Fprintf(&text, "    %s\n", line)
		}
	}
	s.write("seadog.yml", text.String())
	var err error
	s.api, err = client.New(client.Config{URL: s.url, Token: deployer.NewSecret(apiToken)})
	if err != nil {
		t.Fatalf("client: %v", err)
	}
	t.Cleanup(s.api.Close)
	return s
}

// configure adds lines to the configuration, on top level.
func (s *service) configure(lines string) {
	s.t.Helper()
	text, err := os.ReadFile(s.path("seadog.yml"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.write("seadog.yml", lines+"\n"+string(text))
}

// start starts the service and waits until it is ready.
func (s *service) start() {
	s.t.Helper()
	s.launch()
	s.eventually(20*time.Second, "the service is ready", s.ready)
}

// restart starts the service after its master was killed, as a service manager
// would: again if it ends at once, because workers that have not seen the death
// of the old master yet still hold its sockets.
func (s *service) restart() {
	s.t.Helper()
	s.launch()
	s.eventually(20*time.Second, "the service is ready again", func() bool {
		if s.ended() {
			s.launch()
		}
		return s.ready()
	})
}

func (s *service) launch() {
	s.t.Helper()
	log, err := os.OpenFile(s.path("service.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	s.cmd = exec.Command(binary, "serve", "--config", s.path("seadog.yml"))
	s.cmd.Env = append(os.Environ(), s.env...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if s.out != nil {
		s.cmd.Stdout = s.out
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatalf("start: %v", err)
	}
	s.exited = make(chan error, 1)
	go func(cmd *exec.Cmd, exited chan error) { exited <- cmd.Wait() }(s.cmd, s.exited)
	s.t.Cleanup(s.end)
}

// ready reports whether the service answers, and not one that was killed before it.
func (s *service) ready() bool {
	resp, err := http.Get(s.url + "/readyz")
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK && len(s.workers("worker http")) > 0
}

// ended reports whether the master is gone.
func (s *service) ended() bool {
	select {
	case err := <-s.exited:
		s.exited <- err
		return true
	default:
		return false
	}
}

// stop asks the service to end and requires that it does so in order.
func (s *service) stop() {
	s.t.Helper()
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-s.exited:
		s.exited <- err
		if err != nil {
			s.t.Errorf("the service did not stop cleanly: %v", err)
		}
	case <-time.After(60 * time.Second):
		s.t.Fatalf("the service did not stop within a minute\n%s", s.log())
	}
}

// killAll sends SIGKILL to every process of the service at once: the master is
// stopped first, so that it sees nothing of it.
func (s *service) killAll() {
	s.t.Helper()
	_ = s.cmd.Process.Signal(syscall.SIGSTOP)
	for _, pid := range s.workers("") {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	s.killMaster()
}

func (s *service) killMaster() {
	s.t.Helper()
	_ = s.cmd.Process.Kill()
	err := <-s.exited
	s.exited <- err
}

// workers returns the pids of the master's children whose command line
// contains what.
func (s *service) workers(what string) []int {
	var found []int
	children, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.cmd.Process.Pid))
	for _, path := range children {
		text, _ := os.ReadFile(path)
		for field := range strings.FieldsSeq(string(text)) {
			var pid int
			if _, err := fmt.Sscan(field, &pid); err != nil {
				continue
			}
			cmdline, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
			if strings.Contains(strings.ReplaceAll(string(cmdline), "\x00", " "), what) {
				found = append(found, pid)
			}
		}
	}
	return found
}

// end makes sure that nothing of the service is left when the test is over.
func (s *service) end() {
	if s.cmd == nil {
		return
	}
	// The second signal means now: what runs is ended, with everything it
	// started, so that nothing writes into the directory while it is removed.
	for _, wait := range []time.Duration{200 * time.Millisecond, 20 * time.Second} {
		_ = s.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-s.exited:
			s.exited <- err
		case <-time.After(wait):
			continue
		}
		break
	}
	if !s.ended() {
		s.killAll()
	}
	if s.t.Failed() {
		s.t.Logf("service log:\n%s", s.log())
	}
}

func (s *service) log() string {
	text, _ := os.ReadFile(s.path("service.log"))
	return string(text)
}

func (s *service) path(name string) string { return filepath.Join(s.dir, name) }

func (s *service) write(name, text string) {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Dir(s.path(name)), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// push sends a signed GitHub push and returns the status code and, for 200 and
// 202, the delivery. err is only set when no answer came.
func (s *service) push(project, id, before, after string) (int, deployer.Delivery, error) {
	body, _ := json.Marshal(map[string]any{
		"ref": "refs/heads/main", "before": before, "after": after,
		"repository":  map[string]any{"full_name": "e2e/" + project},
		"head_commit": map[string]any{"id": after, "message": "change"},
	})
	return s.deliver("/hooks/"+project, "push", id, body)
}

func (s *service) deliver(path, event, id string, body []byte) (int, deployer.Delivery, error) {
	mac := hmac.New(sha256.New, []byte(hookSecret))
	mac.Write(body)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+path, bytes.NewReader(body))
	if err != nil {
		return 0, deployer.Delivery{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-GitHub-Event", event)
	req.Header.Set("X-GitHub-Delivery", id)
	req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	req.Header.Set("X-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil))) // generic hooks
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, deployer.Delivery{}, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, deployer.Delivery{}, err
	}
	var d deployer.Delivery
	if resp.StatusCode < 300 {
		if err := json.Unmarshal(answer, &d); err != nil {
			return 0, d, fmt.Errorf("answer %q: %w", answer, err)
		}
	}
	return resp.StatusCode, d, nil
}

// mustPush pushes and returns the deployment that stands for it.
func (s *service) mustPush(project, id, before, after string) int64 {
	s.t.Helper()
	code, d, err := s.push(project, id, before, after)
	if err != nil || code != http.StatusAccepted || len(d.Decisions) != 1 || d.Decisions[0].Deployment == 0 {
		s.t.Fatalf("push: status %d, delivery %+v, error %v", code, d, err)
	}
	return d.Decisions[0].Deployment
}

// over waits until a deployment has ended and returns it.
func (s *service) over(id int64, within time.Duration) deployer.Deployment {
	s.t.Helper()
	var d deployer.Deployment
	s.eventually(within, fmt.Sprintf("deployment %d is over", id), func() bool {
		var err error
		d, err = s.api.Deployment(context.Background(), id)
		return err == nil && d.Status.Final()
	})
	return d
}

// eventually polls until ok returns true.
func (s *service) eventually(within time.Duration, what string, ok func() bool) {
	s.t.Helper()
	if !await(within, ok) {
		s.t.Fatalf("not within %s: %s\n%s", within, what, s.log())
	}
}

// await polls until ok returns true, and reports whether it did in time.
func await(within time.Duration, ok func() bool) bool {
	deadline := time.After(within)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok() {
			return true
		}
		select {
		case <-tick.C:
		case <-deadline:
			return false
		}
	}
}

func freePorts(t testing.TB, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}
