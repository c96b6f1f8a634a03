package master

import (
	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog"
)

// reapOrphans reaps dead children that are no workers. A dead worker stays for
// the goroutine that waits for it; its end calls reapOrphans again. While a
// process is being started, its pid is not known yet, and nothing is reaped.
func (m *master) reapOrphans() {
	if !m.ReapOrphans || m.asking { // the process that is asked is waited for by somebody else
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

// deadChild returns the pid of a child that can be reaped, without reaping it,
// and 0 if there is none.
func deadChild() int {
	info, err := waitChild(unix.P_ALL, 0, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT)
	if err != nil {
		return 0
	}
	return int(info.pid)
}
