package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
)

// proc is one process as /proc shows it at one moment.
type proc struct {
	pid, parent, group, session int
	state                       byte
	started                     uint64 // clock ticks since boot; pid and started together are unique
}

// gone reports whether p is dead, though perhaps not yet reaped.
func (p proc) gone() bool { return p.state == 'Z' || p.state == 'X' || p.state == 'x' }

// readProc reads /proc/<pid>/stat.
func readProc(pid int) (proc, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return proc{}, err
	}
	return parseStat(b)
}

// parseStat reads the fields that matter of a line like
//
//	42 (a name) with) parens) S 1 42 42 0 -1 4194560 … 8911 …
//
// The name may contain anything, so fields are counted from the last ')'.
func parseStat(b []byte) (proc, error) {
	open, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if open < 1 || end < open {
		return proc{}, fmt.Errorf("parse stat %.40q: no name in parentheses", b)
	}
	fields := bytes.Fields(b[end+1:])
	const started = 22 - 3 // proc(5) counts from 1, and the state is field 3
	if len(fields) <= started || len(fields[0]) != 1 {
		return proc{}, fmt.Errorf("parse stat %.40q: %d fields after the name", b, len(fields))
	}
	p := proc{state: fields[0][0]}
	var err error
	for _, f := range []struct {
		to   *int
		from []byte
	}{{&p.pid, bytes.TrimSpace(b[:open])}, {&p.parent, fields[1]}, {&p.group, fields[2]}, {&p.session, fields[3]}} {
		if *f.to, err = strconv.Atoi(string(f.from)); err != nil {
			return proc{}, fmt.Errorf("parse stat: %w", err)
		}
	}
	if p.started, err = strconv.ParseUint(string(fields[started]), 10, 64); err != nil {
		return proc{}, fmt.Errorf("parse stat: %w", err)
	}
	return p, nil
}

// processes lists every process that can be seen, this one excluded. One that
// ends while the list is made may be missing.
func processes() ([]proc, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	self := os.Getpid()
	list := make([]proc, 0, len(names))
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil || pid == self {
			continue
		}
		if p, err := readProc(pid); err == nil {
			list = append(list, p)
		}
	}
	return list, nil
}

// carries reports whether process pid has exactly this marker in the
// environment it was started with. Kernel threads, zombies, and processes of
// other users (unless we are root) carry none.
func carries(pid int, marker string) bool {
	environ, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return false
	}
	return hasEntry(environ, MarkerVariable+"="+marker)
}

// hasEntry looks for one whole entry of a NUL-delimited environment.
func hasEntry(environ []byte, entry string) bool {
	for e := range bytes.SplitSeq(environ, []byte{0}) {
		if string(e) == entry {
			return true
		}
	}
	return false
}
