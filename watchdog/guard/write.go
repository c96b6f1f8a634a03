package guard

import (
	"bytes"
	"io"
	"net"
	"runtime"
	"syscall"

	"github.com/seadog/seadog/watchdog/scoreboard"
)

// Write implements [net.Conn]. The first byte of an answer is written only by
// who wins the token; if that was a watchdog, the error is EPIPE, as if the
// client were gone.
func (c *Conn) Write(p []byte) (int, error) {
	back, err := c.claim(p)
	if err != nil {
		return 0, err
	}
	n, err := c.inner.Write(p)
	c.yield(back)
	return n, err
}

// ReadFrom keeps sendfile and splice for servers that look for it. It is the
// answer's final part, whatever is read.
func (c *Conn) ReadFrom(r io.Reader) (int64, error) {
	inner, ok := c.inner.(io.ReaderFrom)
	if !ok {
		return io.Copy(struct{ io.Writer }{c}, r)
	}
	back, err := c.claim(nil)
	if err != nil {
		return 0, err
	}
	n, err := inner.ReadFrom(r)
	c.yield(back)
	return n, err
}

// CloseWrite tells the client that no more follows, if the connection can.
func (c *Conn) CloseWrite() error {
	half, ok := c.inner.(interface{ CloseWrite() error })
	if !ok || c.lost() {
		return nil
	}
	return half.CloseWrite()
}

// passing is the way back from a phase that a write is in.
type passing struct{ from, to scoreboard.Phase }

// claim wins the token for a write of p, nil if that is not known.
func (c *Conn) claim(p []byte) (back passing, err error) {
	for {
		phase := c.phase()
		switch phase {
		case scoreboard.Answering:
			return passing{}, nil
		case between: // or hijacked
			if c.between {
				c.pending = false // fasthttp writes all that it has, or nothing
			}
			return passing{}, nil
		case scoreboard.Running:
			to, back := scoreboard.Answering, passing{}
			if interim(p) {
				to, back = scoreboard.Interim, passing{scoreboard.Interim, scoreboard.Running}
			}
			if c.swap(phase, to) {
				return back, nil
			}
		case scoreboard.Idle, scoreboard.Reading:
			// The server has something to say before any handler runs: 100
			// Continue, or what is wrong with the request.
			if c.swap(phase, scoreboard.Answering) {
				return passing{scoreboard.Answering, scoreboard.Reading}, nil
			}
		case scoreboard.Interim:
			runtime.Gosched() // another goroutine of the handler is there
		default:
			return passing{}, c.refuse(phase)
		}
	}
}

func (c *Conn) yield(p passing) {
	if p != (passing{}) {
		c.swap(p.from, p.to)
	}
}

func (c *Conn) refuse(phase scoreboard.Phase) error {
	if phase == scoreboard.Killed || phase == scoreboard.Seized {
		c.guard.region.Count(scoreboard.LateWrites, 1)
	}
	return &net.OpError{Op: "write", Net: c.LocalAddr().Network(), Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: syscall.EPIPE}
}

// interim reports whether p is one answer that another follows: 1xx, but not
// 101, after which the connection is no HTTP any more.
func interim(p []byte) bool { return len(p) > len(interimLine) && p[9] == '1' && interimRest(p) }

const interimLine = "HTTP/1.1 1xx"

// interimRest is apart, so that the beginning costs no call.
func interimRest(p []byte) bool {
	return string(p[9:12]) != "101" && string(p[:7]) == interimLine[:7] && p[8] == ' ' &&
		bytes.Index(p, []byte(headEnd)) == len(p)-len(headEnd)
}
