package hang

import (
	"bytes"
	"debug/buildinfo"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/seadog/seadog/loadtest/observe"
)

const (
	mostProcesses = 64
	mostThreads   = 256 // of one process
)

// process is what /proc says of one. Its arguments and environment, which may
// hold secrets, are not looked at.
type process struct {
	pid, parent int
	name        string
	fds         int // -1: not ours to see
	status      string
	threads     []thread // the first is the main thread
}

type thread struct {
	tid     int
	state   byte   // R, S, D, T, Z …
	ticks   uint64 // of CPU time
	wchan   string // where in the kernel it sleeps; "" if not told
	syscall string
	stat    string
}

// tree reads a process and everything below it.
func tree(pid int) []process {
	var out []process
	for _, pid := range observe.Tree(pid) {
		if len(out) == mostProcesses {
			break
		}
		if p, ok := readProcess(pid); ok {
			out = append(out, p)
		}
	}
	return out
}

func readProcess(pid int) (p process, ok bool) {
	dir := "/proc/" + strconv.Itoa(pid)
	main, name, parent, err := readThread(dir, pid)
	if err != nil {
		return p, false
	}
	p = process{pid: pid, parent: parent, name: name, fds: -1, threads: []thread{main}, status: oneFile(dir + "/status")}
	if fds, err := os.ReadDir(dir + "/fd"); err == nil {
		p.fds = len(fds)
	}
	tasks, err := os.ReadDir(dir + "/task")
	if err != nil {
		return p, true // it has just ended, or is not ours to see
	}
	for _, task := range tasks {
		tid, err := strconv.Atoi(task.Name())
		if err != nil || len(p.threads) == mostThreads {
			continue
		}
		t, _, _, err := readThread(dir+"/task/"+task.Name(), tid)
		switch {
		case err != nil:
		case tid == pid: // what stat of the process says is of all its threads together
			p.threads[0] = t
		default:
			p.threads = append(p.threads, t)
		}
	}
	return p, true
}

func readThread(dir string, tid int) (t thread, name string, parent int, err error) {
	text, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return t, "", 0, fmt.Errorf("read stat: %w", err)
	}
	// tid (name) state ppid … utime and stime are fields 14 and 15; the name may hold anything.
	open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return t, "", 0, fmt.Errorf("stat of %d is damaged", tid)
	}
	fields := strings.Fields(string(text[end+1:]))
	if len(fields) < 13 {
		return t, "", 0, fmt.Errorf("stat of %d is damaged", tid)
	}
	user, _ := strconv.ParseUint(fields[11], 10, 64)
	system, _ := strconv.ParseUint(fields[12], 10, 64)
	parent, _ = strconv.Atoi(fields[1])
	t = thread{
		tid: tid, state: fields[0][0], ticks: user + system, stat: strings.TrimSpace(string(text)),
		wchan: oneFile(dir + "/wchan"), syscall: oneFile(dir + "/syscall"),
	}
	if t.wchan == "0" {
		t.wchan = ""
	}
	return t, string(text[open+1 : end]), parent, nil
}

// oneFile returns a small file, or "" if it cannot be read.
func oneFile(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// write writes processes for people.
func write(processes []process) []byte {
	var b bytes.Buffer
	for _, p := range processes {
		fmt.Fprintf(&b, "process %d (%s), below %d, %d descriptors, %d threads\n\n%s\n\n", p.pid, p.name, p.parent, p.fds, len(p.threads), p.status)
		for _, t := range p.threads {
			fmt.Fprintf(&b, "thread %d state=%c ticks=%d wchan=%s syscall=%s\n  %s\n", t.tid, t.state, t.ticks, t.wchan, t.syscall, t.stat)
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// isGo reports whether a process runs a Go program.
func isGo(pid int) bool {
	_, err := buildinfo.ReadFile(fmt.Sprintf("/proc/%d/exe", pid))
	return err == nil
}

// workers returns the processes without children, which are those that work.
func workers(processes []process) []process {
	return slices.DeleteFunc(slices.Clone(processes), func(p process) bool {
		return slices.ContainsFunc(processes, func(other process) bool { return other.parent == p.pid })
	})
}
