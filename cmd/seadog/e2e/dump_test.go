package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog/process"
)

// dumped is what `seadog dump --json PID` says.
type dumped struct {
	Verdict string
	Process struct {
		PID  int
		Name string
	}
	Goroutines int
	Locks      []struct {
		Waiting int
		Waiters []struct {
			At     string
			Labels map[string]string
		}
	}
}

// exit codes of seadog dump, as in cmd/seadog/exitcode.go.
const (
	dumpNotNow = 4
	dumpDenied = 5
	dumpSilent = 6
)

// dump asks a process for its stacks; who changes the command may be nil.
func dump(t *testing.T, pid int, who func(*exec.Cmd)) (d dumped, code int, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "dump", "--json", strconv.Itoa(pid))
	cmd.Dir = "/"
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if who != nil {
		who(cmd)
	}
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	code = cmd.ProcessState.ExitCode()
	if code == 0 {
		if err := json.Unmarshal(out.Bytes(), &d); err != nil {
			t.Fatalf("%v in %s", err, out.String())
		}
	}
	return d, code, errs.String()
}

// mustDump requires an answer of the process that was asked, and that it lives on.
func mustDump(t *testing.T, pid int) dumped {
	t.Helper()
	before, err := process.Stat(pid)
	if err != nil {
		t.Fatal(err)
	}
	d, code, stderr := dump(t, pid, nil)
	if code != 0 || d.Process.PID != pid || d.Goroutines == 0 || d.Verdict == "" {
		t.Fatalf("process %d: exit code %d, %+v: %s", pid, code, d, stderr)
	}
	if after, err := process.Stat(pid); err != nil || after.Started != before.Started || after.Ended() {
		t.Errorf("process %d (%s) did not live on: %v, %v", pid, d.Process.Name, after, err)
	}
	return d
}

func TestEveryProcessOfAServiceTellsItsStacks(t *testing.T) {
	r := fakeProject(t)
	s := newService(t, map[string]string{"site": entry(r.dir, "")}, "")
	s.env = []string{"DOCKER_HOST=unix:///nowhere"}
	s.start()
	s.eventually(20*time.Second, "all are there", func() bool { return len(s.workers("worker")) == 6 })
	names := []string{mustDump(t, s.cmd.Process.Pid).Process.Name}
	for _, pid := range s.workers("worker") {
		names = append(names, mustDump(t, pid).Process.Name)
	}
	slices.Sort(names)
	if want := []string{"admin/0", "http/0", "http/1", "http/spare", "master", "runner/0", "runner/1"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
	if !s.ready() {
		t.Error("the service is not ready any more")
	}
	s.stop()
}

// sickLab is a running `seadog lab` with one worker beside the spare.
type sickLab struct {
	t   *testing.T
	cmd *exec.Cmd
	url string
	log bytes.Buffer
}

// startLab adds env to the environment, and args to the command line.
func startSickLab(t *testing.T, env []string, args ...string) *sickLab {
	t.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", freePorts(t, 1)[0])
	l := &sickLab{t: t, url: "http://" + address}
	l.cmd = exec.Command(binary, append([]string{"lab", "--listen", address, "--workers", "1", "--harakiri", "60s", "--data", t.TempDir()}, args...)...)
	l.cmd.Env = append(os.Environ(), env...)
	l.cmd.Stdout, l.cmd.Stderr = &l.log, &l.log
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ended := make(chan error, 1)
		go func() { ended <- l.cmd.Wait() }()
		await(time.Minute, func() bool { // the third one kills
			_ = l.cmd.Process.Signal(syscall.SIGTERM)
			return len(ended) > 0
		})
		if t.Failed() {
			t.Log(l.log.String())
		}
	})
	if !await(20*time.Second, func() bool { return l.worker() > 0 }) {
		t.Fatal("the lab does not answer")
	}
	return l
}

// worker is the pid of the worker that answers; 0 if none does.
func (l *sickLab) worker() int {
	client := http.Client{Timeout: 5 * time.Second}
	resp, err := client.Get(l.url + "/health")
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	pid, _ := strconv.Atoi(resp.Header.Get("X-Pid"))
	return pid
}

// answersOn requires that a worker still answers; on a busy machine the spare may
// have been promoted beside it.
func (l *sickLab) answersOn(pid int) {
	l.t.Helper()
	if !await(20*time.Second, func() bool { return l.worker() == pid }) {
		l.t.Errorf("worker %d does not answer any more", pid)
	}
}

// get begins a request and does not wait for its answer.
func (l *sickLab) get(path string) {
	ctx, cancel := context.WithCancel(context.Background())
	l.t.Cleanup(cancel)
	go func() {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.url+path, nil)
		if err != nil {
			return
		}
		req.Header.Set("X-Request-Id", "who-hangs")
		if resp, err := http.DefaultTransport.RoundTrip(req); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	}()
}

func TestADeadlockIsNamedInAProcessThatAnswersOn(t *testing.T) {
	l := startSickLab(t, nil)
	pid := l.worker()
	l.get("/deadlock")
	var d dumped
	if !await(20*time.Second, func() bool { d = mustDump(t, pid); return len(d.Locks) == 2 }) {
		t.Fatalf("no deadlock in %+v", d)
	}
	if !strings.HasPrefix(d.Verdict, "It looks like a deadlock") {
		t.Errorf("the verdict is %q", d.Verdict)
	}
	labels := d.Locks[0].Waiters[0].Labels
	if labels["request"] != "who-hangs" || labels["route"] != "GET /deadlock" || labels["slot"] == "" {
		t.Errorf("the waiter is %v", labels)
	}
	l.answersOn(pid)
}

func TestALoopIsNamedNotDumped(t *testing.T) {
	l := startSickLab(t, []string{"GOGC=off"}) // a collection would be the end of it
	pid := l.worker()
	l.get("/cspin?s=60")
	var code int
	var stderr string
	if !await(20*time.Second, func() bool { _, code, stderr = dump(t, pid, nil); return code != 0 }) {
		t.Fatal("nothing spins")
	}
	for _, part := range []string{"lab/0", "thread ", "computes without a pause", "state R", "GET /cspin, request who-hangs"} {
		if code != dumpNotNow || !strings.Contains(stderr, part) {
			t.Errorf("exit code %d, no %q in %s", code, part, stderr)
		}
	}
	l.answersOn(pid)
}

// TestAWorldThatStandsStillIsSaidToBeFrozen: a collection of garbage waits for
// the loop, and everything else for that; without a guard nobody prevents it.
func TestAWorldThatStandsStillIsSaidToBeFrozen(t *testing.T) {
	l := startSickLab(t, nil, "--bare")
	pid := l.worker()
	l.get("/cspin?s=60")
	if !await(20*time.Second, func() bool { _, code, _ := dump(t, pid, nil); return code != 0 }) {
		t.Fatal("nothing spins")
	}
	client := http.Client{Timeout: time.Second}
	if !await(20*time.Second, func() bool {
		resp, err := client.Get(l.url + "/leak?mb=64")
		if err == nil {
			resp.Body.Close()
		}
		return err != nil
	}) {
		t.Fatal("the world goes on")
	}
	_, code, stderr := dump(t, pid, nil)
	if code != dumpSilent || !strings.Contains(stderr, "frozen or cannot schedule") || !strings.Contains(stderr, "state R") || !strings.Contains(stderr, "--kill") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if d := mustDump(t, l.cmd.Process.Pid); d.Process.Name != "master" {
		t.Errorf("its master is %s", d.Process.Name)
	}
}

func TestAStoppedProcessIsSaidToBeStopped(t *testing.T) {
	l := startSickLab(t, nil)
	master := l.cmd.Process.Pid
	if err := syscall.Kill(master, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(master, syscall.SIGCONT) })
	if !await(20*time.Second, func() bool { now, err := process.Stat(master); return err == nil && now.Stopped() }) {
		t.Fatal("it does not stop")
	}
	_, code, stderr := dump(t, master, nil)
	if code != dumpNotNow || !strings.Contains(stderr, "is stopped") || !strings.Contains(stderr, "state T") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if err := syscall.Kill(master, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	mustDump(t, master)
}

func TestAForeignProcessIsNotTouched(t *testing.T) {
	sleeper := exec.Command("sleep", "600")
	if err := sleeper.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sleeper.Process.Kill(); _ = sleeper.Wait() }()
	_, code, stderr := dump(t, sleeper.Process.Pid, nil)
	for _, part := range []string{"(sleep) is none of ours", "pprof", fmt.Sprintf("--kill %d", sleeper.Process.Pid)} {
		if code != dumpNotNow || !strings.Contains(stderr, part) {
			t.Errorf("exit code %d, no %q in %s", code, part, stderr)
		}
	}
	if now, err := process.Stat(sleeper.Process.Pid); err != nil || now.Ended() {
		t.Errorf("it has ended: %v, %v", now, err)
	}
}

const nobody = 65534

func TestAnotherUserIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("only root can be somebody else")
		}
		t.Skip("SKIPPED: only root can be somebody else")
	}
	l := startSickLab(t, nil)
	copied := somebodysBinary(t)
	_, code, stderr := dump(t, l.worker(), func(cmd *exec.Cmd) {
		cmd.Path = copied
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	})
	if code != dumpDenied || !strings.Contains(stderr, "only root and its own user") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	mustDump(t, l.worker())
}

// somebodysBinary is the binary where everybody may run it.
func somebodysBinary(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.CreateTemp("/tmp", "seadog-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(f.Name()) })
	_, err = f.Write(text)
	if err == nil {
		err = f.Chmod(0o755)
	}
	if closed := f.Close(); err != nil || closed != nil {
		t.Fatal(err, closed)
	}
	return f.Name()
}
