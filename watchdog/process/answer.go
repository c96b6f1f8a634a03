package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
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
	answer := answer504(request, incident)
	n, err := unix.SendmsgN(fd, answer, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	if err != nil {
		return fmt.Errorf("answer client: %w", err)
	}
	if n < len(answer) {
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

// answer504 is the answer in the form that workers give it, too.
func answer504(request, incident string) []byte {
	var body struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
		Request  string `json:"request"`
		Incident string `json:"incident"`
	}
	body.Error.Code, body.Error.Message = "timeout", "the worker froze; answered by the watchdog"
	body.Request, body.Incident = request, incident
	text, _ := json.Marshal(body) // strings only: never fails
	head := fmt.Appendf(nil, "HTTP/1.1 504 Gateway Timeout\r\nDate: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n",
		time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"), len(text))
	if harmless(request) {
		head = fmt.Appendf(head, "X-Request-Id: %s\r\n", request)
	}
	return append(append(head, "\r\n"...), text...)
}

// harmless reports whether an id may stand in a header. It comes from a
// process that failed, and that may have had it from the client.
func harmless(id string) bool {
	for _, c := range []byte(id) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return id != ""
}
