package handoff

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Held is a descriptor that stays open for as long as its process lives. It is
// passed on, never read, written or closed by whoever has it.
type Held struct{ fd int }

// hold keeps c's file open under a descriptor of its own, close-on-exec. The
// caller closes c.
func hold(c syscall.Conn) (Held, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return Held{}, fmt.Errorf("hold descriptor: %w", err)
	}
	var h Held
	var dup error
	if err := raw.Control(func(fd uintptr) { h, dup = Held{int(fd)}.dup() }); err != nil {
		return Held{}, fmt.Errorf("hold descriptor: %w", err)
	}
	return h, dup
}

func (h Held) dup() (Held, error) {
	fd, err := unix.FcntlInt(h.FD(), unix.F_DUPFD_CLOEXEC, firstInherited)
	if err != nil {
		return Held{}, fmt.Errorf("duplicate descriptor: %w", err)
	}
	return Held{fd}, nil
}

// FD returns the descriptor's number.
func (h Held) FD() uintptr { return uintptr(h.fd) }

// firstInherited is the first descriptor after stdin, stdout and stderr.
const firstInherited = 3

// closeAllOnExec marks every descriptor but stdin, stdout and stderr.
func closeAllOnExec() error {
	if unix.CloseRange(firstInherited, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC) == nil {
		return nil
	}
	// Kernels before 5.11.
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return fmt.Errorf("list descriptors: %w", err)
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd >= firstInherited {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}
