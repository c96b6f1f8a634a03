package probe

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/seadog/seadog/loadtest"
)

// flight is a request in flight, and what can be used again for the next one.
type flight struct {
	before, after *flight // in the table

	request        *Request
	traffic, phase int
	seq, of        uint64
	due, sent      time.Duration

	first    atomic.Int64 // when the first byte came; written by the connection's reader
	wrote    atomic.Bool  // the request has been sent to its end
	attempts int          // connections it got
	reused   bool

	// A context is cancelled once in a great while; until then requests use it
	// one after the other.
	ctx    context.Context
	cancel context.CancelCauseFunc

	last *conn // it was on

	mu   sync.Mutex
	held *conn // is closed if f is killed. Guarded by mu

	// What the transports keep.
	http   *http.Request
	reader bytes.Reader
	body   io.ReadCloser // of reader
	fast   *fasthttp.Request
	answer *fasthttp.Response
}

// hold says that f is on c from now on. It is too late if f has been cancelled.
func (f *flight) hold(c *conn) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last, f.held = c, c
	return context.Cause(f.ctx)
}

// letGo says that f is not on its connection any more: nobody closes it on f's
// account from now on. It is an error if somebody has.
func (f *flight) letGo() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held = nil
	return context.Cause(f.ctx)
}

// kill ends f.
func (f *flight) kill(cause error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cancel(cause)
	if f.held != nil {
		_ = f.held.Close()
	}
}

// table is what is in flight, in order of sending.
type table struct {
	mu      sync.Mutex
	root    flight  // of a ring: root.after is the oldest
	free    *flight // linked by after
	n       int
	aborted bool
}

func newTable() *table {
	t := &table{}
	t.root.before, t.root.after = &t.root, &t.root
	return t
}

func (t *table) begin(r *Request, s *loadtest.Sample, sent time.Duration) *flight {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.free
	if f != nil {
		t.free = f.after
	} else {
		f = newFlight()
	}
	f.request, f.traffic, f.phase, f.seq, f.of, f.due, f.sent = r, s.Traffic, s.Phase, s.Seq, s.Of, s.Due, sent
	f.before, f.after = t.root.before, &t.root
	f.before.after, f.after.before = f, f
	t.n++
	if t.aborted {
		f.kill(errAborted)
	}
	return f
}

func newFlight() *flight {
	f := &flight{}
	f.ctx, f.cancel = context.WithCancelCause(context.Background())
	f.body = io.NopCloser(&f.reader)
	return f
}

// end takes f out. It is used again if nobody else still reads it.
func (t *table) end(f *flight, again bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f.before.after, f.after.before = f.after, f.before
	f.before = nil
	t.n--
	if !again || f.ctx.Err() != nil {
		f.cancel(nil)
		return
	}
	f.request, f.last, f.attempts, f.reused = nil, nil, 0, false
	f.first.Store(0)
	f.wrote.Store(false)
	f.after = t.free
	t.free = f
}

// expire ends what has been in flight for as long as timeout, and returns how
// long it is until something else may have been.
func (t *table) expire(now, timeout time.Duration) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	for f := t.root.after; f != &t.root; f = f.after {
		if left := f.sent + timeout - now; left > 0 {
			return left
		}
		f.kill(errTimeout) // once more if it has not ended yet, which does nothing
	}
	return timeout
}

func (t *table) abort() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.aborted = true
	for f := t.root.after; f != &t.root; f = f.after {
		f.kill(errAborted)
	}
}

func (t *table) oldest(most int) ([]InFlight, int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]InFlight, 0, min(most, t.n))
	for f := t.root.after; f != &t.root && len(out) < most; f = f.after {
		out = append(out, InFlight{
			Traffic: f.traffic, Phase: f.phase, Seq: f.seq, Of: f.of,
			Due: f.due, Sent: f.sent, First: time.Duration(f.first.Load()),
		})
	}
	return out, t.n
}
