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
// those that ran in every look, or wanted to, and did not wait for anything in
// between, with the processor time that they used; the caller's is not among
// them. Such a thread may be in a loop that Go cannot preempt. The error says why
// nothing is known; it is the cause of ctx if that ended first.
func Computing(ctx context.Context, looks int, apart time.Duration) (map[int]time.Duration, error) {
	runtime.LockOSThread() // this thread runs whenever it looks, so it has to be told from others
	defer runtime.UnlockOSThread()
	var l looker
	first, err := l.all(unix.Gettid())
	if err != nil {
		return nil, err
	}
	used := make(map[int]time.Duration, len(first))
	for tid := range first {
		used[tid] = 0
	}
	for range looks - 1 {
		if len(used) == 0 {
			break
		}
		if !pause(ctx, apart) {
			return nil, context.Cause(ctx)
		}
		for tid := range used {
			now, runs := l.running(tid)
			// One that has just woken this thread, and is about to sleep, runs in
			// every look, too.
			if used[tid] = now.cpu - first[tid].cpu; !runs || now.waits != first[tid].waits {
				delete(used, tid)
			}
		}
	}
	return used, nil
}

// all returns the threads that run or could, but for one.
func (l *looker) all(but int) (map[int]spell, error) {
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
		if s, runs := l.running(tid); runs {
			found[tid] = s
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
