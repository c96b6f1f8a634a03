package process

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Backlog returns how many connections wait to be accepted on a listening
// socket of this process, and how many may. The kernel does not tell for Unix
// sockets: 0, 0.
func Backlog(fd int) (waiting, limit int, err error) {
	listens, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if err != nil {
		return 0, 0, fmt.Errorf("read backlog: %w", err)
	}
	if listens == 0 {
		return 0, 0, fmt.Errorf("read backlog: %w: the socket does not listen", unix.EINVAL)
	}
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return 0, 0, fmt.Errorf("read backlog: %w", err)
	}
	if domain == unix.AF_UNIX {
		return 0, 0, nil
	}
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return 0, 0, fmt.Errorf("read backlog: %w", err)
	}
	return int(info.Unacked), int(info.Sacked), nil // what these mean while a socket listens
}

// Waiting returns how many bytes were received on a connection and not read.
func Waiting(fd int) (int, error) {
	n, err := unix.IoctlGetInt(fd, unix.TIOCINQ)
	if err != nil {
		return 0, fmt.Errorf("count unread bytes: %w", err)
	}
	return n, nil
}
