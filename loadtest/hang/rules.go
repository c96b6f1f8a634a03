package hang

import (
	"fmt"
	"time"
)

// silence is H1: a request without a first byte.
type silence struct {
	after     time.Duration
	abandoned uint64 // that were seen before
	completed uint64 // when it was last seen stuck
}

func (*silence) name() string { return "H1" }

// look is calm again only when something was completed or nothing is out: when
// stuck requests are given up, those that took their places are not old enough
// yet, but no better.
func (s *silence) look(f *facts) finding {
	gaveUp := f.abandoned > s.abandoned
	s.abandoned = f.abandoned
	n, oldest := 0, Request{}
	for _, r := range f.inflight {
		if r.First > 0 || f.age(r.Sent) < s.after {
			continue
		}
		if n++; n == 1 {
			oldest = r
		}
	}
	switch {
	case n > 0:
		s.completed = f.completed
		return finding{stuck, max(oldest.Sent, f.woke), fmt.Sprintf("%s for %s or more; the oldest is number %d of %s, sent at %s",
			count(n, "request has", "requests have")+" had no first byte", round(s.after), oldest.Seq, oldest.Traffic, round(oldest.Sent))}
	case gaveUp:
		s.completed = f.completed
		return finding{stuck, max(f.last.Sent, f.woke), fmt.Sprintf("request %d of %s, sent at %s, was given up without a first byte",
			f.last.Seq, f.last.Traffic, round(f.last.Sent))}
	case len(f.inflight) > 0 && f.completed == s.completed:
		return finding{mood: unsure}
	}
	return finding{}
}

// stall is H2: nothing ends.
type stall struct {
	limit     time.Duration
	waiting   bool
	since     time.Duration // waiting: of this
	last      time.Duration // look at which something had ended, or nothing was out
	completed uint64
}

func (*stall) name() string { return "H2" }

func (s *stall) look(f *facts) finding {
	if f.completed != s.completed || len(f.inflight) == 0 {
		s.completed, s.last, s.waiting = f.completed, f.at, false
		return finding{}
	}
	if !s.waiting {
		s.waiting, s.since = true, max(s.last, f.inflight[0].Sent)
	}
	if f.age(s.since) < s.limit { // or this machine was late: what had begun before goes on
		return finding{mood: unsure}
	}
	since := max(s.since, f.woke)
	return finding{stuck, since, fmt.Sprintf("no request was completed for %s, while %s out",
		round(f.at-since), count(len(f.inflight), "was", "were"))}
}

// probing is H3: nobody answers fresh connections.
type probing struct{}

func (probing) name() string { return "H3" }

// inARow is how many probes must fail: one alone may have been unlucky.
const inARow = 3

func (probing) look(f *facts) finding {
	if f.probe.failures < inARow {
		return finding{}
	}
	return finding{stuck, max(f.probe.since, f.woke), fmt.Sprintf("%d fresh connections in a row were not answered: %s", f.probe.failures, f.probe.why)}
}

// idleWork is H4: work waits behind a front that is well, and none is done.
type idleWork struct {
	begun bool
	since time.Duration // nothing has been done, and work has waited
	done  float64
}

// noProgress is how long work may wait without any being done.
const noProgress = 10 * time.Second

func (*idleWork) name() string { return "H4" }

func (w *idleWork) look(f *facts) finding {
	if !f.queue.known || !f.progress.known {
		return finding{mood: unsure}
	}
	if f.queue.Value <= 0 || f.progress.Value != w.done || !w.begun {
		w.begun, w.since, w.done = true, f.progress.At, f.progress.Value
		return finding{}
	}
	// Without health it is H3's matter, or the service says so itself.
	if f.progress.At-max(w.since, f.woke) < noProgress || !f.probe.healthy {
		return finding{mood: unsure}
	}
	since := max(w.since, f.woke)
	return finding{stuck, since, fmt.Sprintf("%g wait in the queue, nothing was done for %s, and the service says that it is well",
		f.queue.Value, round(f.progress.At-since))}
}

// rest is what the service must come back to, and what it is at.
type rest struct {
	inflight   int
	queue      level
	goroutines level
}

// known takes over what is known of now, which is before the load as well.
func (before *rest) known(now rest) {
	if now.queue.known {
		before.queue = now.queue
	}
	if now.goroutines.known {
		before.goroutines = now.goroutines
	}
}

const (
	restShare = 1.1 // of the level before the load
	// restSpare is for idle connections of others and pools that have grown: a few
	// goroutines for each of the processes of a service that had done nothing yet.
	restSpare = 30
)

// back says what has not come back to the level before the load; "" if all has.
// What was not known before is not asked for.
func (before rest) back(now rest) string {
	text := ""
	add := func(part string) {
		if text != "" {
			text += ", "
		}
		text += part
	}
	if now.inflight > 0 {
		add(count(now.inflight, "request is", "requests are") + " still out")
	}
	if before.queue.known {
		switch {
		case !now.queue.known:
			add("the queue is not told any more")
		case now.queue.Value > before.queue.Value*restShare:
			add(fmt.Sprintf("%g wait in the queue (%g before)", now.queue.Value, before.queue.Value))
		}
	}
	if before.goroutines.known {
		switch limit := max(before.goroutines.Value*restShare, before.goroutines.Value+restSpare); {
		case !now.goroutines.known:
			add("goroutines are not told any more")
		case now.goroutines.Value > limit:
			add(fmt.Sprintf("there are %g goroutines (%g before)", now.goroutines.Value, before.goroutines.Value))
		}
	}
	return text
}

func count(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// round is for people.
func round(d time.Duration) time.Duration {
	if d < time.Second {
		return d.Round(time.Millisecond)
	}
	return d.Round(100 * time.Millisecond)
}
