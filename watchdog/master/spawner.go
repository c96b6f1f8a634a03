package master

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/handoff"
	"github.com/seadog/seadog/watchdog/process"
)

// order asks for one process.
type order struct {
	pool   watchdog.Pool
	parcel *handoff.Parcel
	stderr string // path of the file for descriptor 2; "": the master's own
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
	orders     chan func() // run on the spawner's thread
}

func newSpawner(c Config) (*spawner, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	processes := 0 // no more can exist, being started or not
	for _, p := range c.Pools {
		processes += p.Regions()
	}
	return &spawner{executable: c.Executable, env: c.Env, null: null, orders: make(chan func(), processes)}, nil
}

// run ends when orders is closed.
func (s *spawner) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer s.null.Close()
	for order := range s.orders {
		order()
	}
}

// start passes descriptors by number; see package handoff for why.
func (s *spawner) start(o order) (started, error) {
	manifest, err := o.parcel.Env()
	if err != nil {
		return started{}, err
	}
	stdio := []uintptr{s.null.Fd(), uintptr(syscall.Stdout), uintptr(syscall.Stderr)}
	if own := openStderr(o.stderr); own != nil {
		defer own.Close()
		stdio[2] = own.Fd()
	}
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
	// A worker that is killed with its stacks shall not leave its memory, too.
	_ = unix.Prlimit(pid, unix.RLIMIT_CORE, &unix.Rlimit{}, nil)
	// Nobody has waited for it yet, so the pid cannot mean another process.
	p, err := os.FindProcess(pid)
	if err != nil {
		return started{}, fmt.Errorf("find process %d: %w", pid, err)
	}
	status, _ := process.Stat(pid) // without it, a pid that was used again cannot be told
	return started{process: p, ticks: status.Started}, nil
}

// bootID returns "" if the kernel does not tell.
func bootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}
