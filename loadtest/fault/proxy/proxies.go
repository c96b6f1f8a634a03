package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/seadog/seadog/loadtest/fault"
)

// Proxies are proxies by name. All methods may be called from several goroutines.
type Proxies struct {
	log *slog.Logger

	mu    sync.Mutex
	doors map[string]*door
	began bool // running, or closed
}

var _ fault.Network = (*Proxies)(nil)

// New returns no proxies yet.
func New(log *slog.Logger) *Proxies {
	return &Proxies{log: log, doors: map[string]*door{}}
}

// Listen opens a proxy on a free port of 127.0.0.1 and returns its address. The
// upstream is host:port of the loopback, or the path of a Unix socket; it need not
// be there yet. Connections are taken at once, and served when Run runs. It is an
// error to open one after that.
func (p *Proxies) Listen(name, upstream string) (addr string, err error) {
	return p.open(name, upstream, "")
}

// ListenUnix opens a proxy on a Unix socket that does not exist yet.
func (p *Proxies) ListenUnix(name, upstream, path string) error {
	_, err := p.open(name, upstream, path)
	return err
}

func (p *Proxies) open(name, upstream, path string) (string, error) {
	to, err := parseUpstream(upstream)
	if err != nil {
		return "", fmt.Errorf("open proxy %s: %w", name, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.began:
		return "", fmt.Errorf("open proxy %s: proxies run already, or are closed", name)
	case p.doors[name] != nil:
		return "", fmt.Errorf("open proxy %s: there is one of that name", name)
	}
	at, err := listen(path)
	if err != nil {
		return "", fmt.Errorf("open proxy %s: %w", name, err)
	}
	p.doors[name] = newDoor(name, to, at, p.log)
	return at.address, nil
}

// Run serves all proxies until ctx ends; then it closes them and their
// connections, and returns when all are gone. It runs once.
func (p *Proxies) Run(ctx context.Context) error {
	if !p.begin() {
		return errors.New("run proxies: they ran already, or are closed")
	}
	var running sync.WaitGroup
	for _, d := range p.doors {
		running.Go(func() { d.run(ctx) })
	}
	running.Wait()
	return nil
}

// Close closes proxies that never came to Run. Otherwise it does nothing.
func (p *Proxies) Close() {
	if !p.begin() {
		return
	}
	for _, d := range p.doors {
		d.close()
	}
}

// begin reports whether it was called for the first time. After it, doors does
// not change any more.
func (p *Proxies) begin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := !p.began
	p.began = true
	return first
}

// Names returns the names of the proxies, in order.
func (p *Proxies) Names() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.doors))
}

// Disturb begins to disturb the connections through a proxy, those that are
// there and those that come. Several disturbances add up, in the order of their
// beginning. Undo returns when all connections are rid of it, but for those whose
// reader has stalled.
//
// Connections that lost bytes cannot go on as if nothing had been, so some end:
// with "timeout" those on which something vanished, with "down" all.
func (p *Proxies) Disturb(ctx context.Context, name string, d fault.Disturbance) (fault.Handle, error) {
	p.mu.Lock()
	door := p.doors[name]
	p.mu.Unlock()
	if door == nil {
		return nil, fmt.Errorf("disturb proxy %s: there is none of that name", name)
	}
	h, err := door.disturb(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("disturb proxy %s: %w", name, err)
	}
	return h, nil
}
