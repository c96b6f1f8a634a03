package master_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/handoff"
	"github.com/seadog/seadog/watchdog/master"
)

// patience bounds every wait of these tests.
const patience = 20 * time.Second

// service is a master that runs in the test's own process.
type service struct {
	t       *testing.T
	signals chan os.Signal
	bell    *handoff.Doorbell
	place   string
	stderr  string
	done    chan struct{}
	err     error
	url     string

	mu     sync.Mutex
	deaths []watchdog.Death
	cases  []watchdog.Incident
	dumps  map[string][]byte
	log    bytes.Buffer
	states []string
}

// start runs pools with the listener "public" and the doorbell "work"; change
// may alter the configuration.
func start(t *testing.T, pools []watchdog.Pool, change func(*master.Config)) *service {
	t.Helper()
	s := &service{t: t, signals: make(chan os.Signal, 8), done: make(chan struct{}), dumps: map[string][]byte{}}
	s.place, s.stderr = filepath.Join(t.TempDir(), "place"), filepath.Join(t.TempDir(), "stderr")
	sockets, err := handoff.Listen(t.Context(), []handoff.Spec{{Name: "public", Address: "127.0.0.1:0"}})
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://" + sockets.Addr("public").String()
	bell, err := handoff.NewDoorbell("work")
	if err != nil {
		t.Fatal(err)
	}
	s.bell = bell
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := master.Config{
		Executable: exe, Env: []string{"PATH=" + os.Getenv("PATH"), "GORACE=atexit_sleep_ms=0"}, Pools: pools,
		Sockets: sockets, Doorbells: []*handoff.Doorbell{bell}, Counters: counters,
		Record: s.record, Incident: s.incident, Place: s.place, Log: slog.New(slog.NewTextHandler(writer{s}, nil)), Signals: s.signals, Notify: s.notify,
	}
	for _, p := range pools {
		if p.Slots > 0 {
			c.Stderr = s.stderr
		}
	}
	if change != nil {
		change(&c)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(s.done)
		s.err = master.Run(ctx, c)
	}()
	t.Cleanup(func() {
		cancel()
		for range 3 { // now, by force, and in case the first was one already
			s.signal(syscall.SIGTERM)
		}
		<-s.done
		if err := sockets.Release(); err != nil {
			t.Error(err)
		}
		if err := bell.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			s.mu.Lock()
			t.Log(s.log.String())
			s.mu.Unlock()
		}
	})
	return s
}

type writer struct{ s *service }

func (w writer) Write(b []byte) (int, error) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	return w.s.log.Write(b)
}

func (s *service) record(d watchdog.Death) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deaths = append(s.deaths, d)
	return nil
}

func (s *service) incident(i watchdog.Incident, dump []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cases = append(s.cases, i)
	s.dumps[i.ID] = dump
	return nil
}

func (s *service) incidents() []watchdog.Incident {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]watchdog.Incident(nil), s.cases...)
}

// theIncident waits for the one incident that there is to be.
func (s *service) theIncident() watchdog.Incident {
	s.t.Helper()
	eventually(s.t, "an incident", func() bool { return len(s.incidents()) > 0 })
	return s.incidents()[0]
}

func (s *service) notify(state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.states = append(s.states, strings.Split(state, "\n")[0])
}

func (s *service) notified() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.states...)
}

func (s *service) dead() []watchdog.Death {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]watchdog.Death(nil), s.deaths...)
}

func (s *service) logged(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(s.log.String(), text)
}

func (s *service) signal(sig os.Signal) {
	select {
	case s.signals <- sig:
	case <-s.done:
	}
}

// ready waits until the service has a worker in every pool.
func (s *service) ready() *service {
	s.t.Helper()
	eventually(s.t, "service ready", func() bool { return s.logged("service ready") })
	return s
}

// wait returns the result of Run.
func (s *service) wait() error {
	s.t.Helper()
	select {
	case <-s.done:
		return s.err
	case <-time.After(patience):
		s.t.Fatal("Run did not return")
		return nil
	}
}

func (s *service) get(path string) string {
	s.t.Helper()
	body, err := fetch(s.url + path)
	if err != nil {
		s.t.Fatalf("GET %s: %v", path, err)
	}
	return body
}

func (s *service) pid() int {
	s.t.Helper()
	pid, err := strconv.Atoi(s.get("/pid"))
	if err != nil {
		s.t.Fatal(err)
	}
	return pid
}

// pids asks until n different workers have answered.
func (s *service) pids(n int) map[int]bool {
	s.t.Helper()
	seen := map[int]bool{}
	eventually(s.t, fmt.Sprintf("%d workers answer", n), func() bool {
		seen[s.pid()] = true
		return len(seen) >= n
	})
	return seen
}

func fetch(url string) (string, error) {
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, Timeout: patience}
	resp, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s in vain: %s", patience, what)
		}
		<-tick.C
	}
}

// kill ends a worker with KILL and returns when the kernel is done with it:
// until then it may still accept a connection.
func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the worker is gone", func() bool { return !alive(pid) })
}

// alive reports whether pid is a process that is no zombie.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	after := string(stat[bytes.LastIndexByte(stat, ')')+1:])
	return !strings.HasPrefix(strings.TrimSpace(after), "Z")
}

func matches(t *testing.T, pattern string) int {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return len(found)
}

func child(name string, count int, mode string, args ...string) watchdog.Pool {
	return watchdog.Pool{
		Name: name, Count: count, Args: append([]string{"child", mode}, args...),
		Listeners: []string{"public"}, Doorbells: []string{"work"},
	}
}

// outside is a master in a process of its own.
type outside struct {
	cmd    *exec.Cmd
	url    string
	stderr string
	waited bool
}

// startOutside starts it, under another command if one is given.
func startOutside(t *testing.T, s setup, under ...string) *outside {
	t.Helper()
	if s.Journal == "" {
		s.Journal = filepath.Join(t.TempDir(), "journal")
	}
	config, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	o := &outside{cmd: exec.Command(exe, "master", string(config)), url: "http://" + s.Address}
	if len(under) > 0 {
		o.cmd = exec.Command(under[0], append(under[1:], o.cmd.Args...)...)
	}
	stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	o.cmd.Stderr, o.stderr = stderr, stderr.Name()
	if err := o.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !o.waited {
			_ = o.cmd.Process.Kill()
			_ = o.cmd.Wait()
		}
		if t.Failed() {
			text, _ := os.ReadFile(stderr.Name())
			t.Log(string(text))
		}
	})
	return o
}

// log is what the master has written.
func (o *outside) log(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(o.stderr)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// stop stops the master by a signal, until goOn.
func (o *outside) stop(t *testing.T) {
	t.Helper()
	if err := o.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
}

func (o *outside) goOn(t *testing.T) {
	t.Helper()
	if err := o.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
}

func (o *outside) wait() error {
	o.waited = true
	return o.cmd.Wait()
}

// freeAddress returns an address that nobody listens on just now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func touch(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}
