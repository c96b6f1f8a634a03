package guard

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// left reports whether the client on the socket has closed its side, without
// taking anything that it sent.
func left(socket syscall.RawConn, secure bool) bool {
	gone := false
	_ = socket.Control(func(fd uintptr) { // fails if it is closed, by us
		var b [1]byte
		n, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		switch {
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		case err != nil || n == 0:
			gone = true
		case secure:
			// What is unread may be the end of TLS, which is sent before the
			// end of the connection.
			gone = shut(int(fd))
		}
	})
	return gone
}

func shut(fd int) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0 && fds[0].Revents&(unix.POLLRDHUP|unix.POLLHUP|unix.POLLERR) != 0
}

// empty reports whether nothing was received that was not read, not even the end.
func empty(socket syscall.RawConn) bool {
	nothing := false
	_ = socket.Control(func(fd uintptr) { // fails if it is closed: nothing to lose
		var b [1]byte
		_, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		nothing = errors.Is(err, unix.EAGAIN)
	})
	return nothing
}

// send writes p if there is room for all of it now.
func send(socket syscall.RawConn, p []byte) error {
	var sent error
	err := socket.Control(func(fd uintptr) {
		n, err := unix.SendmsgN(int(fd), p, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		if err == nil && n < len(p) {
			err = unix.EAGAIN
		}
		sent = err
	})
	if err != nil {
		return err
	}
	return sent
}

// finish tells the client that nothing more follows.
func finish(socket syscall.RawConn) {
	_ = socket.Control(func(fd uintptr) {
		_ = unix.Shutdown(int(fd), unix.SHUT_WR) // fails if the client is gone
	})
}

// discardAtOnce bounds how much is read in vain in one go.
const discardAtOnce = 1 << 20

// discard reads in vain what has arrived, and reports whether the client has
// closed its side. Closing a socket with unread data resets the connection,
// which can take the last answer with it.
func discard(socket syscall.RawConn) (end bool) {
	err := socket.Control(func(fd uintptr) {
		var b [16 << 10]byte
		for total := 0; total < discardAtOnce; {
			n, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_DONTWAIT)
			switch {
			case errors.Is(err, unix.EINTR):
				continue
			case errors.Is(err, unix.EAGAIN):
				return
			case err != nil || n == 0:
				end = true
				return
			}
			total += n
		}
	})
	return end || err != nil
}
