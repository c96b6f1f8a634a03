package observe

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// mostProcesses bounds a tree: whoever has more has another problem.
const mostProcesses = 512

// ReadPID returns the process that a pid file names.
func ReadPID(path string) (int, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("read pid file: %w", err)
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(text[:min(len(text), 64)])), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || pid < 1 {
		return 0, fmt.Errorf("%s does not hold the number of a process, but %q", path, line)
	}
	return pid, nil
}

// Tree returns a process and everything below it, parents before their
// children. It is nil if there is no such process.
func Tree(pid int) []int {
	if _, err := os.Stat("/proc/" + strconv.Itoa(pid)); err != nil {
		return nil
	}
	children := below()
	tree := []int{pid}
	for i := 0; i < len(tree) && len(tree) < mostProcesses; i++ {
		tree = append(tree, children[tree[i]]...)
	}
	return tree[:min(len(tree), mostProcesses)]
}

// below returns the children of every process. /proc/…/children would be
// cheaper, but not every kernel has it.
func below() map[int][]int {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is a good one
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended since
		}
		pid, err := strconv.Atoi(strings.Split(path, "/")[2])
		if err != nil {
			continue
		}
		// pid (name) state ppid …; the name may hold anything.
		fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
		if len(fields) < 2 {
			continue
		}
		if parent, err := strconv.Atoi(string(fields[1])); err == nil {
			children[parent] = append(children[parent], pid)
		}
	}
	return children
}
