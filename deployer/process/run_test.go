package process_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/process"
)

// fake returns a command that is one of the fakes, with a marker of its own.
func fake(t *testing.T, what string) process.Command {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return process.Command{
		Path: self, Env: []string{fakeVariable + "=" + what}, Grace: 300 * time.Millisecond,
		Marker: strings.ReplaceAll(t.Name(), "/", "-") + "-" + strconv.Itoa(os.Getpid()),
	}
}

// alive lists the processes that carry marker. It is written independently of the package.
func alive(t *testing.T, marker string) []string {
	t.Helper()
	var pids []string
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, f := range files {
		b, _ := os.ReadFile(f)
		if strings.Contains("\x00"+string(b), "\x00"+process.MarkerVariable+"="+marker+"\x00") {
			pids = append(pids, filepath.Base(filepath.Dir(f)))
		}
	}
	return pids
}

func noSurvivor(t *testing.T, marker string) {
	t.Helper()
	if pids := alive(t, marker); len(pids) > 0 {
		t.Errorf("processes %v are still there", pids)
	}
}

// zombies lists dead children of this process that nobody has reaped.
func zombies(t *testing.T) (list []string) {
	t.Helper()
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, f := range files {
		b, _ := os.ReadFile(f)
		_, rest, _ := strings.Cut(string(b), ") ")
		if strings.HasPrefix(rest, fmt.Sprintf("Z %d ", os.Getpid())) {
			list = append(list, string(b))
		}
	}
	return list
}

func wantCause(t *testing.T, err error, want deployer.Cause) process.Exit {
	t.Helper()
	var exit *process.ExitError
	if !errors.As(err, &exit) {
		t.Fatalf("error = %v (%T), want an ExitError", err, err)
	}
	if exit.Exit.Cause != want {
		t.Errorf("cause = %q (%s), want %q", exit.Exit.Cause, exit.Exit.Reason, want)
	}
	if exit.Error() == "" {
		t.Error("the error says nothing")
	}
	return exit.Exit
}

func TestACommandThatEndsByItself(t *testing.T) {
	t.Parallel()
	t.Run("success has no cause", func(t *testing.T) {
		t.Parallel()
		exit, err := process.Run(t.Context(), fake(t, "exit 0"))
		if err != nil {
			t.Fatal(err)
		}
		exit.Duration = 0
		want := process.Exit{Tail: []string{"working", "it did not work"}}
		if exit.Tail[0] != "working" { // two pipes: their order is not known
			want.Tail = []string{"it did not work", "working"}
		}
		if diff := cmp.Diff(want, exit); diff != "" {
			t.Errorf("exit (-want +got):\n%s", diff)
		}
	})
	t.Run("an exit code is told with the last words", func(t *testing.T) {
		t.Parallel()
		got, err := process.Run(t.Context(), fake(t, "exit 7"))
		exit := wantCause(t, err, deployer.CauseStepFailed)
		if got.Code != 7 || !strings.Contains(exit.Reason, "exited with code 7: it did not work") {
			t.Errorf("code %d, reason %q", got.Code, exit.Reason)
		}
	})
	t.Run("a signal is told by name", func(t *testing.T) {
		t.Parallel()
		got, err := process.Run(t.Context(), fake(t, "signal 9"))
		exit := wantCause(t, err, deployer.CauseStepFailed)
		if got.Code != -1 || !strings.Contains(exit.Reason, "signal 9 (killed)") {
			t.Errorf("code %d, reason %q", got.Code, exit.Reason)
		}
	})
}

func TestTheGroupIsToldWhileItIsTheCommands(t *testing.T) {
	t.Parallel()
	var told []int
	c := fake(t, "exit 0")
	c.Group = func(pgid int) {
		told = append(told, pgid)
		if pgid == 0 {
			return
		}
		if got, err := syscall.Getpgid(pgid); err != nil || got != pgid {
			t.Errorf("%d is of group %d, %v", pgid, got, err)
		}
	}
	if _, err := process.Run(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if len(told) != 2 || told[0] <= 1 || told[1] != 0 {
		t.Errorf("told %v", told)
	}
}

func TestNothingOutlivesTheDeadline(t *testing.T) {
	t.Parallel()
	for name, what := range map[string]string{
		"sessions that ignore TERM and hold the pipe":   "tree 4",
		"children that start children when told to end": "bomb 0",
		"a line without end":                            "endless",
		"a command that says nothing":                   "silent",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := fake(t, what)
			c.Timeout.Deadline = 1500 * time.Millisecond
			begin := time.Now()
			exit, err := process.Run(t.Context(), c)
			wantCause(t, err, deployer.CauseDeadline)
			if took := time.Since(begin); took > c.Timeout.Deadline+c.Grace+5*time.Second {
				t.Errorf("took %s", took)
			}
			if exit.Killed < 1 {
				t.Errorf("killed = %d", exit.Killed)
			}
			noSurvivor(t, c.Marker)
			t.Logf("killed %d in %s after the deadline", exit.Killed, exit.Duration-c.Timeout.Deadline)
		})
	}
}

func TestAProcessWithoutMarkerIsFound(t *testing.T) {
	t.Parallel()
	for name, what := range map[string]string{"by descent": "escape", "by its session": "stray"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := fake(t, what)
			c.Timeout.Deadline = 2 * time.Second
			begin := time.Now()
			exit, err := process.Run(t.Context(), c)
			wantCause(t, err, deployer.CauseDeadline)
			if exit.Killed != 2 {
				t.Errorf("killed = %d, want the command and its child", exit.Killed)
			}
			// It holds the pipe: had it survived, reading would have gone on.
			if took := time.Since(begin); took > c.Timeout.Deadline+c.Grace+1500*time.Millisecond {
				t.Errorf("took %s", took)
			}
		})
	}
}

func TestARelayOfProcessesIsEnded(t *testing.T) {
	t.Parallel()
	c := fake(t, "")
	c.Path, c.Args = "/bin/sh", []string{"-c", "trap '' TERM; r() { [ $1 -gt 0 ] || exit; r $(($1 - 1)) & exit 0; }; r 100000"}
	if _, err := process.Run(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	noSurvivor(t, c.Marker)
}

func TestWhatASuccessfulCommandLeavesBehindIsEnded(t *testing.T) {
	for what, killed := range map[string]int{"orphan": 2, "tame": 1} {
		t.Run(what, func(t *testing.T) {
			c := fake(t, what)
			exit, err := process.Run(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			// The last of the tree may have been started only after the first look.
			if exit.Killed < 1 || exit.Killed > killed {
				t.Errorf("killed = %d, want at most %d", exit.Killed, killed)
			}
			noSurvivor(t, c.Marker)
			if z := zombies(t); len(z) > 0 {
				t.Errorf("not reaped: %v", z)
			}
		})
	}
}

func TestSilence(t *testing.T) {
	t.Parallel()
	t.Run("ends a command", func(t *testing.T) {
		t.Parallel()
		c := fake(t, "silent")
		c.Timeout.Silence = 600 * time.Millisecond
		var stalls []bool
		c.Stalled = func(stalled bool) { stalls = append(stalls, stalled) }
		_, err := process.Run(t.Context(), c)
		exit := wantCause(t, err, deployer.CauseSilence)
		if !strings.Contains(exit.Reason, "printed nothing for 600ms") {
			t.Errorf("reason = %q", exit.Reason)
		}
		if diff := cmp.Diff([]bool{true}, stalls); diff != "" {
			t.Errorf("stalled (-want +got):\n%s", diff)
		}
		noSurvivor(t, c.Marker)
	})
	t.Run("half of it is a stall, and the next byte its end", func(t *testing.T) {
		t.Parallel()
		c := fake(t, "ticking 0s 1500ms 800ms")
		c.Timeout.Silence = 2400 * time.Millisecond
		var mu sync.Mutex
		var events []string
		note := func(event string) {
			mu.Lock()
			defer mu.Unlock()
			events = append(events, event)
		}
		c.Line = func(_ process.Stream, line []byte) { note(string(line)) }
		c.Stalled = func(stalled bool) { note(fmt.Sprint("stalled ", stalled)) }
		if _, err := process.Run(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"tick", "stalled true", "tick", "stalled false", "tick"}, events); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestTheCauseOfTheContextIsTheCauseOfTheEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		given  error
		cause  deployer.Cause
		reason string
	}{
		"stop":       {&process.Stop{Cause: deployer.CauseShutdown, Reason: "the service stops"}, deployer.CauseShutdown, "the service stops"},
		"lost lease": {fmt.Errorf("beat: %w", deployer.ErrLeaseLost), deployer.CauseLeaseExpired, "the lease of the deployment was lost"},
		"timeout":    {deployer.Errorf(deployer.CodeTimeout, "too late"), deployer.CauseDeadline, "too late"},
		"other code": {deployer.Errorf(deployer.CodeConflict, "ana asked for it"), deployer.CauseCanceled, "ana asked for it"},
		"no cause":   {nil, deployer.CauseCanceled, "canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			cmd := fake(t, "silent")
			cmd.Line = func(process.Stream, []byte) { cancel(c.given) }
			_, err := process.Run(ctx, cmd)
			if exit := wantCause(t, err, c.cause); exit.Reason != c.reason {
				t.Errorf("reason = %q, want %q", exit.Reason, c.reason)
			}
			noSurvivor(t, cmd.Marker)
		})
	}
	t.Run("before the start", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), 0)
		defer cancel()
		_, err := process.Run(ctx, fake(t, "silent"))
		wantCause(t, err, deployer.CauseDeadline)
	})
}

func TestAFloodOfLinesIsHandedOnCompletely(t *testing.T) {
	const lines = 200_000
	c := fake(t, fmt.Sprint("burst ", lines))
	got, wrong := 0, ""
	c.Line = func(_ process.Stream, line []byte) {
		if !strings.HasPrefix(string(line), "line "+strconv.Itoa(got)+" ") && wrong == "" {
			wrong = string(line)
		}
		got++
	}
	exit, err := process.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if got != lines || wrong != "" {
		t.Errorf("%d lines, first wrong one %q", got, wrong)
	}
	if len(exit.Tail) != 20 || !strings.HasPrefix(exit.Tail[19], "line 199999 ") {
		t.Errorf("tail = %q", exit.Tail)
	}
	t.Logf("%d lines in %s", lines, exit.Duration)
}

func TestALineWithoutEndArrivesInPieces(t *testing.T) {
	c := fake(t, "endless")
	c.Timeout.Deadline = 300 * time.Millisecond
	pieces, bytes := 0, 0
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c.Line = func(_ process.Stream, line []byte) {
		if len(line) > process.PieceSize {
			t.Errorf("a piece of %d bytes", len(line))
		}
		pieces, bytes = pieces+1, bytes+len(line)
	}
	_, err := process.Run(t.Context(), c)
	wantCause(t, err, deployer.CauseDeadline)
	runtime.ReadMemStats(&after)
	if pieces < 10 || bytes < (pieces-1)*process.PieceSize {
		t.Errorf("%d bytes in %d pieces", bytes, pieces)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 16<<20 {
		t.Errorf("allocated %d bytes for %d bytes of output", grown, bytes)
	}
}

func TestNoDescriptorIsLeftOpen(t *testing.T) {
	count := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	run := func() {
		_, _ = process.Run(t.Context(), process.Command{Path: "/bin/true", Marker: t.Name()})
		_, _ = process.Run(t.Context(), process.Command{Path: "/no/such/command", Marker: t.Name()})
	}
	run() // the runtime opens its poller once
	before := count()
	for range 50 {
		run()
	}
	if after := count(); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func TestCommandsAtTheSameTimeDoNotTouchEachOther(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for i := range 20 {
		c := fake(t, "exit 3")
		c.Marker += fmt.Sprint("-", i)
		wg.Go(func() {
			exit, err := process.Run(t.Context(), c)
			if exit.Code != 3 || exit.Killed != 0 {
				t.Errorf("code %d, killed %d: %v", exit.Code, exit.Killed, err)
			}
		})
	}
	wg.Wait()
}

func BenchmarkRun(b *testing.B) {
	for b.Loop() {
		if _, err := process.Run(b.Context(), process.Command{Path: "/bin/true", Marker: "benchmark"}); err != nil {
			b.Fatal(err)
		}
	}
}
