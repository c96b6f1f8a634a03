package attack

import "time"

// slack is how far behind the schedule hits may be and still be sent at once.
// Without it, the jitter of timers would already count as a backlog.
const slack = 10 * time.Millisecond

// governor bounds how fast a backlog is worked off: behind the schedule, it is
// replayed at factor times its speed. It is a clock that shows a position in the
// schedule, never runs ahead of time, never faster than factor, and does not run
// on while hits wait; a hit may go when the clock shows its due time.
//
// In any stretch of time w, hits of at most factor·w + slack of the schedule
// are sent.
type governor struct {
	factor   float64 // 0: no bound
	at       time.Duration
	position time.Duration // of the schedule, at that time
}

// show returns the position at a time.
func (g *governor) show(at time.Duration) time.Duration {
	return min(at, g.position+time.Duration(g.factor*float64(at-g.at)))
}

// release returns when a hit that is due may be sent: at, or later.
func (g *governor) release(due, at time.Duration) time.Duration {
	if g.factor == 0 {
		return at
	}
	missing := due - g.show(at)
	if missing <= 0 {
		return at
	}
	return at + time.Duration(float64(missing)/g.factor)
}

// sent says that a hit that was due then got a slot at that time.
func (g *governor) sent(due, at time.Duration) {
	g.position = min(g.show(at), due+slack)
	g.at = at
}

// twin is the dispatcher as it would have been had a slot always been free. It
// does what the real one does, and takes as long for it, but for the waiting:
// so what it is late is the generator's fault, and the rest is the target's.
type twin struct {
	governor governor
	limit    time.Duration // hits that are later than that are dropped
	free     time.Duration // when it is ready for the next hit
}

// ready returns when a hit would have been ready to be sent. own is what the
// dispatcher spent on it beside waiting.
func (t *twin) ready(due, own time.Duration) time.Duration {
	at := t.governor.release(due, max(due, t.free)) + own
	if at-due > t.limit {
		t.free = max(due, t.free) + own
		return at
	}
	t.governor.sent(due, at)
	t.free = at
	return at
}

// spend says what handing over the hit before took.
func (t *twin) spend(own time.Duration) { t.free += own }
