package process_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/loadtest/fault/process"
)

func TestStoppedProcessesGoOnAfterUndo(t *testing.T) {
	t.Parallel()
	a, b := start(t, "open"), start(t, "plain")
	s, err := process.Stop(find(t, a.Process.Pid, b.Process.Pid), guardian(t))
	if err != nil {
		t.Fatal(err)
	}
	if a, b := state(a.Process.Pid), state(b.Process.Pid); a != "T" || b != "T" {
		t.Errorf("states %s and %s", a, b)
	}
	for range 2 {
		if err := s.Undo(); err != nil {
			t.Error(err)
		}
	}
	if answer := a.ask(t); answer != "opened" {
		t.Errorf("it answers %q", answer)
	}
	eventually(t, "the other one sleeps", func() bool { return state(b.Process.Pid) == "S" })
	if diff := cmp.Diff(map[string]uint64{"stopped": 2}, s.Effects()); diff != "" {
		t.Errorf("effects (-want +got):\n%s", diff)
	}
}

func TestStoppedProcessThatIsReplacedIsNoErrorToUndo(t *testing.T) {
	t.Parallel()
	c := start(t, "plain")
	s, err := process.Stop(find(t, c.Process.Pid), guardian(t))
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Process.Kill()
	_ = c.Wait()
	if err := s.Undo(); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(map[string]uint64{"stopped": 1, "gone": 1}, s.Effects()); diff != "" {
		t.Errorf("effects (-want +got):\n%s", diff)
	}
}

func TestProcessThatSomebodyElseHasStoppedStaysStopped(t *testing.T) {
	t.Parallel()
	a, b := start(t, "plain"), start(t, "plain")
	if err := b.Process.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it has stopped", func() bool { return state(b.Process.Pid) == "T" })
	_, err := process.Stop(find(t, a.Process.Pid, b.Process.Pid), guardian(t))
	if err == nil || !strings.Contains(err.Error(), strconv.Itoa(b.Process.Pid)+": somebody else") {
		t.Errorf("got %v", err)
	}
	if b := state(b.Process.Pid); b != "T" {
		t.Errorf("it is in state %s", b)
	}
	eventually(t, "the first one goes on", func() bool { return state(a.Process.Pid) == "S" })
}

func TestKilledProcessesAreGone(t *testing.T) {
	t.Parallel()
	c := start(t, "plain")
	n, err := process.Kill(find(t, c.Process.Pid))
	if n != 1 || err != nil {
		t.Errorf("killed %d, %v", n, err)
	}
	_ = c.Wait()
	if status := c.ProcessState.String(); status != "signal: killed" {
		t.Errorf("it ended by %s", status)
	}
	d := start(t, "plain")
	list := find(t, d.Process.Pid)
	_ = d.Process.Kill()
	_ = d.Wait()
	if _, err := process.Kill(list); !errors.Is(err, process.ErrGone) {
		t.Errorf("of one that is gone: %v", err)
	}
}

func TestLimitedProcessOpensWhatIsSpareAndNoMore(t *testing.T) {
	t.Parallel()
	c := start(t, "open")
	if answer := c.ask(t); answer != "opened" {
		t.Fatal(answer)
	}
	before := softLimit(t, c.Process.Pid)
	l, err := process.Limit(find(t, c.Process.Pid), 3, guardian(t))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if answer := c.ask(t); answer != "opened" {
			t.Errorf("descriptor %d: %s", i, answer)
		}
	}
	if answer := c.ask(t); !strings.Contains(answer, "too many open files") {
		t.Errorf("one too many: %s", answer)
	}
	if _, err := process.Limit(find(t, c.Process.Pid), 10, guardian(t)); err == nil || !strings.Contains(err.Error(), "nothing to lower") {
		t.Errorf("a limit above the limit: %v", err)
	}
	for range 2 {
		if err := l.Undo(); err != nil {
			t.Error(err)
		}
	}
	if answer := c.ask(t); answer != "opened" {
		t.Errorf("after Undo: %s", answer)
	}
	if after := softLimit(t, c.Process.Pid); after != before {
		t.Errorf("limit %s before, %s after", before, after)
	}
}

func TestWhatAKilledOwnerHasDoneIsUndone(t *testing.T) {
	t.Parallel()
	c := start(t, "owner")
	words := strings.Fields(c.say)
	if len(words) != 2 {
		t.Fatal(c.say)
	}
	var pids [2]int
	for i, w := range words {
		pid, err := strconv.Atoi(w)
		if err != nil {
			t.Fatal(c.say)
		}
		p, err := os.FindProcess(pid)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = p.Kill() })
		pids[i] = pid
	}
	if s := state(pids[0]); s != "T" {
		t.Fatalf("it is in state %s", s)
	}
	lowered := softLimit(t, pids[1])
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the stopped child goes on", func() bool { return state(pids[0]) != "T" && state(pids[0]) != "" })
	eventually(t, "the limited child has its limit back", func() bool { return softLimit(t, pids[1]) != lowered })
}

func TestGuardianHasNothingToDoAfterUndo(t *testing.T) {
	t.Parallel()
	c := start(t, "plain")
	g := process.NewGuardian(helper)
	s, err := process.Stop(find(t, c.Process.Pid), g)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Undo(); err != nil {
		t.Fatal(err)
	}
	// Now somebody else stops it, which is none of the guardian's business.
	if err := c.Process.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it has stopped", func() bool { return state(c.Process.Pid) == "T" })
	for range 2 {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}
	if s := state(c.Process.Pid); s != "T" {
		t.Errorf("it is in state %s", s)
	}
	if _, err := process.Stop(find(t, start(t, "plain").Process.Pid), g); err == nil {
		t.Error("a process was stopped without a guardian")
	}
}

func TestGuardianThatCannotBeStartedStopsNothing(t *testing.T) {
	t.Parallel()
	c := start(t, "plain")
	missing := process.NewGuardian(func(...string) *exec.Cmd { return exec.Command("/nonexistent") })
	if _, err := process.Stop(find(t, c.Process.Pid), missing); err == nil || !strings.Contains(err.Error(), "start guardian") {
		t.Errorf("got %v", err)
	}
	if s := state(c.Process.Pid); s == "T" {
		t.Error("it was stopped")
	}
}

func TestGuardianTouchesNobodyWhoOnlyHasTheNumber(t *testing.T) {
	t.Parallel()
	a, b := start(t, "plain"), start(t, "plain")
	for _, c := range []*child{a, b} {
		if err := c.Process.Signal(unix.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it has stopped", func() bool { return state(c.Process.Pid) == "T" })
	}
	kept := filepath.Join(t.TempDir(), "kept")
	if err := os.WriteFile(kept, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	before := softLimit(t, b.Process.Pid)
	g := helper("guardian")
	g.Stdin = strings.NewReader(fmt.Sprintf("guard 1 continue %d 1\nguard 2 limit %d 1 9 9\nguard 3 remove 1 1 %s\nguard 4 continue %d %d\n",
		a.Process.Pid, b.Process.Pid, kept, b.Process.Pid, started(t, b.Process.Pid)))
	if out, err := g.Output(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if a, b := state(a.Process.Pid), state(b.Process.Pid); a != "T" || b == "T" {
		t.Errorf("another one is in state %s, the one that was meant %s", a, b)
	}
	if after := softLimit(t, b.Process.Pid); after != before {
		t.Errorf("limit %s before, %s after", before, after)
	}
	if _, err := os.Stat(kept); err != nil {
		t.Errorf("another file of the same name: %v", err)
	}
}

// started is when a process started, in ticks.
func started(t *testing.T, pid int) (ticks uint64) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	if _, err := fmt.Sscan(strings.Fields(rest)[19], &ticks); err != nil {
		t.Fatal(err)
	}
	return ticks
}
