package lock

import (
	"context"
	"fmt"
	"sync/atomic"
)

// Holder names who locks.
type Holder struct {
	Request    string // its id
	Route      string
	Slot       int // on the scoreboard
	Generation uint64
}

// String is how people name a holder: "request r1 (POST /a)".
func (h Holder) String() string {
	switch {
	case h == Holder{}:
		return "somebody without a name"
	case h.Request == "":
		return fmt.Sprintf("slot %d", h.Slot)
	case h.Route == "":
		return "request " + h.Request
	}
	return fmt.Sprintf("request %s (%s)", h.Request, h.Route)
}

// WithHolder returns a context under which h locks. Each call makes another
// holder, whatever it is called: one thread of execution needs one.
func WithHolder(ctx context.Context, h Holder) context.Context {
	return &holding{Context: ctx, party: party{holder: h}}
}

// Fork returns a context for a goroutine that works for the holder of ctx, at
// the same time as it does. Of a context without a holder it returns that.
func Fork(ctx context.Context) context.Context {
	p := partyOf(ctx)
	if p == nil {
		return ctx
	}
	return WithHolder(ctx, p.holder)
}

// party is the identity of a holder.
type party struct {
	holder Holder
	// waiting is in how many places it waits. More than one, or one while it
	// takes a lock, means that it is more than one thread of execution.
	waiting atomic.Int32
	shared  atomic.Bool
}

func (p *party) wait() {
	if p.waiting.Add(1) > 1 {
		p.shared.Store(true)
	}
}

func (p *party) took() {
	if p.waiting.Load() > 0 {
		p.shared.Store(true)
	}
}

// holding is a context with a holder.
type holding struct {
	context.Context
	party party
}

type partyKey struct{}

func (h *holding) Value(key any) any {
	if key == (partyKey{}) {
		return &h.party
	}
	return h.Context.Value(key)
}

// partyOf returns nil if the context has no holder. It is asked when the lock
// is taken, not when somebody wants to know: not every context may be read
// by other goroutines later.
func partyOf(ctx context.Context) *party {
	if h, ok := ctx.(*holding); ok {
		return &h.party
	}
	p, _ := ctx.Value(partyKey{}).(*party)
	return p
}
