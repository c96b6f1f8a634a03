package worker_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/watchdog/handoff"
	"github.com/seadog/seadog/watchdog/scoreboard"
	"github.com/seadog/seadog/watchdog/selfdump"
	"github.com/seadog/seadog/watchdog/worker"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 3 && os.Args[1] == "child" {
		os.Exit(childMain(os.Args[2], os.Args[3]))
	}
	goleak.VerifyTestMain(m)
}

var counters = []string{"requests_total"}

// childMain writes down what happens to it, line by line.
func childMain(mode, path string) int {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return 9
	}
	w, err := worker.Start(worker.Config{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Counters: counters})
	if err != nil {
		fmt.Fprintln(f, "start:", err)
		return 1
	}
	err = w.Run(context.Background(), func(intake, work context.Context) error {
		fmt.Fprintln(f, "runs", w.ID(), w.Incarnation(), os.Getenv(handoff.Variable))
		if err := w.Ready(); err != nil {
			return err
		}
		<-intake.Done()
		fmt.Fprintln(f, "intake:", context.Cause(intake))
		if mode == "drain" {
			return nil
		}
		<-work.Done()
		fmt.Fprintln(f, "work:", context.Cause(work))
		if mode == "fail" {
			return errors.New("cannot go on")
		}
		return nil
	})
	if mode == "hang" {
		select {} // after Run, as a deferred call might
	}
	if err != nil {
		return 1
	}
	return 0
}

// master is what the worker sees of one.
type master struct {
	t       *testing.T
	control *handoff.Control
	board   *scoreboard.Board
	process *os.Process
	path    string
	waited  chan *os.ProcessState
}

// start runs a worker under m; script, if given, is a shell that starts it.
func start(t *testing.T, mode string, change func(*handoff.Manifest), script string) *master {
	t.Helper()
	m := &master{t: t, path: filepath.Join(t.TempDir(), "events"), waited: make(chan *os.ProcessState, 1)}
	var file *os.File
	var err error
	m.board, file, err = scoreboard.Create(scoreboard.Layout{Pools: []scoreboard.PoolLayout{{Name: "http", Regions: 1}}, Counters: counters})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	m.board.Pools()[0].Regions()[0].Begin(3, 0)
	control, end, release, err := handoff.NewControl()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	m.control = control
	manifest := handoff.Manifest{Pool: "http", Incarnation: 3, Master: os.Getpid(), KillGrace: time.Minute}
	if change != nil {
		change(&manifest)
	}
	parcel := handoff.NewParcel(manifest, end, file)
	env, err := parcel.Env()
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	argv := []string{exe, "child", mode, m.path}
	if script != "" {
		argv = append([]string{"/bin/sh", "-c", script}, argv...)
	}
	pid, _, err := syscall.StartProcess(argv[0], argv, &syscall.ProcAttr{
		Env: append(os.Environ(), env), Files: append([]uintptr{0, 1, 2}, parcel.Files()...),
		Sys: &syscall.SysProcAttr{Setpgid: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	if m.process, err = os.FindProcess(pid); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		state, _ := m.process.Wait()
		m.waited <- state
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
		<-ended
		_ = m.control.Close()
		if err := m.board.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// event waits until the worker has written line.
func (m *master) event(line string) {
	m.t.Helper()
	eventually(m.t, line, func() bool {
		b, _ := os.ReadFile(m.path)
		return strings.Contains(string(b), line+"\n")
	})
}

func (m *master) noEvent(line string) {
	m.t.Helper()
	if b, _ := os.ReadFile(m.path); strings.Contains(string(b), line) {
		m.t.Errorf("the worker wrote %s", b)
	}
}

func (m *master) send(k handoff.Kind) {
	m.t.Helper()
	if err := m.control.Send(handoff.Message{Kind: k}); err != nil {
		m.t.Fatal(err)
	}
}

func (m *master) receive() handoff.Message {
	m.t.Helper()
	_ = m.control.SetReadDeadline(time.Now().Add(patience))
	msg, err := m.control.Receive()
	if err != nil {
		m.t.Fatal(err)
	}
	return msg
}

func (m *master) wait() *os.ProcessState {
	m.t.Helper()
	select {
	case state := <-m.waited:
		return state
	case <-time.After(patience):
		m.t.Fatal("the worker did not end")
		return nil
	}
}

const patience = 20 * time.Second

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

func TestStartNeedsAMaster(t *testing.T) {
	if _, err := worker.Start(worker.Config{}); !errors.Is(err, handoff.ErrNoManifest) {
		t.Errorf("Start: %v", err)
	}
}

func TestWorkerKnowsItself(t *testing.T) {
	t.Parallel()
	m := start(t, "stop", nil, "")
	m.event("runs http/0 3 ") // and the manifest is out of its environment
	if got := m.receive(); got.Kind != handoff.MessageReady {
		t.Errorf("message: %+v", got)
	}
}

func TestAWorkerTellsItsStacks(t *testing.T) {
	t.Parallel()
	m := start(t, "stop", nil, "")
	m.receive()
	answer, err := selfdump.Ask(t.Context(), m.process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Name != "http/0" || !strings.Contains(string(answer.Dump), "worker_test.childMain") {
		t.Errorf("%s says\n%s", answer.Name, answer.Dump)
	}
	m.send(handoff.MessageDrain) // what drains may hang as well
	m.event("intake: told to finish and go")
	if _, err := selfdump.Ask(t.Context(), m.process.Pid); err != nil {
		t.Error(err)
	}
}

func TestDrainIsNotStop(t *testing.T) {
	t.Parallel()
	m := start(t, "stop", nil, "")
	m.event("runs http/0 3 ")
	m.send("future") // is ignored
	m.send(handoff.MessageDrain)
	m.event("intake: told to finish and go")
	m.noEvent("work:")
	m.send(handoff.MessageStop)
	m.event("work: told to stop now")
	if state := m.wait(); state.ExitCode() != 0 {
		t.Errorf("ended with %s", state)
	}
}

func TestStopEndsBoth(t *testing.T) {
	t.Parallel()
	m := start(t, "stop", nil, "")
	m.event("runs http/0 3 ")
	m.send(handoff.MessageStop)
	m.event("intake: told to stop now")
	m.event("work: told to stop now")
}

func TestFailureIsTold(t *testing.T) {
	t.Parallel()
	m := start(t, "fail", nil, "")
	m.receive()
	m.send(handoff.MessageStop)
	if got := m.receive(); got.Kind != handoff.MessageFailed || got.Text != "cannot go on" {
		t.Errorf("message: %+v", got)
	}
	if state := m.wait(); state.ExitCode() != 1 {
		t.Errorf("ended with %s", state)
	}
}

func TestSignals(t *testing.T) {
	t.Parallel()
	m := start(t, "drain", nil, "")
	m.receive()
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGHUP, syscall.SIGPIPE} {
		if err := m.process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	m.noEvent("intake:")
	if err := m.process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	m.event("intake: told to finish and go")
	if state := m.wait(); state.ExitCode() != 0 {
		t.Errorf("ended with %s", state)
	}
}

func TestHeartbeat(t *testing.T) {
	t.Parallel()
	m := start(t, "stop", nil, "")
	m.receive()
	worker := func() scoreboard.Worker { return m.board.Snapshot().Pools[0].Workers[0] }
	beat := func() int64 { return worker().Heartbeat }
	eventually(t, "a heartbeat", func() bool { return beat() != 0 })
	first := beat()
	eventually(t, "another one", func() bool { return beat() > first })
	if v := worker().Vitals; v.Goroutines < 4 || v.Procs < 1 {
		t.Errorf("vitals: %+v", v)
	}
}

func TestEndOfTheMaster(t *testing.T) {
	t.Parallel()
	t.Run("before the start", func(t *testing.T) {
		t.Parallel()
		m := start(t, "stop", func(h *handoff.Manifest) { h.Master = 1 }, "")
		m.event("start: the master is gone")
	})
	t.Run("closes the control socket", func(t *testing.T) {
		t.Parallel()
		m := start(t, "stop", nil, "")
		m.event("runs http/0 3 ")
		_ = m.control.Close()
		m.event("intake: the master is gone")
		m.event("work: the master is gone")
		if state := m.wait(); state.ExitCode() != 0 {
			t.Errorf("ended with %s", state)
		}
	})
	t.Run("is noticed although the socket stays open", func(t *testing.T) {
		t.Parallel()
		const middle = `export SEADOG_MANIFEST="$(echo "$SEADOG_MANIFEST" | sed "s/\"master\":0/\"master\":$$/")"; "$0" "$@" & wait`
		m := start(t, "stop", func(h *handoff.Manifest) { h.Master = 0 }, middle)
		m.event("runs http/0 3 ")
		if err := m.process.Kill(); err != nil {
			t.Fatal(err)
		}
		m.event("work: the master is gone")
	})
	t.Run("is survived by nobody", func(t *testing.T) {
		t.Parallel()
		m := start(t, "hang", func(h *handoff.Manifest) { h.KillGrace = 50 * time.Millisecond }, "")
		m.event("runs http/0 3 ")
		_ = m.control.Close()
		m.event("work: the master is gone")
		if state := m.wait(); state.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Errorf("ended with %s", state)
		}
	})
}
