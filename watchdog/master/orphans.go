package master

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog"
)

// reapOrphans reaps dead children that are no workers. A dead worker stays for
// the goroutine that waits for it; its end calls reapOrphans again. While a
// process is being started, its pid is not known yet, and nothing is reaped.
func (m *master) reapOrphans() {
	if !m.ReapOrphans {
		return
	}
	workers := map[int]bool{}
	for _, p := range m.places {
		p.children(func(c *child) { workers[c.pid()] = true })
	}
	if workers[0] {
		return
	}
	for {
		pid := deadChild()
		if pid == 0 || workers[pid] {
			return
		}
		if _, err := unix.Wait4(pid, nil, unix.WNOHANG, nil); err != nil {
			return
		}
		m.Log.Debug("orphan reaped", watchdog.KeyPID, pid)
	}
}

// childInfo is the part of siginfo_t that waitid(2) fills. What follows code
// is a union with the alignment of a pointer.
type childInfo struct {
	signo, errno, code int32

	_      [0]uintptr
	pid    int32
	uid    uint32
	status int32
	_      [128]byte // the kernel writes a whole siginfo_t
}

// deadChild returns the pid of a child that can be reaped, without reaping it,
// and 0 if there is none.
func deadChild() int {
	var info childInfo
	err := unix.Waitid(unix.P_ALL, 0, (*unix.Siginfo)(unsafe.Pointer(&info)), unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	if err != nil {
		return 0
	}
	return int(info.pid)
}
