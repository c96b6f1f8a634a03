package process

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
)

// stat is a process as /proc/PID/stat has it.
type stat struct {
	state   byte // R, S, D, Z, T, t, X, I: see proc(5)
	parent  int
	started uint64 // clock ticks since boot: with the pid unmistakable
}

func (s stat) stopped() bool { return s.state == 'T' || s.state == 't' }
func (s stat) ended() bool   { return s.state == 'Z' || s.state == 'X' }

func readStat(pid int) (stat, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return stat{}, err
	}
	return parseStat(b)
}

// parseStat reads a line like
//
//	4711 (a name) S) S 1 4711 4711 0 -1 … 123456 …
//
// The name is what the process likes it to be, parentheses included; the last
// one ends it.
func parseStat(line []byte) (stat, error) {
	_, rest, _ := bytes.Cut(line[max(0, bytes.LastIndexByte(line, ')')):], []byte(") "))
	fields := bytes.Fields(rest)
	const known = 20
	if len(fields) < known || len(fields[0]) != 1 {
		return stat{}, fmt.Errorf("stat line %.80q is cut short", line)
	}
	parent, err := strconv.Atoi(string(fields[4-3])) // proc(5) counts from 1, and the state is field 3
	if err != nil {
		return stat{}, fmt.Errorf("stat line %.80q: %w", line, err)
	}
	started, err := strconv.ParseUint(string(fields[22-3]), 10, 64)
	if err != nil {
		return stat{}, fmt.Errorf("stat line %.80q: %w", line, err)
	}
	return stat{state: fields[0][0], parent: parent, started: started}, nil
}

// children returns the pids of a process's children, the oldest first.
func children(parent int) ([]int, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	type child struct {
		pid     int
		started uint64
	}
	var found []child
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if s, err := readStat(pid); err == nil && s.parent == parent && !s.ended() {
			found = append(found, child{pid, s.started})
		}
	}
	slices.SortFunc(found, func(a, b child) int {
		return cmp.Or(cmp.Compare(a.started, b.started), cmp.Compare(a.pid, b.pid))
	})
	pids := make([]int, len(found))
	for i, c := range found {
		pids[i] = c.pid
	}
	return pids, nil
}
