package process

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Why a descriptor cannot be taken.
var (
	// ErrForbidden means that the kernel does not let this process take
	// descriptors of that one, now or later.
	ErrForbidden = errors.New("the kernel does not allow to take descriptors of this process")
	// ErrGone means that the process or the socket is not there any more.
	ErrGone = errors.New("the socket is gone")
)

// Seize returns a descriptor of ours for the socket that is descriptor fd in
// the process of pidfd, which keeps its own. It is close-on-exec, and the
// caller closes it. Cookie (SO_COOKIE) is that of the socket that is meant: if
// the number means another file by now, that one is left alone and the error
// is [ErrGone].
func Seize(pidfd, fd int, cookie uint64) (int, error) {
	own, err := unix.PidfdGetfd(pidfd, fd, 0)
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.ENOSYS):
		return -1, fmt.Errorf("seize socket: %w: %w", ErrForbidden, err)
	case errors.Is(err, unix.ESRCH), errors.Is(err, unix.EBADF):
		return -1, fmt.Errorf("seize socket: %w: %w", ErrGone, err)
	case err != nil:
		return -1, fmt.Errorf("seize socket: %w", err)
	}
	found, err := unix.GetsockoptUint64(own, unix.SOL_SOCKET, unix.SO_COOKIE)
	if err == nil && found == cookie {
		return own, nil
	}
	_ = unix.Close(own) // it is the other process's
	return -1, fmt.Errorf("seize socket: %w: descriptor %d is another file now", ErrGone, fd)
}

// MaySeize reports, with [ErrForbidden], whether [Seize] is refused for the
// process of pidfd, which must be one. It takes nothing, and is the final word:
// the permission depends on that process.
func MaySeize(pidfd int) error {
	// Permission is checked before the number is looked at.
	_, err := unix.PidfdGetfd(pidfd, math.MaxInt32, 0)
	switch {
	case errors.Is(err, unix.EBADF):
		return nil
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.ENOSYS):
		return fmt.Errorf("%w: %w", ErrForbidden, err)
	case errors.Is(err, unix.ESRCH):
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	return fmt.Errorf("ask for a descriptor: %w", err)
}

// CanSeize reports whether a process like this one can take sockets from
// children of the same executable and user. It tries the system call on this
// process itself, which proves that the kernel has it and no seccomp filter
// refuses it, but no more: nobody is forbidden to look at himself. The rules
// that apply to children are therefore read, not tried: Yama's scope (a parent
// may up to 1), and whether this executable makes its processes undumpable,
// as file capabilities and lack of read permission do. [MaySeize] tries it on
// a child that there is.
func CanSeize() error {
	if err := seizeFromSelf(); err != nil {
		return err
	}
	if privileged() {
		return yama(2)
	}
	if dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err == nil && dumpable != 1 {
		return fmt.Errorf("%w: it is not dumpable; remove capabilities of the executable's file, and let its user read it", ErrForbidden)
	}
	return yama(1)
}

func seizeFromSelf() error {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("make a socket to seize: %w", err)
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	cookie, err := unix.GetsockoptUint64(pair[0], unix.SOL_SOCKET, unix.SO_COOKIE)
	if err != nil {
		return fmt.Errorf("read cookie of a socket: %w", err)
	}
	pidfd, err := unix.PidfdOpen(os.Getpid(), 0)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) {
		return fmt.Errorf("%w: pidfd_open: %w", ErrForbidden, err)
	}
	if err != nil {
		return fmt.Errorf("open own process: %w", err)
	}
	defer unix.Close(pidfd)
	own, err := Seize(pidfd, pair[0], cookie)
	if err != nil {
		return err
	}
	if err := unix.Close(own); err != nil {
		return fmt.Errorf("close seized socket: %w", err)
	}
	return nil
}

// yama refuses a scope above most. Where there is no Yama everything goes.
func yama(most int) error {
	b, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope")
	if err != nil {
		return nil
	}
	return yamaAllows(strings.TrimSpace(string(b)), most)
}

func yamaAllows(scope string, most int) error {
	if len(scope) == 1 && scope[0] >= '0' && int(scope[0]-'0') <= most {
		return nil
	}
	return fmt.Errorf("%w: kernel.yama.ptrace_scope is %s, set it to 1 or 0", ErrForbidden, scope)
}

// privileged reports whether this process has CAP_SYS_PTRACE.
func privileged() bool {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&head, &data[0]); err != nil {
		return false
	}
	return data[0].Effective&(1<<unix.CAP_SYS_PTRACE) != 0
}
