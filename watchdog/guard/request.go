package guard

import (
	"context"
	"runtime/pprof"
	"time"
	"unsafe"

	"github.com/seadog/seadog/watchdog/scoreboard"
)

const maxID = 64

// Begin publishes a request before its handler runs. It returns false if a
// watchdog has taken the connection: then nobody will hear of what the
// handler does, and it must not run.
func (c *Conn) Begin(b Begin) bool {
	g := c.guard
	if b.At.IsZero() {
		c.begun = g.clock.now()
	} else {
		c.begun = g.clock.at(b.At)
	}
	c.route, c.limits = b.Route, b.Limits
	soft, hard := c.deadlines()
	c.describe(&b, soft, hard)
	pprof.SetGoroutineLabels(c.labels)

	from, to := scoreboard.Reading, scoreboard.Running
	if c.between {
		from = between
	}
	if c.pending {
		// An answer that the server has not written yet comes first: as if
		// this one had begun, nobody may answer for it.
		to = scoreboard.Answering
	}
	c.between, c.pending = false, false
	if !c.swap(from, to) {
		c.begun = 0
		return false
	}
	c.expect(soft)
	return true
}

// describe shows the request. Most have nothing that the one before on the same
// connection did not have, and of those only the times are written.
func (c *Conn) describe(b *Begin, soft, hard int64) {
	usual := c.usual
	c.usual = b.Client == "" && b.Route < 0 && !b.Limits.Stream && !usable(b.ID)
	if usual && c.usual {
		c.slot.Renew(c.begun, soft, hard)
		return
	}
	c.name(b.ID)
	if b.Client == "" {
		b.Client = c.client
	}
	c.slot.Describe(scoreboard.Request{
		// Describe copies it before it returns.
		ID: unsafe.String(&c.id[0], c.idSize), Client: b.Client,
		Route: b.Route, Stream: b.Limits.Stream, Begun: c.begun, Soft: soft, Hard: hard,
	})
}

// Enter publishes which route the request takes, and its limits. It returns
// false if the request must be refused with 503 because the process is
// overloaded; that is counted then.
func (c *Conn) Enter(route int, l Limits) bool {
	if c.begun == 0 {
		return true
	}
	same := l.Deadline == c.limits.Deadline
	c.route, c.limits = route, l
	c.slot.Reroute(route, l.Stream)
	if !same {
		soft, hard := c.deadlines()
		c.slot.SetDeadlines(soft, hard)
		c.expect(soft)
	}
	if !l.Essential && !c.guard.admits() {
		c.guard.region.Count(scoreboard.Shed, 1)
		return false
	}
	return true
}

// deadlines returns when the request is given up, and when the worker is.
func (c *Conn) deadlines() (soft, hard int64) {
	limit := c.limits.Deadline
	switch {
	case limit < 0:
		return 0, 0
	case limit == 0:
		limit = c.guard.policy.Harakiri
	}
	soft = c.begun + int64(limit)
	return soft, soft + int64(c.guard.policy.Slack)
}

// expect makes sure that the watchdog is awake at that time.
func (c *Conn) expect(soft int64) {
	if soft != 0 && soft < c.guard.wakeAt.Load() {
		c.guard.hurry()
	}
}

// name gives the request the id that its client chose, or none: then it has the
// one that follows from its slot, and that is only written out when somebody asks.
func (c *Conn) name(id string) {
	c.idSize = 0
	if usable(id) {
		c.idSize = copy(c.id[:], id)
	}
}

func usable(id string) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	for _, b := range []byte(id) {
		switch {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', b == '-', b == '_', b == '.':
		default:
			return false
		}
	}
	return true
}

// Context ends when a request is given up ([ErrHarakiri]), when its client
// hangs up ([ErrHangUp]), and when the connection ends; see [context.Cause].
// Whenever it ends, so does the connection: no later request gets it.
func (c *Conn) Context() context.Context { return c.ctx }

// ID returns the id of the present request. Only what the request runs may ask.
func (c *Conn) ID() string {
	if c.idSize == 0 {
		return scoreboard.DerivedID(c.seed, c.token.Generation())
	}
	return string(c.id[:c.idSize])
}

// Slot returns the number of the connection's slot.
func (c *Conn) Slot() int { return c.index }

// Generation returns the number that, together with the slot's, names the
// present request. Only what the request runs may ask.
func (c *Conn) Generation() uint64 { return c.token.Generation() }

// Touch says that the stream on the connection is alive. Any goroutine may.
func (c *Conn) Touch() {
	if c.hold() {
		c.slot.Touch(c.guard.clock.now())
		c.drop()
	}
}

// SetGroup says in which process group the request's child runs; 0 when it is
// gone. If the request was given up meanwhile, the group is told to end.
func (c *Conn) SetGroup(pgid int) {
	if !c.hold() {
		return
	}
	defer c.drop()
	c.group.Store(int64(pgid))
	c.slot.SetGroup(pgid)
	if c.slot.Token().Phase() == scoreboard.Killed {
		c.guard.endGroup(c)
	}
}

// Ending reports whether the connection must end with the present answer.
func (c *Conn) Ending() bool {
	return c.guard.draining.Load() || c.guard.gated.Load() || c.hungUp.Load()
}

// Active is called by adapters whose server says that it begins to read a
// request after it has waited for its first byte in an empty buffer, or has
// found one there, and before it does anything else.
func (c *Conn) Active() {
	if !c.virgin {
		c.window = false
	}
}

// Idle is called by adapters when an answer is complete, and the next request
// is waited for.
func (c *Conn) Idle() {
	if !c.finish() {
		return
	}
	c.between = true
	if c.exact != nil {
		c.window = c.exact.next(c.length)
		c.length = -1
		return
	}
	// Whether fasthttp has written the answer, and has read more than its
	// request, is certain only when it reads next, or says that it need not.
	c.window, c.pending = true, true
}

// Closed is called by adapters when the server is done with the connection.
func (c *Conn) Closed() {
	c.finish()
	c.settle(func(e *ending) { e.gone = true })
}

// Hijacked is called by adapters when the connection is no HTTP any more.
func (c *Conn) Hijacked() {
	c.complete(c.token.To(scoreboard.Hijacked))
	c.settle(func(e *ending) { e.hijacked = true })
}

// finish ends the request and goes on to the next generation. It returns
// false if a watchdog has taken the connection.
func (c *Conn) finish() bool {
	next := c.token.Next(between)
	if !c.complete(next) {
		return false
	}
	c.token = next
	return true
}

// complete ends the request, if there is one, and takes the token.
func (c *Conn) complete(to scoreboard.Token) bool {
	for {
		t := c.slot.Token()
		if t.Generation() != c.token.Generation() {
			return false
		}
		if p := t.Phase(); p == scoreboard.Killed || p == scoreboard.Seized {
			if c.begun != 0 && p == scoreboard.Killed {
				c.guard.region.Count(scoreboard.Recovered, 1)
			}
			c.begun = 0
			return false
		}
		if c.slot.Swap(t, to) {
			break
		}
	}
	if c.group.Load() != 0 { // nobody may kill it for another request
		c.group.Store(0)
		c.slot.SetGroup(0)
	}
	if c.begun != 0 {
		c.slot.Complete()
		c.observe(c.route, c.guard.clock.now()-c.begun)
		c.begun = 0
	}
	return true
}

func (c *Conn) observe(route int, took int64) {
	if route >= 0 && route < len(c.guard.routes) {
		c.guard.region.Observe(route, time.Duration(took))
	}
}
