// Package batch lets concurrent callers share one commit. Whatever queued while
// the last batch was being committed is the next one: there is no timer, so a
// lone caller waits for nothing and a crowd pays for one fsync together.
//
// It refuses to know what a commit is; the owner passes it as a function.
//
// Goroutines: one for each [Batcher], from its first call until [Batcher.Close],
// which waits for it. It is not the caller's own, because a caller whose context
// ends must be able to leave while a disk is still busy with its batch; and it
// stays, because a database needs a deep stack, which a new goroutine would have
// to grow again for every batch.
package batch

import (
	"context"
	"errors"
	"sync"
)

// ErrClosed is returned by calls that come after Close.
var ErrClosed = errors.New("batcher is closed")

// Config says how a [Batcher] commits.
type Config[In, Out any] struct {
	// Limit bounds the size of a batch; 1024 if 0.
	Limit int

	// Commit makes one batch durable and returns one Out for each In, in order.
	// It calls take once, as late as it can (after it waited for whatever it has
	// to wait for), so that what queues meanwhile rides along. Its context has
	// the values of one of the callers and is never done: Commit bounds itself.
	Commit func(ctx context.Context, take func() []In) ([]Out, error)

	// Split reports whether a batch that failed with err may hold one bad entry,
	// so that every entry is tried alone. Nil: never.
	Split func(err error) bool
}

// Batcher collects entries of concurrent callers into batches. It is safe for concurrent use.
type Batcher[In, Out any] struct {
	cfg Config[In, Out]

	mu      sync.Mutex // guards all below
	changed sync.Cond  // something was queued, or it was closed
	queue   []*entry[In, Out]
	leading bool // the leader was started
	closed  bool
	leader  sync.WaitGroup
}

type entry[In, Out any] struct {
	ctx  context.Context // of the caller, only to see whether it still waits
	in   In
	out  Out
	err  error
	done chan struct{}
}

// New returns a Batcher.
func New[In, Out any](cfg Config[In, Out]) *Batcher[In, Out] {
	if cfg.Limit == 0 {
		cfg.Limit = 1024
	}
	b := &Batcher[In, Out]{cfg: cfg}
	b.changed.L = &b.mu
	return b
}

// Do commits in together with what other callers bring, and returns when it is
// durable. If ctx ends first it returns the cause at once; an entry whose batch
// was taken by then may still be committed.
func (b *Batcher[In, Out]) Do(ctx context.Context, in In) (out Out, err error) {
	e := &entry[In, Out]{ctx: ctx, in: in, done: make(chan struct{})}
	if err := b.join(e); err != nil {
		return out, err
	}
	select {
	case <-e.done:
		return e.out, e.err
	case <-ctx.Done():
	}
	select {
	case <-e.done: // both happened: what is durable counts
		return e.out, e.err
	default:
		return out, context.Cause(ctx)
	}
}

// Close refuses further calls and waits until everything queued is committed.
func (b *Batcher[In, Out]) Close() {
	b.mu.Lock()
	b.closed = true
	b.changed.Signal()
	b.mu.Unlock()
	b.leader.Wait()
}

func (b *Batcher[In, Out]) join(e *entry[In, Out]) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return ErrClosed
	}
	b.queue = append(b.queue, e)
	b.changed.Signal()
	if !b.leading {
		b.leading = true
		b.leader.Go(b.lead)
	}
	return nil
}

// lead commits batch after batch until nothing is queued and nothing will be.
func (b *Batcher[In, Out]) lead() {
	for {
		ctx := b.wait()
		if ctx == nil {
			return
		}
		b.round(ctx)
	}
}

// wait returns the context of the next batch, once there is something to
// commit, or nil if there will be nothing.
func (b *Batcher[In, Out]) wait() context.Context {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.queue) == 0 && !b.closed {
		b.changed.Wait()
	}
	if len(b.queue) == 0 {
		return nil
	}
	return context.WithoutCancel(b.queue[0].ctx)
}

func (b *Batcher[In, Out]) round(ctx context.Context) {
	var taken []*entry[In, Out]
	take := func() []In {
		taken = b.take()
		return inputs(taken)
	}
	outs, err := b.cfg.Commit(ctx, take)
	if err != nil && taken == nil {
		taken = b.take() // Commit gave up before it asked for them
	}
	if err != nil && len(taken) > 1 && b.cfg.Split != nil && b.cfg.Split(err) {
		b.oneByOne(ctx, taken)
		return
	}
	deliver(taken, outs, err)
}

// oneByOne finds the bad entry of a batch by committing each alone.
func (b *Batcher[In, Out]) oneByOne(ctx context.Context, taken []*entry[In, Out]) {
	for i := range taken {
		alone := taken[i : i+1]
		outs, err := b.cfg.Commit(ctx, func() []In { return inputs(alone) })
		deliver(alone, outs, err)
	}
}

// take removes up to Limit entries from the queue. Those whose callers have
// left are dropped.
func (b *Batcher[In, Out]) take() []*entry[In, Out] {
	b.mu.Lock()
	defer b.mu.Unlock()
	taken := make([]*entry[In, Out], 0, min(len(b.queue), b.cfg.Limit))
	n := 0
	for n < len(b.queue) && len(taken) < b.cfg.Limit {
		if e := b.queue[n]; e.ctx.Err() == nil {
			taken = append(taken, e)
		}
		n++
	}
	rest := copy(b.queue, b.queue[n:])
	clear(b.queue[rest:])
	b.queue = b.queue[:rest]
	return taken
}

func inputs[In, Out any](taken []*entry[In, Out]) []In {
	ins := make([]In, len(taken))
	for i, e := range taken {
		ins[i] = e.in
	}
	return ins
}

func deliver[In, Out any](taken []*entry[In, Out], outs []Out, err error) {
	for i, e := range taken {
		if err == nil {
			e.out = outs[i]
		}
		e.err = err
		close(e.done)
	}
}
