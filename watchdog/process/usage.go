package process

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
)

// RSS returns the memory in bytes that a process has resident, without shared
// memory: a scoreboard belongs to all of its users.
func RSS(pid int) (int64, error) {
	b, err := readSmall(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("read memory of a process: %w", err)
	}
	all, err := kilobytes(b, "VmRSS")
	if err != nil {
		return 0, fmt.Errorf("read memory of process %d: %w", pid, err)
	}
	shared, err := kilobytes(b, "RssShmem")
	if err != nil {
		return 0, fmt.Errorf("read memory of process %d: %w", pid, err)
	}
	return max(0, all-shared), nil
}

// kilobytes finds a line like "VmRSS:	    1234 kB" and returns its bytes. A
// process that has ended has no such lines.
func kilobytes(status []byte, name string) (int64, error) {
	for line := range bytes.Lines(status) {
		rest, found := bytes.CutPrefix(line, []byte(name+":"))
		if !found {
			continue
		}
		text, _ := bytes.CutSuffix(bytes.TrimSpace(rest), []byte(" kB"))
		n, err := strconv.ParseInt(string(text), 10, 54) // its bytes fit into 64 bits
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		return n << 10, nil
	}
	return 0, fmt.Errorf("no %s: %w", name, os.ErrNotExist)
}

// mostDescriptors bounds what [Descriptors] counts.
const mostDescriptors = 1 << 20

// Descriptors returns how many files a process has open.
func Descriptors(pid int) (int, error) {
	d, err := os.Open(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return 0, fmt.Errorf("count descriptors of a process: %w", err)
	}
	defer d.Close()
	n := 0
	for n < mostDescriptors {
		names, err := d.Readdirnames(1024)
		n += len(names)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, fmt.Errorf("count descriptors of process %d: %w", pid, err)
		}
	}
	return n, nil
}
