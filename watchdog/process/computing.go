package process

import (
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
// those that ran in every look, or wanted to, with the processor time that they
// used in between; the caller's is not among them. Such a thread may be in a
// loop that Go cannot preempt. The error says why nothing is known; it is the
// cause of ctx if that ended first.
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
		var now map[int]time.Duration
		now, err = running(unix.Gettid())
		for tid := range used {
			cpu, runs := now[tid]
			if used[tid] = cpu - first[tid]; !runs {
				delete(used, tid)
			}
		}
	}
	return used, err
}

// running returns the processor time of each thread that runs or could, but
// for one.
func running(but int) (map[int]time.Duration, error) {
	dir, err := os.Open(ownThreads)
	if err != nil {
		return nil, fmt.Errorf("look at threads: %w", err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("look at threads: %w", err)
	}
	found := map[int]time.Duration{}
	for _, name := range names {
		tid, err := strconv.Atoi(name)
		if err != nil || tid == but {
			continue
		}
		if s, err := readStat(ownThreads + "/" + name + "/stat"); err == nil && s.State == 'R' {
			found[tid] = s.CPU
		}
	}
	return found, nil
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
