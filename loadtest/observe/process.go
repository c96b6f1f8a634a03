package observe

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/seadog/seadog/loadtest"
)

// treeEvery is after how many readings all processes of the machine are
// listed again, to find new children.
const treeEvery = 5

// processes reads what a tree of processes uses.
type processes struct {
	pid  int    // 0: file names it
	file string // read every time: a service that was restarted has another
	root int    // of tree
	tree []int
	age  int // readings since the tree was found
}

// PID returns the process that the target names; an error if it names none.
func PID(t loadtest.Target) (int, error) {
	if t.PID > 0 {
		return t.PID, nil
	}
	if t.PIDFile == "" {
		return 0, errors.New("the scenario names no process")
	}
	return ReadPID(t.PIDFile)
}

// usage is what one or more processes use.
type usage struct {
	rss      float64 // without shared memory, which would count once for every process
	threads  float64
	fds      float64
	fdsKnown bool
}

// read adds up the tree. Memory that is mapped from files counts for every
// process: it is much, but it does not grow.
func (p *processes) read() ([]noun, error) {
	root, err := PID(loadtest.Target{PID: p.pid, PIDFile: p.file})
	if err != nil {
		return nil, err
	}
	if p.age--; p.age <= 0 || root != p.root {
		p.root, p.tree, p.age = root, Tree(root), treeEvery
	}
	total := usage{fdsKnown: true}
	seen := false
	for _, pid := range p.tree {
		u, err := usageOf(pid)
		if err != nil {
			continue // it has ended
		}
		seen = seen || pid == root
		total.rss += u.rss
		total.threads += u.threads
		total.fds += u.fds
		total.fdsKnown = total.fdsKnown && u.fdsKnown
	}
	if !seen {
		p.age = 0
		return nil, fmt.Errorf("there is no process %d", root)
	}
	out := []noun{{loadtest.MetricRSS, total.rss, outside}, {loadtest.MetricThreads, total.threads, outside}}
	if total.fdsKnown { // else they belong to another user
		out = append(out, noun{loadtest.MetricFDs, total.fds, outside})
	}
	return out, nil
}

func usageOf(pid int) (usage, error) {
	dir := "/proc/" + strconv.Itoa(pid)
	text, err := os.ReadFile(dir + "/status")
	if err != nil {
		return usage{}, fmt.Errorf("read status: %w", err)
	}
	var u usage
	alive := false
	for line := range bytes.Lines(text) {
		name, rest, _ := bytes.Cut(line, []byte(":"))
		fields := bytes.Fields(rest)
		if len(fields) == 0 {
			continue
		}
		value, err := strconv.ParseFloat(string(fields[0]), 64)
		if err != nil {
			continue
		}
		switch string(name) {
		case "VmRSS":
			u.rss += value * 1024
			alive = true
		case "RssShmem":
			u.rss -= value * 1024
		case "Threads":
			u.threads = value
		}
	}
	if !alive { // its memory is gone already
		return usage{}, fmt.Errorf("process %d has ended", pid)
	}
	u.fds, u.fdsKnown = descriptors(dir + "/fd")
	return u, nil
}

func descriptors(dir string) (n float64, known bool) {
	d, err := os.Open(dir)
	if err != nil {
		return 0, errors.Is(err, os.ErrNotExist)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	return float64(len(names)), err == nil
}
