package fault_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/fault"
	"github.com/seadog/seadog/loadtest/fault/proxy"
)

func TestStoppedServiceGoesOnAfterUndo(t *testing.T) {
	t.Parallel()
	c := serve(t)
	s := begin(t, target(c), "freeze: warmup stop for=1m")
	c.ask(t)
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.Process.Pid))
	if err != nil || !strings.Contains(string(b), "T (stopped)") {
		t.Errorf("it is not stopped: %v", err)
	}
	if n := s.undo(t)["stopped"]; n != 1 {
		t.Errorf("%d were stopped", n)
	}
	c.expect(t, "opened")
}

func TestFaultOfRealTimeEndsByItself(t *testing.T) {
	t.Parallel()
	c := serve(t)
	s := begin(t, target(c), "freeze: warmup stop for=50ms")
	e := s.next(t, s.ended)
	if e.Err != nil || e.At < 50*time.Millisecond {
		t.Errorf("ended at %s, %v", e.At, e.Err)
	}
	c.ask(t)
	c.expect(t, "opened")
}

func TestOneWorkerOrAllAreStopped(t *testing.T) {
	t.Parallel()
	for target1, want := range map[string]string{"worker:0": "TS", "all-workers": "TT"} {
		t.Run(target1, func(t *testing.T) {
			t.Parallel()
			c := serve(t)
			eventually(t, "both workers are there", func() bool { return states(t, c.Process.Pid) == "SS" })
			s := begin(t, target(c), "freeze: warmup stop "+target1+" for=1m")
			if got := states(t, c.Process.Pid); got != want {
				t.Errorf("states %s, want %s", got, want)
			}
			s.undo(t)
			eventually(t, "they go on", func() bool { return states(t, c.Process.Pid) == "SS" })
		})
	}
}

func TestWorkersAreWhomTheCallerSays(t *testing.T) {
	t.Parallel()
	c, other := serve(t), serve(t)
	config := fault.Config{
		Roots: []int{os.Getpid()},
		Pool:  func(context.Context, string) ([]int, error) { return []int{other.Process.Pid, c.Process.Pid}, nil },
	}
	begin(t, config, "kill: warmup kill runner:1")
	if err := c.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Errorf("it ended with %v", err)
	}
	other.ask(t)
	other.expect(t, "opened")
}

func TestKillIsOverAtOnce(t *testing.T) {
	t.Parallel()
	c := serve(t)
	s := begin(t, target(c), "kill: warmup kill")
	if e := s.next(t, s.ended); e.Effects["killed"] != 1 {
		t.Errorf("effects %v", e.Effects)
	}
	if err := c.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Errorf("it ended with %v", err)
	}
}

func TestServiceWithoutDescriptorsHasThemBackAfterUndo(t *testing.T) {
	t.Parallel()
	c := serve(t)
	s := begin(t, target(c), "starve: warmup nofile for=1m")
	c.ask(t)
	c.expect(t, "too many open files")
	s.undo(t)
	c.ask(t)
	c.expect(t, "opened")
}

func TestForeignProcessesMakeTheFaultFail(t *testing.T) {
	t.Parallel()
	c, other := serve(t), serve(t)
	config := target(c)
	config.Log, config.Helper = slog.New(slog.DiscardHandler), helper
	events := make(chan fault.Event, 1)
	config.Events = func(e fault.Event) { events <- e }
	sc := scenario(fmt.Sprintf("freeze: warmup stop %d for=1s", other.Process.Pid))
	sc.Target = config.Scenario.Target
	config.Scenario = sc
	tl, err := fault.New(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := tl.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e := <-events; e.Change != fault.Failed || !strings.Contains(e.Err.Error(), "not a process of the service under test") {
		t.Errorf("%+v", e)
	}
	other.ask(t)
	other.expect(t, "opened")
}

func TestProxiesAreDisturbedByTheTimeline(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := proxy.New(slog.New(slog.DiscardHandler))
	address, err := p.Listen("db", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var gone sync.WaitGroup
	gone.Go(func() { _ = p.Run(ctx) })
	defer gone.Wait()
	defer cancel()
	client, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()

	s := begin(t, fault.Config{Network: p}, "late: warmup latency db for=1m latency=1h")
	if _, err := io.WriteString(server, "answer"); err != nil {
		t.Fatal(err)
	}
	if err := client.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	var b [6]byte
	if n, err := client.Read(b[:]); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d bytes came, %v", n, err)
	}
	if n := s.undo(t)["connections"]; n != 1 {
		t.Errorf("%d connections were disturbed", n)
	}
	if err := client.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(client, b[:]); err != nil || string(b[:]) != "answer" {
		t.Errorf("got %q, %v", b, err)
	}
}

func TestDiskIsFullUntilUndo(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("a disk can be filled by root only")
		}
		t.Skip("SKIPPED: a disk can be filled by root only")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	s := begin(t, fault.Config{Disks: map[string]string{"data": dir}}, "full: warmup full data for=1m")
	file := filepath.Join(dir, "log")
	if err := os.WriteFile(file, []byte("x"), 0o600); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("writing to a full disk: %v", err)
	}
	if n := s.undo(t)["bytes"]; n != 1<<20 {
		t.Errorf("%d bytes were taken", n)
	}
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Error(err)
	}
}

func TestServiceThatNobodyReadsWaitsAndLosesNothing(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), role+"=chatter")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var gone sync.WaitGroup
	valve := fault.NewValve(out)
	var mu sync.Mutex
	read := 0
	lines := func() int {
		mu.Lock()
		defer mu.Unlock()
		return read
	}
	gone.Go(func() {
		in := bufio.NewReader(valve)
		for i := 0; ; i++ {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			if !strings.HasPrefix(line, fmt.Sprintf("line %d of", i)) {
				t.Errorf("line %d is %q", i, line)
				return
			}
			mu.Lock()
			read++
			mu.Unlock()
		}
	})
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		gone.Wait()
		_ = cmd.Wait() // says that it was killed
	})
	eventually(t, "it talks", func() bool { return lines() > 1000 })
	s := begin(t, fault.Config{Console: valve}, "deaf: warmup nobody-reads for=1m")
	before, quiet := 0, 0
	eventually(t, "the pipe is full and nothing comes", func() bool {
		n, err := unix.IoctlGetInt(int(out.(*os.File).Fd()), unix.TIOCINQ)
		if now := lines(); err != nil || n < 60<<10 || now != before {
			before, quiet = now, 0
		}
		quiet++
		return quiet > 50
	})
	s.undo(t)
	eventually(t, "it talks again", func() bool { return lines() > before+1000 })
}

func TestBadClientsComeAndGo(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	open := 0
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		switch s {
		case http.StateNew:
			open++
		case http.StateClosed:
			open--
		}
	}
	server.Start()
	defer server.Close()
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return open
	}
	s := begin(t, fault.Config{Scenario: &loadtest.Scenario{Target: loadtest.Target{BaseURL: server.URL}}}, "lazy: warmup half_open for=1m count=30")
	eventually(t, "30 connections are open", func() bool { return count() == 30 })
	if n := s.undo(t)["connected"]; n != 30 {
		t.Errorf("%d connections", n)
	}
	eventually(t, "they are closed", func() bool { return count() == 0 })
}

func TestProcessorIsTakenUntilUndo(t *testing.T) {
	t.Parallel()
	s := begin(t, fault.Config{}, "busy: warmup cpu for=1m cores=1 nice=19")
	// The helper that burns is a child of ours until it is not.
	burning := func() bool {
		for _, child := range childrenOf(t, os.Getpid()) {
			if env, _ := os.ReadFile("/proc/" + child + "/environ"); strings.Contains(string(env), role+"=helper burn") {
				return true
			}
		}
		return false
	}
	eventually(t, "it burns", burning)
	if _, ok := s.undo(t)["milliseconds of processor"]; !ok {
		t.Error("nobody counted")
	}
	if burning() {
		t.Error("it goes on")
	}
}
