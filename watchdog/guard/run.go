package guard

import (
	"context"
	"math"
	"time"

	"github.com/seadog/seadog/watchdog/scoreboard"
)

// How long the watchdog sleeps at most.
const (
	passBusy   = 50 * time.Millisecond // while requests run, or something waits to be closed
	passIdle   = 100 * time.Millisecond
	passAsleep = time.Second // without any connection
)

const (
	// lateness is by how much a pass may come too late. Above it the process
	// was stopped or the machine slept, and no request is to blame.
	lateness = time.Second
	// begunGrace is how long after its deadline an answer that has begun may go
	// on: most of these end in a moment, and cutting one off helps nobody.
	begunGrace = time.Second
	// peekAge is the age from which on it is looked every so often whether a
	// request's client is still there.
	peekAge = time.Second
	// idleAge is how long a connection was idle when a guard that drains closes it.
	idleAge = time.Second
)

// watch is what the watchdog remembers of a slot.
type watch struct {
	idle   uint64 // the generation that was seen idle
	since  int64  // when it was first
	peeked int64

	taken   uint64 // the generation that the master was seen to have seized
	takenAt int64
}

// Run watches until ctx ends. Contexts of connections that are accepted from
// now on end with it.
func (g *Guard) Run(ctx context.Context) error {
	g.base.Store(&connBase{ctx})
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		g.chores.run(ctx)
	}()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-g.kick:
		}
		now := g.clock.now()
		next := g.pass(now)
		g.wakeAt.Store(next)
		timer.Reset(time.Duration(next - g.clock.now()))
	}
	<-finished
	g.writers.Wait()
	g.collector.release()
	g.windUp()
	return nil
}

// windUp closes what nobody else will.
func (g *Guard) windUp() {
	g.linger(math.MaxInt64)
	g.endTasks(math.MaxInt64)
	g.mu.Lock()
	adopted := g.adopted
	g.adopted = nil
	g.mu.Unlock()
	g.closeAdopted(adopted)
}

// survey is what one pass saw.
type survey struct {
	next        int64 // when the next deadline is
	connections int
	executing   int
	running     int   // not answered, no streams
	stuck       int   // given up and not ended
	oldest      int64 // when the oldest of running and stuck began
}

// pass looks at everything, and returns when it wants to look again.
func (g *Guard) pass(now int64) int64 {
	late := now - g.wakeAt.Load()
	if g.wakeAt.Load() == 0 || late < int64(lateness) {
		late = 0
	}
	s := survey{next: math.MaxInt64, oldest: now}
	used := g.region.Used()
	for i := range used {
		g.look(i, now, late, &s)
	}
	g.stir(s.connections == 0)
	g.judgeGate(now, &s)
	g.judgeLoad(&s)
	g.collector.judge(g, now, &s)
	g.serveStarving()
	leftovers := g.linger(now)
	tasks := g.endTasks(now)

	sleep := passIdle
	switch {
	case s.executing > 0 || leftovers || tasks:
		sleep = passBusy
	case s.connections == 0 && !g.gated.Load():
		sleep = scoreboard.Leisurely(now, passAsleep)
	}
	return min(s.next, now+int64(sleep))
}

// look judges one slot.
func (g *Guard) look(i int, now, late int64, s *survey) {
	slot, w := &g.slots[i], &g.watches[i]
	t := slot.Token()
	if t.Phase() == scoreboard.Empty {
		return
	}
	s.connections++
	switch t.Phase() {
	case scoreboard.Idle:
		if g.draining.Load() {
			g.lookIdle(i, t, now)
		}
	case scoreboard.Running, scoreboard.Interim, scoreboard.Answering:
		s.executing++
		if late > 0 {
			g.shift(i, t, late)
			return
		}
		stream, begun := slot.Stream(), slot.Begun()
		if t.Phase() == scoreboard.Running && !stream {
			s.running++
			s.oldest = min(s.oldest, begun)
		}
		if soft := deadline(slot, t, stream); soft != 0 {
			if now >= soft {
				g.kill(i, t, now)
				return
			}
			s.next = min(s.next, soft)
		}
		if now-max(begun, w.peeked) >= int64(peekAge) && !g.policy.Omit.HangUps {
			w.peeked = now
			g.peek(i, t)
		}
	case scoreboard.Killed:
		s.stuck++
		// It may spin still, and a world that stops for it would stand still.
		s.oldest = min(s.oldest, slot.Begun())
	case scoreboard.Seized:
		g.lookSeized(i, t, now)
	}
}

// deadline returns when a request is given up; 0: never.
func deadline(slot *scoreboard.Slot, t scoreboard.Token, stream bool) int64 {
	soft := slot.Soft()
	if soft == 0 {
		return 0
	}
	if stream {
		soft += slot.Touched() - slot.Begun()
	}
	if t.Phase() == scoreboard.Answering {
		soft += int64(begunGrace)
	}
	return soft
}

// shift moves the deadlines of a request by as much as everything stood still.
func (g *Guard) shift(i int, t scoreboard.Token, late int64) {
	c := g.table[i].Load()
	if c == nil || !c.hold() {
		return
	}
	defer c.drop()
	slot := &g.slots[i]
	soft, hard := slot.Soft(), slot.Hard()
	if slot.Token().Generation() != t.Generation() || soft == 0 {
		return
	}
	slot.SetDeadlines(soft+late, hard+late)
	if slot.Token().Generation() != t.Generation() {
		// The next request has begun in this moment, and these may have
		// replaced its own.
		soft = slot.Begun() + int64(g.policy.Harakiri)
		slot.SetDeadlines(soft, soft+int64(g.policy.Slack))
	}
}

// peek cancels the request if its client has gone. It goes on nevertheless,
// and so does its deadline.
func (g *Guard) peek(i int, t scoreboard.Token) {
	c := g.table[i].Load()
	if c == nil || !c.hold() {
		return
	}
	defer c.drop()
	if c.socket == nil || c.hungUp.Load() || !left(c.socket, c.secure) {
		return
	}
	if g.slots[i].Token().Generation() != t.Generation() {
		return // that was another request's client, which waits no longer
	}
	c.goneAway()
}

// goneAway cancels the request because nobody waits for its answer.
func (c *Conn) goneAway() {
	if !c.hungUp.Swap(true) {
		c.guard.region.Count(scoreboard.HangUps, 1)
		c.cancel(ErrHangUp)
	}
}
