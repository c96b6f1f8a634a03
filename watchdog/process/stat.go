package process

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
)

// tick is the unit of times in /proc: USER_HZ is 100 wherever Linux has Go.
const tick = 10 * time.Millisecond

// Status is a process, or one thread, as /proc/PID/stat has it.
type Status struct {
	State   byte // R, S, D, Z, T, t, X, I: see proc(5)
	Parent  int
	Group   int
	Threads int
	Started uint64        // clock ticks since boot: with the pid unmistakable
	CPU     time.Duration // used so far, in steps of 10 ms
	Reaped  time.Duration // used by children that it has waited for
}

// Stopped reports whether a signal or a debugger has stopped it. Other threads
// of the process may run on for a moment; waitid(2) tells when all have stopped.
func (s Status) Stopped() bool { return s.State == 'T' || s.State == 't' }

// Ended reports whether it only waits to be reaped.
func (s Status) Ended() bool { return s.State == 'Z' || s.State == 'X' }

// Stat returns the state of a process; the error is [os.ErrNotExist] if there
// is none. The state is that of its main thread.
func Stat(pid int) (Status, error) {
	return readStat(fmt.Sprintf("/proc/%d/stat", pid))
}

func readStat(path string) (Status, error) {
	b, err := readSmall(path)
	if err != nil {
		return Status{}, fmt.Errorf("read state of a process: %w", err)
	}
	s, err := parseStat(b)
	if err != nil {
		return Status{}, fmt.Errorf("read %s: %w", path, err)
	}
	return s, nil
}

// parseStat reads a line like
//
//	4711 (a name) S) S 1 4711 4711 0 -1 … 12 3 0 0 20 0 7 0 123456 …
//
// The name is what the process likes it to be, parentheses included; the last
// one ends it.
func parseStat(line []byte) (Status, error) {
	_, rest, found := bytes.Cut(line[max(0, bytes.LastIndexByte(line, ')')):], []byte(") "))
	fields := bytes.Fields(rest)
	const known = 20
	if !found || len(fields) < known || len(fields[0]) != 1 {
		return Status{}, fmt.Errorf("stat line %.80q is cut short", line)
	}
	// Numbers count as in proc(5), where the state is field 3.
	number := func(field int) (n uint64) {
		var err error
		if n, err = strconv.ParseUint(string(fields[field-3]), 10, 64); err != nil {
			found = false
		}
		return n
	}
	s := Status{
		State: fields[0][0], Parent: int(number(4)), Group: int(number(5)), Threads: int(number(20)), Started: number(22),
		CPU:    time.Duration(number(14)+number(15)) * tick,
		Reaped: time.Duration(number(16)+number(17)) * tick,
	}
	if !found {
		return Status{}, fmt.Errorf("stat line %.80q has no numbers", line)
	}
	return s, nil
}

// readSmall reads a file of /proc. None that is read here is longer, but for
// a process in thousands of groups.
func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 64<<10))
}
