package process

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/seadog/seadog/watchdog"
)

// Bounds of [Threads]: a process that is stuck may have very many of them, and
// the machine may have trouble of its own.
const (
	mostThreads = 256
	longestLook = 100 * time.Millisecond
)

// Threads returns what the threads of a process do, the main thread first; at
// most 256 of them, and no more than can be read in 100 ms. It works on a
// process that is stopped or frozen, and does not disturb it. Where the kernel
// sleeps and in which system call is empty if it may not be seen.
func Threads(pid int) ([]watchdog.Thread, error) {
	until := time.Now().Add(longestLook)
	dir := fmt.Sprintf("/proc/%d/task", pid)
	d, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("list threads of a process: %w", err)
	}
	defer d.Close()
	names, err := d.Readdirnames(mostThreads)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("list threads of process %d: %w", pid, err)
	}
	var threads []watchdog.Thread
	for _, name := range names {
		if time.Now().After(until) {
			break
		}
		if t, err := thread(dir, name); err == nil { // else it has just ended
			threads = append(threads, t)
		}
	}
	return threads, nil
}

func thread(dir, name string) (watchdog.Thread, error) {
	tid, err := strconv.Atoi(name)
	if err != nil {
		return watchdog.Thread{}, err
	}
	dir += "/" + name
	s, err := readStat(dir + "/stat")
	if err != nil {
		return watchdog.Thread{}, err
	}
	t := watchdog.Thread{TID: tid, State: string(s.State), CPUMS: s.CPU.Milliseconds(), Wait: text(dir + "/wchan"), Syscall: text(dir + "/syscall")}
	if t.Wait == "0" { // it runs, or nobody may know
		t.Wait = ""
	}
	return t, nil
}

// text reads a file that may be forbidden.
func text(path string) string {
	b, err := readSmall(path)
	if err != nil {
		return ""
	}
	return string(bytes.TrimSpace(b))
}
