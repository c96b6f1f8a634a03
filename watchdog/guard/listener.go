package guard

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// listener accepts only while the process may.
type listener struct {
	net.Listener
	guard  *Guard
	config *tls.Config // nil: none

	// interruptible is nil if the listener cannot be woken from Accept.
	interruptible interface{ SetDeadline(t time.Time) error }
	interrupted   bool // guarded by Guard.mu

	closing sync.Once
	closed  chan struct{}
}

// Listen returns a listener whose connections are guarded, and which accepts
// only while the region says so.
//
// It interrupts an Accept of ln by its SetDeadline. A listener that has none,
// like that of tls.NewListener, works too, but takes one more connection after
// the region said no; [Guard.ListenTLS] does not.
func (g *Guard) Listen(ln net.Listener) net.Listener { return g.listen(ln, nil) }

// ListenTLS is [Guard.Listen] with TLS on every connection but those that are adopted.
func (g *Guard) ListenTLS(ln net.Listener, config *tls.Config) net.Listener {
	return g.listen(ln, config)
}

func (g *Guard) listen(ln net.Listener, config *tls.Config) net.Listener {
	l := &listener{Listener: ln, guard: g, config: config, closed: make(chan struct{})}
	l.interruptible, _ = ln.(interface{ SetDeadline(t time.Time) error })
	g.mu.Lock()
	g.listeners = append(g.listeners, l)
	g.mu.Unlock()
	return l
}

// scarcity is how long Accept waits when the process has no descriptor left,
// unless a connection ends before.
const scarcity = 100 * time.Millisecond

// Accept waits until the process may accept and has a slot free, and returns
// the next connection, adopted ones first.
func (l *listener) Accept() (net.Conn, error) {
	for {
		slot, adopted, err := l.admit()
		if err != nil {
			return nil, err
		}
		if adopted != nil {
			return l.guard.open(adopted, slot), nil
		}
		nc, err := l.Listener.Accept()
		if err == nil {
			l.guard.passed()
			if l.config != nil {
				nc = tls.Server(nc, l.config)
			}
			return l.guard.open(nc, slot), nil
		}
		l.guard.giveBack(slot)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded): // interrupted
		case scarce(err): // a server would give up, and the next one ends soon
			l.rest()
		default:
			return nil, err
		}
	}
}

func scarce(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// admit waits until there is something to accept or to adopt, and takes a slot for it.
func (l *listener) admit() (slot int, adopted net.Conn, err error) {
	g := l.guard
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		select {
		case <-l.closed:
			return 0, nil, &net.OpError{Op: "accept", Net: l.Addr().Network(), Addr: l.Addr(), Err: net.ErrClosed}
		default:
		}
		if n := len(g.free); n > 0 {
			if len(g.adopted) > 0 {
				nc := g.adopted[0]
				g.adopted = g.adopted[1:]
				return g.takeSlot(), nc, nil
			}
			if g.mayAccept() {
				l.resume()
				return g.takeSlot(), nil, nil
			}
		}
		change := g.change
		g.waiting++
		g.mu.Unlock()
		select {
		case <-change:
		case <-l.closed:
		}
		g.mu.Lock()
		g.waiting--
	}
}

// resume ends an interruption. What interrupts holds the same lock, and so
// comes before admit has looked, or after.
func (l *listener) resume() {
	if l.interrupted {
		_ = l.interruptible.SetDeadline(time.Time{}) // fails only if it is closed, and then so does Accept
		l.interrupted = false
	}
}

// rest waits a moment.
func (l *listener) rest() {
	timer := time.NewTimer(scarcity)
	defer timer.Stop()
	l.guard.mu.Lock()
	change := l.guard.change
	l.guard.waiting++
	l.guard.mu.Unlock()
	select {
	case <-timer.C:
	case <-change:
	case <-l.closed:
	}
	l.guard.mu.Lock()
	l.guard.waiting--
	l.guard.mu.Unlock()
}

// Close closes the listener. Accept returns [net.ErrClosed].
func (l *listener) Close() error {
	l.closing.Do(func() {
		close(l.closed)
		g := l.guard
		g.mu.Lock()
		for i, other := range g.listeners {
			if other == l {
				g.listeners = append(g.listeners[:i:i], g.listeners[i+1:]...)
				break
			}
		}
		var orphans []net.Conn
		if len(g.listeners) == 0 { // nobody is left who would return them
			orphans, g.adopted = g.adopted, nil
		}
		g.mu.Unlock()
		g.closeAdopted(orphans)
	})
	return l.Listener.Close()
}
