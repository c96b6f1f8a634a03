package guard

import (
	"context"
	"crypto/tls"
	"math/rand/v2"
	"net"
	"runtime/pprof"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// between is the phase from the end of an answer to the first byte of the next
// request, as long as it is not certain that the server holds nothing of
// either in its buffers. Nobody may judge, move or answer it, exactly like a
// connection that is no HTTP any more.
const between = scoreboard.Hijacked

// Conn is a guarded connection: it decides, byte by byte, whether its server
// or a watchdog may use it. To the server it is a [net.Conn].
//
// Its request is whatever the server runs between Begin and [Conn.Idle],
// [Conn.Closed] or [Conn.Hijacked], which an adapter calls when the server
// says so. Begin, Enter and these must be called by the goroutine that serves
// the connection; all other methods by any.
type Conn struct {
	// What every request needs stands first, together.
	guard  *Guard
	slot   *scoreboard.Slot
	inner  net.Conn
	raw    syscall.RawConn // for reading; nil if inner must be read by its own Read
	labels context.Context //nolint:containedctx // of the goroutine that serves

	// What belongs to the goroutine that serves.
	token   scoreboard.Token // of this generation; only the generation counts
	begun   int64            // 0 when no request runs
	route   int
	limits  Limits
	exact   *boundary // where requests end, if it must be found out; nil for fasthttp
	virgin  bool      // nothing was ever read
	window  bool      // a Read now means that the server holds nothing of what was read
	between bool      // the token says so
	pending bool      // the server may hold an answer that it has not written yet
	usual   bool      // the slot tells of no id, and of the connection's client

	group  atomic.Int64 // process group of the request's child
	hungUp atomic.Bool

	due due
	// Of the read that is under way.
	reading sync.Mutex
	receive func(fd uintptr) bool // made once, so that reading does not allocate
	buffer  []byte
	n       int
	err     error

	// What few requests need.
	bottom net.Conn        // inner without its TLS
	socket syscall.RawConn // of bottom; nil if it is none
	secure bool            // TLS, so that nothing may be written on the socket itself
	sealed atomic.Bool     // TLS was put around it: nothing at all may be written
	index  int             // of the slot
	client string
	born   uint64 // the generation of the connection's first request
	length int64  // of the request's body, if exact
	seed   uint64 // of derived ids
	idSize int    // 0: the id is derived
	id     [maxID]byte
	ctx    context.Context //nolint:containedctx // its requests'
	cancel context.CancelCauseFunc

	end ending
}

// ending decides when the slot can be given to another connection: when both
// the server and the watchdog are done with it.
type ending struct {
	mu       sync.Mutex
	holds    int  // somebody is busy with it who is not the server
	gone     bool // the server is done
	hijacked bool // the server is done, the connection goes on
	closed   bool
	released bool
}

// open guards a connection that was accepted, in that slot.
func (g *Guard) open(nc net.Conn, index int) net.Conn {
	c := &Conn{
		guard: g, inner: nc, bottom: nc, slot: &g.slots[index], index: index,
		virgin: true, window: true, usual: true, route: -1, client: address(nc),
	}
	c.receive = c.tryRead
	if t, ok := nc.(*tls.Conn); ok {
		c.secure, c.bottom = true, t.NetConn()
	}
	fd, cookie := c.attach()
	c.ctx, c.cancel = context.WithCancelCause(g.base.Load().ctx)
	c.ctx = &connContext{Context: c.ctx, conn: c}

	now := g.clock.now()
	c.token = c.slot.Token().Next(scoreboard.Reading)
	c.born = c.token.Generation()
	c.slot.Set(c.token)
	c.slot.Describe(scoreboard.Request{Client: c.client, Route: -1, Begun: now})
	c.slot.SetGroup(0)
	c.seed = rand.Uint64() | 1
	c.slot.SetSeed(c.seed)
	c.slot.SetSocket(fd, cookie, c.secure)
	if g.labels[index] == nil {
		g.labels[index] = pprof.WithLabels(context.Background(), pprof.Labels(watchdog.LabelSlot, strconv.Itoa(index)))
	}
	c.labels = g.labels[index]
	g.table[index].Store(c)
	c.slot.Set(c.token.To(scoreboard.Idle))
	if g.wakeAt.Load() > now+int64(passIdle) {
		g.hurry()
	}
	g.makeRoom()
	if c.secure {
		return &tlsConn{Conn: c, tls: nc.(*tls.Conn)}
	}
	return c
}

// attach finds the socket.
func (c *Conn) attach() (fd int, cookie uint64) {
	fd = -1
	s, ok := c.bottom.(syscall.Conn)
	if !ok {
		return fd, 0
	}
	socket, err := s.SyscallConn()
	if err != nil {
		return fd, 0 // it is closed: its first read will tell
	}
	c.socket = socket
	switch c.inner.(type) {
	case *net.TCPConn, *net.UnixConn:
		c.raw = socket
	}
	_ = socket.Control(func(f uintptr) {
		fd = int(f)
		cookie, _ = unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE)
	})
	return fd, cookie
}

func address(nc net.Conn) string {
	if a := nc.RemoteAddr(); a != nil {
		return a.String()
	}
	return ""
}

// LocalAddr and the two below are those of the inner connection.
func (c *Conn) LocalAddr() net.Addr { return c.inner.LocalAddr() }

// RemoteAddr implements [net.Conn].
func (c *Conn) RemoteAddr() net.Addr { return c.inner.RemoteAddr() }

// SetWriteDeadline implements [net.Conn].
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.inner.SetWriteDeadline(t) }

// NetConn returns the connection that is guarded. Who uses it is not.
func (c *Conn) NetConn() net.Conn {
	c.share()
	return c.inner
}

// Close closes the connection, unless a watchdog has taken it: then it is the
// watchdog's to close, so that its answer is not lost.
func (c *Conn) Close() error {
	if !c.hold() {
		return c.inner.Close()
	}
	var err error
	if c.slot.Token().Phase() != scoreboard.Killed {
		err = c.inner.Close() // when it returns, no read is under way
	}
	// One that is closed from outside while it waits for a request ends here:
	// the server may or may not say so.
	t := c.slot.Token()
	idle := t.Phase() == scoreboard.Idle && c.slot.Swap(t, t.To(scoreboard.Seized))
	c.settle(func(e *ending) {
		e.holds--
		e.closed = true
		e.gone = e.gone || idle
	})
	return err
}

// phase returns the connection's phase; Empty if the slot is another's.
func (c *Conn) phase() scoreboard.Phase {
	if t := c.slot.Token(); t.Generation() == c.token.Generation() {
		return t.Phase()
	}
	return scoreboard.Empty
}

// swap takes the token of this generation from one phase to another, and
// returns false if somebody else took it.
func (c *Conn) swap(from, to scoreboard.Phase) bool {
	return c.slot.Swap(c.token.To(from), c.token.To(to))
}

// lost reports whether a watchdog has taken the connection.
func (c *Conn) lost() bool {
	switch c.phase() {
	case scoreboard.Killed, scoreboard.Seized, scoreboard.Empty:
		return true
	}
	return false
}

// hold keeps the slot this connection's until [Conn.drop]. It returns false if
// it is another's already.
func (c *Conn) hold() bool {
	c.end.mu.Lock()
	defer c.end.mu.Unlock()
	if c.end.released {
		return false
	}
	c.end.holds++
	return true
}

func (c *Conn) drop() { c.settle(func(e *ending) { e.holds-- }) }

// settle notes what has ended, and releases the slot when everything has.
func (c *Conn) settle(note func(*ending)) {
	c.end.mu.Lock()
	note(&c.end)
	e := &c.end
	release := !e.released && e.holds == 0 && (e.gone || e.hijacked && e.closed)
	if release {
		e.released = true
	}
	c.end.mu.Unlock()
	if release {
		c.release()
	}
}

// release frees the slot. What of the connection is used later finds another
// generation in the token, and fails.
func (c *Conn) release() {
	g := c.guard
	g.table[c.index].Store(nil)
	c.slot.SetSocket(-1, 0, false)
	c.slot.SetGroup(0)
	c.slot.Set(c.slot.Token().Next(scoreboard.Empty))
	c.cancel(nil)
	g.giveBack(c.index)
}

// seal says on the scoreboard that nobody can answer on the socket.
func (c *Conn) seal() {
	_ = c.socket.Control(func(fd uintptr) {
		cookie, _ := unix.GetsockoptUint64(int(fd), unix.SOL_SOCKET, unix.SO_COOKIE)
		c.slot.SetSocket(int(fd), cookie, true)
	})
}
