package guard

import (
	"errors"
	"io"
	"net"
	"syscall"

	"github.com/seadog/seadog/watchdog/scoreboard"
)

// Read implements [net.Conn]. The first byte of a request is read only
// together with its token: as long as that says Idle, nothing has been lost
// of what the client sent, and the connection can be closed in order, or moved
// to another process, at any moment.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if c.raw == nil {
		return c.readPlain(p)
	}
	n, err, cause := c.readRaw(p)
	for err != nil && c.extend(err) {
		n, err, cause = c.readRaw(p)
	}
	switch {
	case err != nil:
		return 0, c.readError(err)
	case cause != nil:
		return 0, cause
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// readRaw returns, besides what it read, the error of the attempt and, if that
// was none, the one of the system.
func (c *Conn) readRaw(p []byte) (n int, err, cause error) { //nolint:revive // two errors
	c.reading.Lock()
	defer c.reading.Unlock()
	c.buffer, c.n, c.err = p, 0, nil
	err = c.raw.Read(c.receive)
	n, cause = c.n, c.err
	c.buffer, c.err = nil, nil
	return n, err, cause
}

// tryRead is called with the descriptor when there may be something to read,
// and returns false to wait for that.
func (c *Conn) tryRead(fd uintptr) bool {
	if !c.take() {
		c.err = io.EOF
		return true
	}
	for {
		n, err := syscall.Read(int(fd), c.buffer)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			c.putBack()
			return false
		case err != nil:
			c.err = &net.OpError{Op: "read", Net: c.LocalAddr().Network(), Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
		case n > 0:
			c.got(c.buffer[:n])
			c.n = n
		default:
			c.ended()
		}
		return true
	}
}

// take makes sure that nobody else has the connection, before anything is read.
func (c *Conn) take() bool {
	if !c.window {
		return !c.lost()
	}
	c.pending = false // or the server would not ask for more: it writes its answers before it waits
	if c.between {
		return true // it is ours since the last answer
	}
	if c.swap(scoreboard.Idle, scoreboard.Reading) { // nearly always
		return true
	}
	// It may be nobody's (Idle), or the watchdog may be about to close it
	// because it is idle (between), which it is no longer.
	for {
		switch phase := c.phase(); phase {
		case scoreboard.Reading:
			return true
		case scoreboard.Idle, between:
			if c.swap(phase, scoreboard.Reading) {
				return true
			}
		default:
			return false
		}
	}
}

// putBack is the end of take if nothing was there.
func (c *Conn) putBack() {
	switch {
	case !c.window:
	case c.between:
		c.between = false
		c.swap(between, scoreboard.Idle)
	default:
		c.swap(scoreboard.Reading, scoreboard.Idle)
	}
}

// got notes that something was read.
func (c *Conn) got(p []byte) {
	first := c.window
	c.virgin, c.window = false, false
	if c.exact != nil {
		c.exact.feed(p)
		if !first {
			return // net/http reads on while the handler begins: the rest is that one's
		}
	}
	// An answer that waits in the server's buffer must not be overtaken by
	// anybody's 504, so the request stays hands-off.
	if c.between && !c.pending {
		c.between = false
		c.swap(between, scoreboard.Reading)
	}
}

// ended notes that the client has closed its side.
func (c *Conn) ended() {
	switch c.phase() {
	case scoreboard.Running, scoreboard.Interim, scoreboard.Answering:
		c.goneAway()
	}
}

// readPlain reads what has no descriptor of its own, or TLS. What has been
// read is not known before it returns, so such a connection cannot be moved.
func (c *Conn) readPlain(p []byte) (int, error) {
	if c.window {
		c.pending = false
		c.putBack()
	}
	n, err := c.inner.Read(p)
	if n > 0 {
		if c.lost() || !c.take() {
			return 0, io.EOF
		}
		c.got(p[:n])
		return n, err
	}
	if err == io.EOF {
		c.ended()
	}
	if err != nil {
		return 0, c.readError(err)
	}
	return 0, nil
}

// readError makes err what the server's own connection would have returned,
// and the end of one that was taken away quiet.
func (c *Conn) readError(err error) error {
	if c.lost() {
		return io.EOF
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "raw-read" {
		op.Op = "read" // made for this call; net/http looks at it
	}
	return err
}
