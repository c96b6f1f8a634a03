package attack

import (
	"context"
	"sync"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/pace"
	"github.com/seadog/seadog/loadtest/target"
)

// Classes of hits that were never sent.
const (
	classNoSlot = "not sent: all slots were busy"
	classLate   = "not sent: the generator was late"
	classEnded  = "not sent: the run ended"
)

// lane sends one traffic through all its phases, in the order in which hits are
// due: one that could not be sent in its phase goes before the first of the
// next. What is in flight does not keep the next phase from beginning.
type lane struct {
	attack   *Attack
	index    int // of the traffic
	magazine *target.Magazine
	phases   []stretch
	limit    time.Duration // LateLimit, or less

	// Of the dispatcher, whichever goroutine that is.
	ctx      context.Context //nolint:containedctx // of next, which engines call
	clock    clock
	grant    chan time.Duration
	governor governor
	twin     twin
	granted  time.Duration // when the hit before got its slot, or was dropped
	ended    time.Duration // when ctx was seen to have ended
	seq      uint64
	idle     sync.Pool // of *Hit
}

// stretch is the traffic's part of one phase.
type stretch struct {
	phase    int
	begins   time.Duration
	schedule pace.Schedule
}

// run sends everything, and returns when all of it has ended.
func (l *lane) run(ctx context.Context) {
	l.ctx = ctx
	l.granted = l.clock.now()
	var engines sync.WaitGroup
	for _, s := range l.phases {
		if s.schedule.Planned(1<<62) == 0 {
			continue
		}
		dispatched := make(chan struct{})
		n := uint64(0)
		engines.Go(func() {
			l.attack.engine.Run(l.attack.workers(), func() *Hit {
				h := l.next(s, &n)
				if h == nil {
					close(dispatched)
				}
				return h
			}, l.attack.send)
		})
		<-dispatched
	}
	engines.Wait()
}

// next returns the next hit of a stretch when it is due and has a slot. Those
// that cannot be sent end here. It returns nil after the last one.
func (l *lane) next(s stretch, n *uint64) *Hit {
	for {
		offset, planned := s.schedule.At(*n)
		due := s.begins + offset
		if !planned || l.ended != 0 && due > l.ended {
			return nil
		}
		*n++
		h := l.blank(s.phase, due)
		if l.launch(h) {
			return h
		}
		l.idle.Put(h)
	}
}

// launch waits until h is due and has a slot. If it gets none it is dropped.
func (l *lane) launch(h *Hit) bool {
	sample, due := &h.sample, h.sample.Due
	asked := l.clock.now()
	l.look(asked)
	l.twin.spend(asked - l.granted) // handing over the hit before
	if l.ended != 0 || asked-due > l.limit {
		l.drop(h, 0)
		return false
	}
	now, ready := asked, false
	if h.shot, ready = l.magazine.Next(sample.Seq); !ready { // it was built just now
		now = l.clock.now()
	}
	now = l.waitUntil(now, due)
	own := now - max(asked, due)
	if release := l.governor.release(due, now); release > now && l.ended == 0 {
		release = min(release, due+l.limit)
		now = l.waitUntil(now, release)
		own += max(0, now-release)
	}
	granted, got := now, false
	if l.ended == 0 && now-due <= l.limit {
		if got = l.attack.slots.take(l.grant); !got {
			overdue := l.clock.overdue(now)
			granted, got = l.waitForSlot(due + l.limit)
			granted = max(granted, now) // a worker may have been slow to give it back
			own += ourFault(granted-now, l.clock.overdue(granted)-overdue)
		}
	}
	if !got {
		l.drop(h, own)
		return false
	}
	l.granted = granted
	l.governor.sent(due, granted)
	sample.Slot, sample.Ready = granted, min(l.twin.ready(due, own), granted)
	return true
}

// waitUntil waits until a time, and returns what time it is then.
func (l *lane) waitUntil(now, at time.Duration) time.Duration {
	for now < at && l.ended == 0 {
		l.clock.sleep(l.ctx, at-now)
		now = l.clock.now()
		l.look(now)
	}
	return now
}

// waitForSlot waits for a slot that has been asked for.
func (l *lane) waitForSlot(deadline time.Duration) (granted time.Duration, got bool) {
	if at, got := l.clock.await(l.ctx, deadline-l.clock.now(), l.grant); got {
		return at, true
	}
	now := l.clock.now()
	l.look(now)
	if l.attack.slots.withdraw(l.grant) {
		return now, false
	}
	return <-l.grant, true
}

// ourFault returns how much of a wait for a slot is our own fault: all of it, if
// this process did not get to run for most of the time. Then slots are held
// because nobody looks at the answers that have come. Not in proportion: a
// target that stalls must not become our fault by a few percent of a long wait.
func ourFault(wait, overdue time.Duration) time.Duration {
	if overdue > wait/2 {
		return wait
	}
	return 0
}

// look notes when the run was ended from outside.
func (l *lane) look(now time.Duration) {
	if l.ended == 0 && l.ctx.Err() != nil {
		l.ended = now
	}
}

// drop ends a hit that is not sent, at its age. One that was not due when the
// run ended was not planned either.
func (l *lane) drop(h *Hit, own time.Duration) {
	sample := &h.sample
	if h.shot != nil {
		l.magazine.Return(h.shot)
		h.shot = nil
	}
	now := l.clock.now()
	if l.look(now); l.ended != 0 {
		now = l.ended
	}
	if now < sample.Due {
		return
	}
	l.granted = now
	sample.Done, sample.Slot = now, now
	sample.Ready = min(l.twin.ready(sample.Due, own), now)
	sample.Outcome = loadtest.Dropped
	switch {
	case l.ended != 0:
		sample.Class = classEnded
	case sample.SelfLag() > sample.SlotWait():
		sample.Class = classLate
	default:
		sample.Class = classNoSlot
	}
	l.attack.outbox.put(sample)
}

// blank returns the next hit of the traffic, due then.
func (l *lane) blank(phase int, due time.Duration) *Hit {
	h, _ := l.idle.Get().(*Hit)
	if h == nil {
		h = &Hit{lane: l}
	}
	what := l.magazine.Choose(l.seq)
	h.shot = nil
	h.sample = loadtest.Sample{
		Traffic: l.index, Phase: phase, Seq: l.seq, Of: what.Of, Variant: what.Variant, Negative: what.Negative, Due: due,
	}
	l.seq++
	return h
}

// planned returns how many hits are due before a time.
func (l *lane) planned(at time.Duration) uint64 {
	n := uint64(0)
	for _, s := range l.phases {
		if at > s.begins {
			n += s.schedule.Planned(at - s.begins)
		}
	}
	return n
}
