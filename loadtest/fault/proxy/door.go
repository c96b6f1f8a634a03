package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/fault"
)

const (
	// mostPairs is how many connections a proxy has at once; more are closed as
	// they come. It bounds memory: each may hold a few MiB while it is slowed down.
	mostPairs = 1024
	// dialWithin is how long an upstream may take to accept.
	dialWithin = 10 * time.Second
	// settle is how long a change waits for connections to change over. One whose
	// reader has stalled does so later, by itself.
	settle = 500 * time.Millisecond
	// breath is how long accepting rests when there are no descriptors left.
	breath = 50 * time.Millisecond
)

// door is one proxy.
type door struct {
	name   string
	to     upstream
	log    *slog.Logger
	opened chan struct{} // after it was down; one is enough

	mu     sync.Mutex
	at     *place
	down   bool
	closed bool
	next   uint64 // number of the next connection
	pairs  map[*pair]bool
	spells []*spell
	full   bool // and said so
}

func newDoor(name string, to upstream, at *place, log *slog.Logger) *door {
	return &door{name: name, to: to, at: at, log: log, opened: make(chan struct{}, 1), pairs: map[*pair]bool{}}
}

// run accepts until ctx ends, and returns when all connections are gone.
func (d *door) run(ctx context.Context) {
	var pairs sync.WaitGroup
	defer pairs.Wait()
	defer d.close()
	stop := context.AfterFunc(ctx, d.close)
	defer stop()
	for l := d.listener(ctx); l != nil; l = d.listener(ctx) {
		for {
			client, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				break
			}
			if err != nil {
				d.log.Warn("proxy cannot accept", loadtest.KeyProxy, d.name, loadtest.KeyError, err)
				rest(ctx, breath)
				continue
			}
			if p := d.admit(client); p != nil {
				pairs.Go(func() { d.join(ctx, p) })
			}
		}
	}
}

// listener returns what is to be listened on, as soon as there is something; nil
// when the door is closed.
func (d *door) listener(ctx context.Context) net.Listener {
	for {
		d.mu.Lock()
		l, down, closed := d.at.listener, d.down, d.closed
		d.mu.Unlock()
		if closed {
			return nil
		}
		if !down {
			return l
		}
		select {
		case <-d.opened:
		case <-ctx.Done():
			return nil
		}
	}
}

// admit gives a connection its number, or closes it.
func (d *door) admit(client net.Conn) *pair {
	d.mu.Lock()
	defer d.mu.Unlock()
	full := len(d.pairs) >= mostPairs
	if full && !d.full {
		d.log.Warn("proxy has too many connections, more are closed", loadtest.KeyProxy, d.name, loadtest.KeyLimit, mostPairs)
	}
	d.full = full
	if full || d.down || d.closed {
		_ = client.Close()
		return nil
	}
	p := newPair(d.next, client)
	d.next++
	d.pairs[p] = true
	return p
}

// join leads a connection to its upstream, and returns when it is gone.
func (d *door) join(ctx context.Context, p *pair) {
	defer d.forget(p)
	dialer := net.Dialer{Timeout: dialWithin}
	server, err := dialer.DialContext(ctx, d.to.network, d.to.address)
	if err != nil {
		d.log.Debug("proxy cannot reach its upstream", loadtest.KeyProxy, d.name, loadtest.KeyError, err)
		return
	}
	d.mu.Lock()
	p.begin(server, d.spells)
	d.mu.Unlock()
	p.wait()
}

func (d *door) forget(p *pair) {
	p.cut()
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.pairs, p)
}

func (d *door) disturb(ctx context.Context, what fault.Disturbance) (fault.Handle, error) {
	if what.Kind == fault.Down {
		return d.shut()
	}
	s, err := newSpell(d, what)
	if err != nil {
		return nil, err
	}
	d.change(ctx.Done(), func() { d.spells = append(slices.Clip(d.spells), s) })
	return s, nil
}

// lift ends a spell.
func (d *door) lift(s *spell) {
	d.change(nil, func() {
		d.spells = slices.DeleteFunc(slices.Clone(d.spells), func(one *spell) bool { return one == s })
	})
}

// change changes the spells, and waits a while for connections to change over.
func (d *door) change(done <-chan struct{}, do func()) {
	d.mu.Lock()
	do()
	var changed []<-chan struct{}
	for p := range d.pairs {
		changed = append(changed, p.change(d.spells)...)
	}
	d.mu.Unlock()
	enough := time.NewTimer(settle)
	defer enough.Stop()
	for _, c := range changed {
		select {
		case <-c:
		case <-done:
			return
		case <-enough.C:
			return
		}
	}
}

// close closes the door for good.
func (d *door) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	d.closed = true
	d.cutAll()
	var err error
	if !d.down {
		err = d.at.shut()
	}
	if err = errors.Join(err, d.at.leave()); err != nil {
		d.log.Warn("proxy could not be closed in order", loadtest.KeyProxy, d.name, loadtest.KeyError, err)
	}
}

// cutAll ends all connections. The lock is held.
func (d *door) cutAll() int {
	for p := range d.pairs {
		p.cut()
	}
	return len(d.pairs)
}

// shutter is a door that is down.
type shutter struct {
	door *door
	cut  int
	undo sync.Once
	err  error
}

// shut refuses connections and ends those that there are.
func (d *door) shut() (fault.Handle, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return nil, errors.New("it is closed")
	case d.down:
		return nil, errors.New("it is down already")
	}
	if err := d.at.shut(); err != nil {
		return nil, fmt.Errorf("shut it: %w", err)
	}
	d.down = true
	return &shutter{door: d, cut: d.cutAll()}, nil
}

// Undo listens again where it did before.
func (s *shutter) Undo() error {
	s.undo.Do(func() {
		d := s.door
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.closed {
			return
		}
		if err := d.at.open(); err != nil {
			s.err = fmt.Errorf("open proxy %s again: %w", d.name, err)
			return
		}
		d.down = false
		select {
		case d.opened <- struct{}{}:
		default:
		}
	})
	return s.err
}

// Effects counts connections that were cut.
func (s *shutter) Effects() map[string]uint64 { return map[string]uint64{"cut": uint64(s.cut)} }

// rest waits, or until ctx ends.
func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
