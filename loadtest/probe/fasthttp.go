package probe

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/loadtest"
)

// restless is how long a connection may be idle and be used again unseen. One
// that was idle for longer is looked at: the target may have closed it, and
// nobody is reading.
const restless = 10 * time.Millisecond

// keptAnswer is the longest answer whose memory is used again.
const keptAnswer = 64 << 10

// fastHTTP sends through the request and response of fasthttp, over connections
// of its own: the client of fasthttp repeats requests, knows no cancellation and
// leaves a goroutine behind. Nothing here sends anything twice.
type fastHTTP struct {
	probe   *Probe
	address string
	tls     *tls.Config   // nil: none
	fresh   bool          // a connection for every request
	places  chan struct{} // one for each connection that may be

	mu   sync.Mutex
	idle []*line // the last one that was used is the first to be used again
}

// line is a connection and its buffers.
type line struct {
	net.Conn
	raw  *conn
	in   *bufio.Reader
	out  *bufio.Writer
	last time.Time // it was used
}

func newFastHTTP(p *Probe, base *url.URL, c loadtest.Client) *fastHTTP {
	t := &fastHTTP{probe: p, address: base.Host, fresh: c.FreshConns, places: make(chan struct{}, max(1, c.MaxConns))}
	port := "80"
	if base.Scheme == "https" {
		port = "443"
		t.tls = &tls.Config{ServerName: base.Hostname(), InsecureSkipVerify: c.Insecure} //nolint:gosec // when asked for
	}
	if base.Port() == "" {
		t.address = net.JoinHostPort(base.Hostname(), port)
	}
	return t
}

func (t *fastHTTP) close() {
	t.mu.Lock()
	idle := t.idle
	t.idle = nil
	t.mu.Unlock()
	for _, l := range idle {
		_ = l.Close()
	}
}

func (t *fastHTTP) exchange(f *flight, a *answer) error {
	select {
	case t.places <- struct{}{}:
		defer func() { <-t.places }()
	case <-f.ctx.Done():
		return f.ctx.Err()
	}
	l, err := t.line(f)
	if err != nil {
		return err
	}
	f.attempts++
	if err := f.hold(l.raw); err != nil {
		_ = l.Close()
		return err
	}
	again, err := t.talk(l, f, a)
	if cause := f.letGo(); err == nil && cause != nil {
		again = false
	}
	if !again {
		_ = l.Close()
		return err
	}
	l.last = time.Now()
	t.mu.Lock()
	t.idle = append(t.idle, l)
	t.mu.Unlock()
	return nil
}

// line returns a connection: an idle one that is still good, or a new one.
func (t *fastHTTP) line(f *flight) (*line, error) {
	for !t.fresh {
		t.mu.Lock()
		n := len(t.idle)
		if n == 0 {
			t.mu.Unlock()
			break
		}
		l := t.idle[n-1]
		t.idle[n-1] = nil
		t.idle = t.idle[:n-1]
		t.mu.Unlock()
		if time.Since(l.last) < restless || l.quiet() {
			f.reused = true
			return l, nil
		}
		_ = l.Close()
	}
	c, err := t.probe.dialer.dial(f.ctx, "tcp", t.address)
	if err != nil {
		return nil, err
	}
	l := &line{Conn: c, raw: c.(*conn)}
	if t.tls != nil {
		secure := tls.Client(c, t.tls)
		if err := secure.HandshakeContext(f.ctx); err != nil {
			_ = c.Close()
			return nil, fmt.Errorf("tls handshake: %w", err)
		}
		l.Conn = secure
	}
	l.in, l.out = bufio.NewReader(l.Conn), bufio.NewWriterSize(l.Conn, writeBuffer)
	return l, nil
}

// quiet reports whether nothing has come on an idle connection, its end included.
func (l *line) quiet() bool {
	raw, err := l.raw.Conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return false
	}
	var peeked error
	err = raw.Read(func(fd uintptr) bool {
		_, _, peeked = unix.Recvfrom(int(fd), make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
		return true
	})
	return err == nil && errors.Is(peeked, unix.EAGAIN)
}

// talk writes the request of f and reads its answer. It returns whether another
// request can follow.
func (t *fastHTTP) talk(l *line, f *flight, a *answer) (again bool, err error) {
	r := t.request(f)
	if err := r.Write(l.out); err != nil {
		return false, err
	}
	if err := l.out.Flush(); err != nil {
		return false, err
	}
	f.wrote.Store(true)
	if _, err := l.in.Peek(1); err != nil {
		return false, err
	}
	f.first.Store(int64(t.probe.now()))
	resp := f.answer
	resp.SkipBody = f.request.Method == "HEAD"
	err = resp.ReadLimitBody(l.in, int(maxBody(f.request.Expect)))
	a.status, a.bytes = resp.StatusCode(), int64(len(resp.Body()))
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		a.long = true
		return false, nil
	case err != nil:
		a.status = 0
		return false, err
	}
	a.found = bytes.Contains(resp.Body(), []byte(f.request.Expect.Contains))
	if a.bytes > keptAnswer {
		f.answer = nil
	}
	return !t.fresh && !resp.ConnectionClose(), nil
}

// request makes the request of f in the memory of the one before.
func (t *fastHTTP) request(f *flight) *fasthttp.Request {
	if f.fast == nil {
		f.fast = &fasthttp.Request{}
	}
	if f.answer == nil {
		f.answer = &fasthttp.Response{}
	}
	from, r := f.request, f.fast
	r.Header.Reset()
	r.Header.DisableNormalizing()
	r.Header.SetNoDefaultContentType(true)
	r.Header.SetMethod(from.Method)
	r.Header.SetRequestURI(from.URL.RequestURI())
	if r.Header.SetHost(from.URL.Host); from.Host != "" {
		r.Header.SetHost(from.Host)
	}
	for name, values := range from.Header {
		for _, v := range values {
			r.Header.Add(name, v)
		}
	}
	if t.fresh {
		r.SetConnectionClose()
	}
	r.SetBodyRaw(from.Body)
	return r
}

var (
	_ transport = (*fastHTTP)(nil)
	_ transport = (*netHTTP)(nil)
)
