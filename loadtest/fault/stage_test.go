package fault_test

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/fault"
)

// stage runs one fault that lasts "for ever" against real things, and tells when
// it has begun and ended.
type stage struct {
	*fault.Timeline
	began, ended chan fault.Event
}

// begin starts a timeline, and waits until the fault has begun. It has ended with the test at the latest.
func begin(t *testing.T, c fault.Config, lines ...string) *stage {
	t.Helper()
	sc := scenario(lines...)
	sc.Phases = []loadtest.Phase{{Name: "warmup", For: time.Hour}}
	if c.Scenario != nil {
		sc.Target = c.Scenario.Target
	}
	s := &stage{began: make(chan fault.Event, 10), ended: make(chan fault.Event, 10)}
	c.Scenario, c.Log, c.Helper = sc, slog.New(slog.DiscardHandler), helper
	c.Events = func(e fault.Event) {
		if e.Change == fault.Ended {
			s.ended <- e
			return
		}
		s.began <- e
	}
	var err error
	if s.Timeline, err = fault.New(c); err != nil {
		t.Fatal(err)
	}
	var gone sync.WaitGroup
	gone.Go(func() { _ = s.Run(t.Context()) })
	t.Cleanup(func() {
		_ = s.Undo()
		gone.Wait()
	})
	if e := s.next(t, s.began); e.Change == fault.Failed {
		t.Fatal(e.Err)
	}
	return s
}

func (s *stage) next(t *testing.T, events chan fault.Event) fault.Event {
	t.Helper()
	select {
	case e := <-events:
		return e
	case <-time.After(20 * time.Second):
		t.Fatal("nothing happens")
		return fault.Event{}
	}
}

// undo undoes it, and returns what came of it.
func (s *stage) undo(t *testing.T) map[string]uint64 {
	t.Helper()
	for range 2 {
		if err := s.Undo(); err != nil {
			t.Error(err)
		}
	}
	return s.next(t, s.ended).Effects
}

// service is a child that answers lines and has two workers.
type service struct {
	*exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func serve(t *testing.T) *service {
	t.Helper()
	c := &service{Cmd: exec.Command("/proc/self/exe")}
	c.Env = append(os.Environ(), role+"=service")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.in, c.out = in, bufio.NewReader(out)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait() // says that it was killed
	})
	c.expect(t, "ready")
	return c
}

func (c *service) ask(t *testing.T) {
	t.Helper()
	if _, err := io.WriteString(c.in, "\n"); err != nil {
		t.Fatal(err)
	}
}

func (c *service) expect(t *testing.T, want string) {
	t.Helper()
	line, err := c.out.ReadString('\n')
	if err != nil || !strings.Contains(line, want) {
		t.Fatalf("it says %q, %v, want %q", line, err, want)
	}
}

// target is a config for a service of that pid.
func target(c *service) fault.Config {
	return fault.Config{Scenario: &loadtest.Scenario{Target: loadtest.Target{PID: c.Process.Pid}}}
}

// childrenOf returns the pids of a process's children, as they were born. The
// kernel lists them by the thread that bore them.
func childrenOf(t *testing.T, pid int) []string {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	var pids []string
	for _, list := range lists {
		b, _ := os.ReadFile(list) // of a thread that has gone since
		pids = append(pids, strings.Fields(string(b))...)
	}
	slices.SortFunc(pids, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	return pids
}

// states are the states of a process's children.
func states(t *testing.T, pid int) string {
	t.Helper()
	found := ""
	for _, child := range childrenOf(t, pid) {
		b, err := os.ReadFile("/proc/" + child + "/stat")
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(b), ") ")
		found += rest[:1]
	}
	return found
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for !is() {
		select {
		case <-look.C:
		case <-deadline.C:
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}
