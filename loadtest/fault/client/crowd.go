package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Kind is how a client misbehaves.
type Kind string

const (
	SlowBody    Kind = "slow_body"    // sends its body a byte at a time
	HalfOpen    Kind = "half_open"    // connects and sends nothing
	HeaderFlood Kind = "header_flood" // sends headers without end
	Abort       Kind = "abort"        // resets the connection in the middle of its body
	Idle        Kind = "idle"         // asks once and keeps the connection
	SlowRead    Kind = "slow_read"    // reads its answer a byte at a time
)

// Config says who comes.
type Config struct {
	Kind     Kind
	BaseURL  string // http:// or https://, of the loopback
	Insecure bool   // certificates are not checked
	Count    int
	Method   string        // slow_body, abort
	Path     string        // all but half_open
	Bytes    int64         // of the body, of the headers
	Every    time.Duration // between bytes, headers, or aborted requests
}

const (
	dialWithin = 5 * time.Second
	// pause is how long a client waits before it connects again: a service that
	// ends connections at once must not be flooded with new ones.
	pause = time.Second
	// dialing is how many connect at the same time.
	dialing = 64
)

// Crowd is clients at work.
type Crowd struct {
	config Config
	target target
	cancel context.CancelFunc
	gone   sync.WaitGroup
	dials  chan struct{}

	mu      sync.Mutex
	own     error // a fault of this machine
	effects map[string]uint64
}

// target is where they go.
type target struct {
	host, address string
	tls           *tls.Config
}

// ErrForeign is a host that is not of the loopback.
var ErrForeign = errors.New("not a host of the loopback")

// CheckURL says what is wrong with a base URL.
func CheckURL(base string) error {
	_, err := parse(Config{BaseURL: base})
	return err
}

func parse(c Config) (target, error) {
	u, err := url.Parse(c.BaseURL)
	if err != nil {
		return target{}, err
	}
	host, port := u.Hostname(), u.Port()
	t := target{host: u.Host}
	switch u.Scheme {
	case "http":
		port = orElse(port, "80")
	case "https":
		port = orElse(port, "443")
		t.tls = &tls.Config{ServerName: host, InsecureSkipVerify: c.Insecure} //nolint:gosec // the scenario says so
	default:
		return target{}, fmt.Errorf("base URL %q: neither http:// nor https://", c.BaseURL)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return target{}, fmt.Errorf("base URL %q: %w", c.BaseURL, ErrForeign)
	}
	t.address = net.JoinHostPort(host, port)
	return t, nil
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// Send sends the clients. It returns when each has tried to connect once.
func Send(ctx context.Context, c Config) (*Crowd, error) {
	do, ok := rounds[c.Kind]
	if !ok {
		return nil, fmt.Errorf("send clients: there are none that do %q", c.Kind)
	}
	t, err := parse(c)
	if err != nil {
		return nil, fmt.Errorf("send clients: %w", err)
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	w := &Crowd{config: c, target: t, cancel: cancel, dials: make(chan struct{}, dialing), effects: map[string]uint64{}}
	var tried sync.WaitGroup
	tried.Add(c.Count)
	for range c.Count {
		w.gone.Go(func() { w.live(life, do, sync.OnceFunc(tried.Done)) })
	}
	stop := context.AfterFunc(ctx, cancel)
	tried.Wait()
	if !stop() {
		return nil, errors.Join(fmt.Errorf("send clients: %w", context.Cause(ctx)), w.Undo())
	}
	if err := w.fault(); err != nil {
		return nil, errors.Join(fmt.Errorf("send clients: %w", err), w.Undo())
	}
	return w, nil
}

// live is the life of one client.
func (w *Crowd) live(ctx context.Context, do round, tried func()) {
	defer tried()
	for ctx.Err() == nil {
		conn, err := w.dial(ctx)
		switch {
		case err == nil:
			w.count("connected")
			tried()
			w.meet(ctx, conn, do)
		case ctx.Err() == nil:
			w.blame(err)
			tried()
		}
		if !wait(ctx, w.pause()) {
			return
		}
	}
}

// pause is how long a client waits between rounds: those that abort do so as
// often as they were told to.
func (w *Crowd) pause() time.Duration {
	if w.config.Kind == Abort {
		return w.config.Every
	}
	return pause
}

// meet does one round on a connection, and closes it.
func (w *Crowd) meet(ctx context.Context, conn net.Conn, do round) {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	defer conn.Close()
	end := do(ctx, w, conn)
	if ctx.Err() == nil && end != "" {
		w.count(end)
	}
}

func (w *Crowd) dial(ctx context.Context) (net.Conn, error) {
	w.dials <- struct{}{}
	defer func() { <-w.dials }()
	ctx, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	d := net.Dialer{Control: w.control, KeepAlive: -1}
	conn, err := d.DialContext(ctx, "tcp", w.target.address)
	if err != nil || w.target.tls == nil || w.config.Kind == HalfOpen {
		return conn, err
	}
	secure := tls.Client(conn, w.target.tls)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secure, nil
}

// control looks at the address that a name was resolved to, and makes the
// buffer of who reads slowly small: what the kernel takes nobody has to wait for.
func (w *Crowd) control(_, address string, raw syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	host, _, _ = strings.Cut(host, "%")
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("%s: %w", address, ErrForeign)
	}
	if w.config.Kind != SlowRead {
		return nil
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 1024)
	})
	return errors.Join(err, failed)
}

// blame books a connection that did not come about on who is to blame.
func (w *Crowd) blame(err error) {
	for _, own := range []error{unix.EMFILE, unix.ENFILE, unix.EADDRNOTAVAIL, unix.EADDRINUSE, unix.ENOBUFS, unix.ENOMEM, ErrForeign} {
		if errors.Is(err, own) {
			w.mu.Lock()
			w.own = err
			w.mu.Unlock()
			return
		}
	}
	w.count("refused")
}

func (w *Crowd) fault() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.own
}

func (w *Crowd) count(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.effects[what]++
}

// Undo calls the clients off and returns when all connections are closed. The
// error is that this machine could not keep up the crowd.
func (w *Crowd) Undo() error {
	w.cancel()
	w.gone.Wait()
	return w.fault()
}

// Effects counts connections, and how they ended.
func (w *Crowd) Effects() map[string]uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.effects)
}

// wait waits; false: the context ended.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
