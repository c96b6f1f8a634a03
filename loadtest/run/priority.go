package run

import (
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// preferred is the niceness of the sender while it sends: it has to be on time
// while what it loads has every processor busy. Only root may have it.
const preferred = -10

// prefer gives all threads of this process precedence, until restore is called.
// Threads that start meanwhile inherit it. Where that is not allowed, nothing
// happens: whether the sender was on time is judged in any case.
func prefer() (restore func()) {
	before, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		return func() {}
	}
	before = 20 - before // as the system call has it
	if before <= preferred || renice(preferred) != nil {
		return func() {}
	}
	return func() { _ = renice(before) }
}

// renice sets the niceness of every thread of this process.
func renice(nice int) error {
	tasks, err := filepath.Glob("/proc/self/task/*")
	if err != nil {
		return err
	}
	for _, task := range tasks {
		tid, err := strconv.Atoi(filepath.Base(task))
		if err != nil {
			continue
		}
		if err := unix.Setpriority(unix.PRIO_PROCESS, tid, nice); err != nil && !os.IsNotExist(err) && err != unix.ESRCH {
			return err
		}
	}
	return nil
}
