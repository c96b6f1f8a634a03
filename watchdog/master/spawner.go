package master

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/handoff"
)

// order asks for one process.
type order struct {
	pool    watchdog.Pool
	parcel  *handoff.Parcel
	started func(started, error) // called on the spawner's thread
}

// started is a process that runs.
type started struct {
	process *os.Process
	ticks   uint64 // when it started, as in proc(5)
}

// spawner starts processes from one thread that ends after all of them.
type spawner struct {
	executable string
	env        []string
	null       *os.File
	orders     chan order
}

func newSpawner(c Config, places int) (*spawner, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	// A place has at most two processes being started: its own and a successor.
	return &spawner{executable: c.Executable, env: c.Env, null: null, orders: make(chan order, 2*places)}, nil
}

// run ends when orders is closed.
func (s *spawner) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer s.null.Close()
	for o := range s.orders {
		o.started(s.start(o))
	}
}

// start passes descriptors by number; see package handoff for why.
func (s *spawner) start(o order) (started, error) {
	manifest, err := o.parcel.Env()
	if err != nil {
		return started{}, err
	}
	stdio := []uintptr{s.null.Fd(), uintptr(syscall.Stdout), uintptr(syscall.Stderr)}
	pid, _, err := syscall.StartProcess(s.executable, append([]string{s.executable}, o.pool.Args...), &syscall.ProcAttr{
		Env:   environment(s.env, o.pool, manifest),
		Files: append(stdio, o.parcel.Files()...),
		Sys: &syscall.SysProcAttr{
			Setpgid:   true, // a terminal's interrupt is for the master alone
			Pdeathsig: o.pool.DeathSignal,
		},
	})
	if err != nil {
		return started{}, fmt.Errorf("execute %s: %w", s.executable, err)
	}
	// Nobody has waited for it yet, so the pid cannot mean another process.
	p, err := os.FindProcess(pid)
	if err != nil {
		return started{}, fmt.Errorf("find process %d: %w", pid, err)
	}
	return started{process: p, ticks: startTicks(pid)}, nil
}

// startTicks returns 0 if the kernel does not tell.
func startTicks(pid int) uint64 {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	return parseStartTicks(stat)
}

// parseStartTicks reads field 22 of a line like
//
//	1234 (a (strange) name) S 1 1234 … 5678901 …
//
// It counts from the last parenthesis, because the name may contain anything.
func parseStartTicks(stat []byte) uint64 {
	const field, first = 22, 3
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) <= field-first {
		return 0
	}
	n, err := strconv.ParseUint(string(fields[field-first]), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// bootID returns "" if the kernel does not tell.
func bootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}
