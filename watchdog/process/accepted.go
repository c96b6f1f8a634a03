package process

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Sockets returns the numbers of a process's descriptors that are sockets, at
// most most of them.
func Sockets(pid, most int) ([]int, error) {
	dir := "/proc/" + strconv.Itoa(pid) + "/fd"
	d, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("list sockets: %w", err)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list sockets: %w", err)
	}
	var fds []int
	for _, name := range names {
		fd, err := strconv.Atoi(name)
		if err != nil || len(fds) == most {
			continue
		}
		if target, err := os.Readlink(dir + "/" + name); err == nil && strings.HasPrefix(target, "socket:") {
			fds = append(fds, fd)
		}
	}
	return fds, nil
}

// SeizeAccepted is [Seize] for a connection of which only is known that it was
// accepted on one of our listening sockets. Any other socket is left alone, and
// the error is [ErrGone].
func SeizeAccepted(pidfd, fd int, listening []int) (int, error) {
	own, err := unix.PidfdGetfd(pidfd, fd, 0)
	if err != nil {
		return -1, fmt.Errorf("seize socket: %w", err)
	}
	if acceptedOn(own, listening) {
		return own, nil
	}
	_ = unix.Close(own) // it is the other process's
	return -1, fmt.Errorf("seize socket: %w: descriptor %d was not accepted here", ErrGone, fd)
}

// acceptedOn reports whether fd is the server's end of a connection to one of
// those listening sockets.
func acceptedOn(fd int, listening []int) bool {
	if listens, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err != nil || listens != 0 {
		return false
	}
	if _, err := unix.Getpeername(fd); err != nil {
		return false
	}
	here, err := unix.Getsockname(fd)
	if err != nil {
		return false
	}
	for _, l := range listening {
		if there, err := unix.Getsockname(l); err == nil && sameEnd(here, there) {
			return true
		}
	}
	return false
}

// sameEnd compares ports, and paths: who listens on all addresses has accepted on one.
func sameEnd(connection, listener unix.Sockaddr) bool {
	switch l := listener.(type) {
	case *unix.SockaddrUnix:
		c, ok := connection.(*unix.SockaddrUnix)
		return ok && l.Name != "" && c.Name == l.Name
	case *unix.SockaddrInet4:
		return portOf(connection) == l.Port
	case *unix.SockaddrInet6:
		return portOf(connection) == l.Port
	}
	return false
}

func portOf(a unix.Sockaddr) int {
	switch a := a.(type) {
	case *unix.SockaddrInet4:
		return a.Port
	case *unix.SockaddrInet6:
		return a.Port
	}
	return -1
}
