package process

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog/answer"
)

// mostUnread is how much of what a client sent is read and thrown away, so
// that it can go on sending, and so that closing does not reset the connection
// and take the answer with it.
const mostUnread = 1 << 20

// Answer504 tells the client on the socket fd that its request timed out, with
// its id and that of the incident, and that no more will follow. It waits for
// nothing: if the answer does not fit into the socket's buffer the error is
// EAGAIN. The caller must have won the right to answer. Afterwards it keeps fd
// for a moment, in which the client can read, and then calls [CloseOrderly].
func Answer504(fd int, request, incident string) error {
	discard(fd)
	text := answer.Timeout(request, incident, "the worker froze; answered by the watchdog")
	n, err := unix.SendmsgN(fd, text, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	if err != nil {
		return fmt.Errorf("answer client: %w", err)
	}
	if n < len(text) {
		return fmt.Errorf("answer client: %w after %d bytes", unix.EAGAIN, n)
	}
	if err := unix.Shutdown(fd, unix.SHUT_WR); err != nil {
		return fmt.Errorf("end answer to client: %w", err)
	}
	return nil
}

// CloseOrderly closes the connection fd without destroying what was sent on it
// and not read yet. As long as the process that fd was seized from lives, it
// still has the connection too; so call it afterwards.
func CloseOrderly(fd int) error {
	// Whatever the worker had set, closing must neither wait nor reset.
	_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{})
	discard(fd)
	if err := unix.Close(fd); err != nil {
		return fmt.Errorf("close connection: %w", err)
	}
	return nil
}

// discard reads what has arrived, in vain.
func discard(fd int) {
	var b [16 << 10]byte
	for total := 0; total < mostUnread; {
		n, _, err := unix.Recvfrom(fd, b[:], unix.MSG_DONTWAIT)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n == 0 {
			return
		}
		total += n
	}
}
