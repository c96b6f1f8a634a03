package guard

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

const tasks = "/proc/self/task"

// thread is one thread as the kernel sees it.
type thread struct {
	state byte
	ticks uint64 // of processor time
}

// spinning reports whether a thread other than this one was running whenever
// it was looked at, and used time for it.
func spinning() bool {
	timer := time.NewTimer(lookStep)
	defer timer.Stop()
	first := runningThreads()
	last := first
	for range looks - 1 {
		if len(last) == 0 {
			return false
		}
		<-timer.C
		timer.Reset(lookStep)
		now := runningThreads()
		maps.DeleteFunc(now, func(tid string, _ uint64) bool {
			_, before := last[tid]
			return !before
		})
		last = now
	}
	for tid, ticks := range last {
		if ticks > first[tid] {
			return true
		}
	}
	return false
}

// runningThreads returns the processor time of each thread that runs, or
// could, but for the caller's.
func runningThreads() map[string]uint64 {
	own := strconv.Itoa(unix.Gettid())
	dir, err := os.Open(tasks)
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil
	}
	running := map[string]uint64{}
	for _, tid := range names {
		stat, err := os.ReadFile(filepath.Join(tasks, tid, "stat"))
		if t, ok := parseThread(stat); err == nil && ok && tid != own && t.state == 'R' {
			running[tid] = t.ticks
		}
	}
	return running
}

// parseThread reads /proc/…/stat. The name in it can contain anything.
func parseThread(stat []byte) (thread, bool) {
	const (
		state = 0
		user  = 11
		sys   = 12
	)
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) <= sys || len(fields[state]) != 1 {
		return thread{}, false
	}
	u, err := strconv.ParseUint(string(fields[user]), 10, 64)
	if err != nil {
		return thread{}, false
	}
	s, err := strconv.ParseUint(string(fields[sys]), 10, 64)
	return thread{state: fields[state][0], ticks: u + s}, err == nil
}
