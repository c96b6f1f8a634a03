package guard

import (
	"errors"
	"os"
	"sync"
	"time"
)

// due is until when a connection may be read. Servers move that with every
// request, mostly to later, and each time costs the runtime as much as everything
// that the guard does. So a later time is only noted: when the earlier one comes,
// which happens once in as long as the server waits for a request, reading goes
// on until the later one.
type due struct {
	mu     sync.Mutex
	armed  int64 // what the connection knows, by the guard's clock; 0: nothing that could be moved
	wanted int64 // what the server wants, if that is later
	exact  bool  // somebody else reads from the connection: nothing is only noted
}

// SetDeadline implements [net.Conn].
func (c *Conn) SetDeadline(t time.Time) error {
	c.due.mu.Lock()
	defer c.due.mu.Unlock()
	c.due.armed, c.due.wanted = c.guard.clock.moment(t), 0
	return c.inner.SetDeadline(t)
}

// SetReadDeadline implements [net.Conn].
func (c *Conn) SetReadDeadline(t time.Time) error {
	d := &c.due
	at := c.guard.clock.moment(t)
	d.mu.Lock()
	defer d.mu.Unlock()
	if c.raw != nil && !d.exact && at != 0 && d.armed != 0 && d.armed <= at {
		d.wanted = at
		return nil
	}
	d.armed, d.wanted = at, 0
	return c.inner.SetReadDeadline(t)
}

// extend is called when a read has failed with err. It reports whether that was
// only because the server's wish had not been passed on: then the read goes on.
func (c *Conn) extend(err error) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	c.due.mu.Lock()
	defer c.due.mu.Unlock()
	return c.pass()
}

// pass tells the connection what the server wants, and reports whether that is
// news to it. Conn.due.mu must be locked.
func (c *Conn) pass() bool {
	d := &c.due
	if d.wanted <= d.armed {
		return false
	}
	d.armed = d.wanted
	return c.inner.SetReadDeadline(c.guard.clock.time(d.wanted)) == nil
}

// share is for when somebody else may read from the connection.
func (c *Conn) share() {
	c.due.mu.Lock()
	defer c.due.mu.Unlock()
	c.due.exact = true
	c.pass()
}
