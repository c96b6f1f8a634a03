package process

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

const ownThreads = "/proc/self/task"

// Computing looks at the threads of this process several times, and returns
// those that ran in every look, or wanted to, and did not wait for anything in
// between, with the processor time that they used; the caller's is not among
// them. Such a thread may be in a loop that Go cannot preempt. The error says why
// nothing is known; it is the cause of ctx if that ended first.
func Computing(ctx context.Context, looks int, apart time.Duration) (map[int]time.Duration, error) {
	runtime.LockOSThread() // this thread runs whenever it looks, so it has to be told from others
	defer runtime.UnlockOSThread()
	first, err := running(unix.Gettid())
	used := make(map[int]time.Duration, len(first))
	for tid := range first {
		used[tid] = 0
	}
	for range looks - 1 {
		if err != nil || len(used) == 0 {
			break
		}
		if !pause(ctx, apart) {
			return nil, context.Cause(ctx)
		}
		var now map[int]spell
		now, err = running(unix.Gettid())
		for tid := range used {
			s, runs := now[tid]
			// One that has just woken this thread, and is about to sleep, runs in
			// every look, too.
			if used[tid] = s.cpu - first[tid].cpu; !runs || s.waits != first[tid].waits {
				delete(used, tid)
			}
		}
	}
	return used, err
}

// spell is what a thread has done so far.
type spell struct {
	cpu   time.Duration
	waits string // how often it gave its processor up by itself
}

// running returns the threads that run or could, but for one.
func running(but int) (map[int]spell, error) {
	dir, err := os.Open(ownThreads)
	if err != nil {
		return nil, fmt.Errorf("look at threads: %w", err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("look at threads: %w", err)
	}
	found := map[int]spell{}
	for _, name := range names {
		tid, err := strconv.Atoi(name)
		if err != nil || tid == but {
			continue
		}
		if s, err := readStat(ownThreads + "/" + name + "/stat"); err == nil && s.State == 'R' {
			found[tid] = spell{s.CPU, waits(ownThreads + "/" + name + "/status")}
		}
	}
	return found, nil
}

// waits returns the number in a line like "voluntary_ctxt_switches:	150" of a
// thread's status; "" if it cannot be read.
func waits(path string) string {
	status, _ := readSmall(path)
	_, line, _ := bytes.Cut(status, []byte("\nvoluntary_ctxt_switches:"))
	number, _, _ := bytes.Cut(line, []byte("\n"))
	return string(bytes.TrimSpace(number))
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
