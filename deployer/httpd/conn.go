package httpd

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/seadog/seadog/deployer"
)

// connections knows every open connection, so that a drain can end them.
type connections struct {
	mu   sync.Mutex
	open map[*conn]struct{}
	gone *sync.Cond // open shrank
}

func newConnections() *connections {
	c := &connections{open: make(map[*conn]struct{})}
	c.gone = sync.NewCond(&c.mu)
	return c
}

func (c *connections) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open)
}

// closeAll closes every connection without ceremony.
func (c *connections) closeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.open {
		_ = conn.Conn.Close()
	}
}

// wait returns when every connection was closed by whoever served it.
func (c *connections) wait() { c.waitWhile(func() bool { return true }) }

// waitFor is wait for at most that long.
func (c *connections) waitFor(longest time.Duration) {
	deadline := time.Now().Add(longest)
	timer := time.AfterFunc(longest, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.gone.Broadcast()
	})
	defer timer.Stop()
	c.waitWhile(func() bool { return time.Now().Before(deadline) })
}

func (c *connections) waitWhile(patient func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.open) > 0 && patient() {
		c.gone.Wait()
	}
}

func (c *connections) add(raw net.Conn) *conn {
	wrapped := &conn{Conn: raw, owner: c}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[wrapped] = struct{}{}
	return wrapped
}

func (c *connections) remove(gone *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, gone)
	c.gone.Broadcast()
}

// listen returns ln with its connections known to c.
func (c *connections) listen(ctx context.Context, ln net.Listener, log *slog.Logger) net.Listener {
	return &listener{Listener: ln, ctx: ctx, conns: c, log: log}
}

// listener survives what is no reason to stop accepting for ever: the server
// below gives up at the first error, and "too many open files" is one.
type listener struct {
	net.Listener
	ctx   context.Context //nolint:containedctx // Accept has no context
	conns *connections
	log   *slog.Logger

	closing sync.Once
	err     error // of the first Close
}

// Close implements [net.Listener]. It may be called again, which the server
// below does and takes for a failure otherwise.
func (l *listener) Close() error {
	l.closing.Do(func() { l.err = l.Listener.Close() })
	return l.err
}

// Accept implements [net.Listener].
func (l *listener) Accept() (net.Conn, error) {
	const first, longest = 10 * time.Millisecond, time.Second
	for pause := first; ; pause = min(2*pause, longest) {
		raw, err := l.Listener.Accept()
		if err == nil {
			return l.conns.add(raw), nil
		}
		if !passing(err) {
			return nil, err
		}
		l.log.Warn("accepting pauses", slog.Duration(deployer.KeyDuration, pause), slog.Any(deployer.KeyError, err))
		timer := time.NewTimer(pause)
		select {
		case <-l.ctx.Done():
			timer.Stop()
			return nil, net.ErrClosed
		case <-timer.C:
		}
	}
}

func passing(err error) bool {
	for _, e := range []error{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED, syscall.EPERM,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// conn is one accepted connection.
type conn struct {
	net.Conn
	owner  *connections
	once   sync.Once
	linger atomic.Bool // the client is still sending; closing at once would lose the answer
}

// NetConn returns the connection as it was accepted.
func (c *conn) NetConn() net.Conn { return c.Conn }

// Close implements [net.Conn]. A connection on which the client is still
// sending is closed for writing first, and drained for a while: with unread
// data the kernel would reset the connection, and the answer that says why
// with it.
func (c *conn) Close() error {
	c.once.Do(func() {
		if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && c.linger.Load() && half.CloseWrite() == nil {
			c.drain()
		}
		c.owner.remove(c)
	})
	return c.Conn.Close()
}

// drain throws away what arrives within a second, at a pace that lets the
// client find the answer but costs next to nothing if it keeps sending.
func (c *conn) drain() {
	const long, pause = time.Second, 10 * time.Millisecond
	deadline := time.Now().Add(long)
	_ = c.SetReadDeadline(deadline)
	pace := time.NewTicker(pause)
	defer pace.Stop()
	buf := make([]byte, 32<<10)
	for time.Now().Before(deadline) {
		if _, err := c.Read(buf); err != nil {
			return
		}
		<-pace.C
	}
}
