package probe

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// conn is a connection that remembers why it broke: net/http does not always
// tell, but says that it closed a connection that the target had closed.
type conn struct {
	net.Conn
	dialer *dialer
	fault  atomic.Pointer[error]
	once   sync.Once
}

func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil {
		c.note(err)
	}
	return n, err
}

func (c *conn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if err != nil {
		c.note(err)
	}
	return n, err
}

// note keeps the first error: what follows is a consequence.
func (c *conn) note(err error) { c.fault.CompareAndSwap(nil, &err) }

func (c *conn) Close() error {
	c.once.Do(func() { c.dialer.forget(c) })
	return c.Conn.Close()
}

// dialer opens connections and knows those that are open. It binds to no local
// address: then a port is taken only if it is to the same destination.
type dialer struct {
	net    net.Dialer
	ctx    context.Context // ends all dialling
	abort  context.CancelFunc
	dialed atomic.Uint64

	mu   sync.Mutex
	open map[*conn]struct{}
}

func newDialer(timeout time.Duration) *dialer {
	d := &dialer{open: map[*conn]struct{}{}}
	// Keep-alive probes are four system calls for each connection, and say
	// nothing that a time-out does not say earlier.
	d.net = net.Dialer{Timeout: timeout, KeepAlive: -1}
	d.ctx, d.abort = context.WithCancel(context.Background())
	return d
}

// dial opens a connection. It ends with ctx, or when all dialling ends.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d.dialed.Add(1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(d.ctx, cancel)()
	raw, err := d.net.DialContext(ctx, network, address)
	if err != nil {
		if d.ctx.Err() != nil {
			err = errAborted
		}
		return nil, err
	}
	c := &conn{Conn: raw, dialer: d}
	d.mu.Lock()
	d.open[c] = struct{}{}
	d.mu.Unlock()
	return c, nil
}

func (d *dialer) forget(c *conn) {
	d.mu.Lock()
	delete(d.open, c)
	d.mu.Unlock()
}

func (d *dialer) counts() (open int, dialed uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.open), d.dialed.Load()
}

// close closes what is still open, and ends all dialling.
func (d *dialer) close() {
	d.abort()
	d.mu.Lock()
	var all []*conn
	for c := range d.open {
		all = append(all, c)
	}
	d.mu.Unlock()
	for _, c := range all {
		_ = c.Close()
	}
}
