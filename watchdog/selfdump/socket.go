package selfdump

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog/process"
)

// address is the socket of a process: its pid, in the innermost namespace that
// it is in, and when it was started.
func address(pid int, started uint64) *net.UnixAddr {
	return &net.UnixAddr{Net: "unix", Name: fmt.Sprintf("@seadog/%d/%d", pid, started)}
}

// listen opens the socket of this process.
func listen() (*net.UnixListener, error) {
	self, err := process.Stat(os.Getpid())
	if err != nil {
		return nil, err
	}
	return net.ListenUnix("unix", address(os.Getpid(), self.Started))
}

// peer returns who is at the other end. Of a listener that is the process that
// called listen(2).
func peer(conn *net.UnixConn) (*unix.Ucred, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("see who is there: %w", err)
	}
	var who *unix.Ucred
	var told error
	if err := raw.Control(func(fd uintptr) {
		who, told = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return nil, fmt.Errorf("see who is there: %w", err)
	}
	if told != nil {
		return nil, fmt.Errorf("see who is there: %w", told)
	}
	return who, nil
}

// innermost returns the pid that a process has in its own namespace, which is
// what it calls itself.
func innermost(pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return pid
	}
	for line := range strings.Lines(string(status)) {
		pids, ok := strings.CutPrefix(line, "NSpid:")
		if !ok {
			continue
		}
		pids = strings.TrimSpace(pids)
		if inner, err := strconv.Atoi(pids[strings.LastIndexByte(pids, '\t')+1:]); err == nil {
			return inner
		}
	}
	return pid
}

// elsewhere reports whether a process is in another network namespace, where
// its socket cannot be seen from here. What may not be known is not so.
func elsewhere(pid int) bool {
	here, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return false
	}
	there, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid))
	return err == nil && there != here
}
