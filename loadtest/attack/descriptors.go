package attack

import "golang.org/x/sys/unix"

// widen makes the kernel's table of this process's descriptors large enough for
// n more than it has. It grows by doubling, and each time makes every thread that
// wants a descriptor wait until all processors have passed a quiet state: tens of
// milliseconds in which neither connections nor hits get on. Once large, it stays.
func widen(fd, n int) {
	// The lowest free descriptor from a high number on is that number.
	if high, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, fd+n); err == nil {
		_ = unix.Close(high)
	}
}
