package master

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

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

// Codes of a childInfo, as in sigaction(2).
const (
	childStopped   = 5
	childContinued = 6
)

// watchStops calls halted with true when a signal has stopped the process, and
// with false when it goes on. It returns when the process has ended, and
// leaves it to be waited for; or at once where there are no pidfds: then stops
// are only found by looking.
func watchStops(p *os.Process, halted func(bool)) {
	_ = p.WithHandle(func(handle uintptr) {
		for {
			info, err := waitChild(unix.P_PIDFD, int(handle), unix.WEXITED|unix.WSTOPPED|unix.WCONTINUED|unix.WNOWAIT)
			if err != nil || info.code != childStopped && info.code != childContinued {
				return
			}
			// Taken, or it would be reported again at once. What is taken may
			// be newer than what was seen.
			info, err = waitChild(unix.P_PIDFD, int(handle), unix.WSTOPPED|unix.WCONTINUED|unix.WNOHANG)
			if err != nil {
				return
			}
			if info.code == childStopped || info.code == childContinued {
				halted(info.code == childStopped)
			}
		}
	})
}

// waitChild is waitid(2).
func waitChild(kind, id, options int) (childInfo, error) {
	for {
		var info childInfo
		err := unix.Waitid(kind, id, (*unix.Siginfo)(unsafe.Pointer(&info)), options, nil)
		if !errors.Is(err, unix.EINTR) {
			return info, err
		}
	}
}
