package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/process"
	"github.com/seadog/seadog/watchdog/selfdump"
)

// namedThreads is how many threads of a process that does not answer are shown.
const namedThreads = 10

// dumpOrigin is a process that took its own dump and goes on.
type dumpOrigin struct {
	PID  int     `json:"pid"`
	Name string  `json:"name"` // "http/0", "master"
	MS   float64 `json:"stopped_ms"`
}

func (o *dumpOrigin) String() string {
	return fmt.Sprintf("%s (process %d), which stood still for %.1f ms and goes on", o.Name, o.PID, o.MS)
}

// processNamed returns the pid that an argument is: a number that is no file.
func processNamed(source string) (pid int, ok bool) {
	pid, err := strconv.Atoi(source)
	if err != nil || pid <= 0 || strings.Trim(source, "0123456789") != "" {
		return 0, false
	}
	_, err = os.Stat(source)
	return pid, errors.Is(err, fs.ErrNotExist)
}

// askForDump has one of our own processes take its dump.
func askForDump(ctx context.Context, e *env, pid int, asJSON bool) error {
	answer, err := selfdump.Ask(ctx, pid)
	if err != nil {
		return explainSilence(pid, err)
	}
	page, err := readDump(bytes.NewReader(answer.Dump))
	if err != nil {
		return err
	}
	page.Process = &dumpOrigin{PID: pid, Name: answer.Name, MS: float64(answer.Took.Microseconds()) / 1e3}
	page.Goroutines += answer.Dropped
	page.Dropped += answer.Dropped
	return page.show(e, asJSON)
}

// explainSilence says why a process gave no dump, and what can be done.
func explainSilence(pid int, err error) error {
	var computes *selfdump.ComputesError
	var silent *selfdump.SilentError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return deployer.Errorf(deployer.CodeNotFound, "there is no file and no process %d", pid).
			WithHint("of other programs than ours, a pprof URL costs nothing, and `seadog dump --kill %d` ends the process", pid)
	case errors.Is(err, selfdump.ErrForeign):
		return deployer.Errorf(deployer.CodeConflict, "process %d%s is none of ours, or does not run under the watchdog", pid, commandOf(pid)).
			WithHint("if it is a Go program: its pprof URL costs it nothing, `seadog dump --kill %d` ends it", pid)
	case errors.Is(err, selfdump.ErrElsewhere):
		return deployer.Errorf(deployer.CodeConflict, "process %d%s takes no questions from here: it is in another network namespace", pid, commandOf(pid)).
			WithHint("if it runs in a container, ask in there: `docker exec CONTAINER seadog dump PID`, with the pid that it has there")
	case errors.Is(err, selfdump.ErrForbidden):
		return deployer.Errorf(deployer.CodeForbidden, "process %d answers only root and its own user", pid)
	case errors.Is(err, selfdump.ErrProtocol):
		return deployer.Errorf(deployer.CodeConflict, "process %d%s is of another version than this program", pid, commandOf(pid)).
			WithHint("ask it with the executable that it runs, /proc/%d/exe", pid)
	case errors.As(err, &computes):
		return deployer.Errorf(deployer.CodeConflict, "%s", computing(pid, computes)).
			WithHint("ask again when that has ended; `seadog dump --kill %d` ends the process and prints what it can", pid)
	case errors.As(err, &silent) && silent.Stopped:
		return deployer.Errorf(deployer.CodeConflict, "process %d%s is stopped, by a signal or a debugger, so it does not answer%s", pid, commandOf(pid), threadsOf(pid, nil)).
			WithHint("`kill -CONT %d` lets it go on", pid)
	case errors.As(err, &silent):
		return deployer.Errorf(deployer.CodeTimeout, "process %d%s does not answer: it is frozen or cannot schedule its goroutines%s", pid, commandOf(pid), threadsOf(pid, nil)).
			WithHint("`seadog dump --kill %d` ends it and prints what it can; under a watchdog that happens by itself", pid)
	}
	return &exitError{Code: exitFailed, Err: fmt.Errorf("ask process %d: %w", pid, err)}
}

// computing says which threads keep a process from being dumped.
func computing(pid int, e *selfdump.ComputesError) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (process %d) was not dumped: %s without a pause, and if Go cannot interrupt that, the dump would freeze it", e.Name, pid, threadNames(e.Threads))
	b.WriteString(threadsOf(pid, e.Threads))
	for _, r := range e.Requests {
		fmt.Fprintf(&b, "\n  under way: %s, request %s in slot %d, for %s", cmp.Or(r.Route, "no route yet"), r.ID, r.Slot, r.Age.Round(100*time.Millisecond))
	}
	return b.String()
}

func threadNames(tids []int) string {
	if len(tids) == 1 {
		return fmt.Sprintf("thread %d computes", tids[0])
	}
	names := make([]string, len(tids))
	for i, tid := range tids {
		names[i] = strconv.Itoa(tid)
	}
	return "threads " + strings.Join(names, ", ") + " compute"
}

// threadsOf is what the kernel tells about threads of a process, those that have
// computed most first, each on a line; of all if only is nil.
func threadsOf(pid int, only []int) string {
	threads, err := process.Threads(pid)
	if err != nil {
		return ""
	}
	if only != nil {
		threads = slices.DeleteFunc(threads, func(t watchdog.Thread) bool { return !slices.Contains(only, t.TID) })
	}
	slices.SortStableFunc(threads, func(a, b watchdog.Thread) int { return cmp.Compare(b.CPUMS, a.CPUMS) })
	var b strings.Builder
	for i, t := range threads {
		if i == namedThreads {
			fmt.Fprintf(&b, "\n  and %d more threads", len(threads)-i)
			break
		}
		fmt.Fprintf(&b, "\n  thread %d: state %s, %.1f s computed", t.TID, t.State, float64(t.CPUMS)/1e3)
		if t.Wait != "" {
			b.WriteString(", waits in " + t.Wait)
		}
	}
	return b.String()
}

// commandOf is the name of a process in parentheses; "" if it cannot be read.
func commandOf(pid int) string {
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return ""
	}
	return " (" + strings.TrimSpace(string(name)) + ")"
}
