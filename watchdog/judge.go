package watchdog

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// tolerable is by how much a pass may come late and still be believed. Above
// it every age in the [Sight] contains time in which nobody could do anything.
const tolerable = time.Second

// Judge decides which workers are to be replaced. It knows no clock and does
// nothing: the same sight gives the same rulings. Each worker gets at most one.
//
// In the order of their weight:
//
//   - After a pass that came more than 1 s late, nothing. The caller shifts the
//     times that it remembers.
//   - [Stopped] and [Frozen]: no heartbeat for Policy.Frozen. Such a worker
//     serves nobody, so that no budget protects it.
//   - [Deadlock], [Wedged] and [Overdue], within the budget: at most
//     Policy.Unavailable of the pool, but one at least, is condemned at a time,
//     the one that has been stuck longest first. Such a ruling leads to
//     [Quarantined], where the worker goes on accepting until its replacement
//     does; only therefore the last worker that accepts may get one. An
//     overloaded worker is given more time, but not for ever. Workers that are
//     stuck because of a dependency are spared, see [Sight.Stall].
//   - Recycling, if nothing is stuck: at most one worker, and only while all
//     other places accept.
//
// Zero fields of the policy count as their defaults.
func (s Sight) Judge() []Ruling {
	if s.Late > tolerable {
		return nil
	}
	s.Policy = s.Policy.WithDefaults()
	rulings := s.lifeless()
	stuck := s.stuck()
	room := s.budget() - len(rulings)
	for _, f := range stuck[:max(0, min(room, len(stuck)))] {
		rulings = append(rulings, f.ruling)
	}
	if len(rulings) > 0 || len(stuck) > 0 {
		return rulings
	}
	return s.recycle()
}

// lifeless rules about workers without a heartbeat. One that starts has
// [Pool.ReadyWithin], and what a worker that dumps may take is bounded too.
func (s Sight) lifeless() []Ruling {
	var rulings []Ruling
	for _, w := range s.Workers {
		known := w.Ruled == Frozen || w.Ruled == Stopped
		if known || !w.State.Serves() || w.Beat <= s.Policy.Frozen {
			continue
		}
		reason, what := Frozen, "no heartbeat"
		if w.Stopped {
			reason, what = Stopped, "stopped by a signal, no heartbeat"
		}
		rulings = append(rulings, w.ruling(reason, nil, fmt.Sprintf("%s for %s", what, round(w.Beat))))
	}
	return rulings
}

// budget is how many more workers may be condemned.
func (s Sight) budget() int {
	const exact = 1e-9 // 0.29 × 100 is less than 29
	n := max(1, int(s.Policy.Unavailable*float64(s.Places)+exact))
	for _, w := range s.Workers {
		if s.condemned(w) {
			n--
		}
	}
	return n
}

// condemned reports whether w takes a part of the budget. A killed process can
// take for ever to go, in an uninterruptible sleep; it counts until its place
// is filled.
func (s Sight) condemned(w Seen) bool {
	switch w.State {
	case Quarantined, Dumping:
		return true
	case Killed:
		return !slices.ContainsFunc(s.Workers, func(o Seen) bool { return o.ID == w.ID && s.healthy(o) })
	}
	return w.Ruled.Kills()
}

// healthy reports whether w takes new connections, not only should.
func (s Sight) healthy(w Seen) bool {
	return w.State == Ready && w.Accepting && w.Beat <= s.Policy.Fresh
}

// finding is a worker in which something is stuck.
type finding struct {
	ruling Ruling
	since  time.Duration // how long
}

// stuck finds the workers that deserve to be condemned, the worst first.
func (s Sight) stuck() []finding {
	stalls := s.stalls()
	var found []finding
	for _, w := range s.Workers {
		if f, ok := s.examine(w, stalls); ok {
			found = append(found, f)
		}
	}
	slices.SortStableFunc(found, func(a, b finding) int {
		return cmp.Or(cmp.Compare(b.since, a.since), cmp.Compare(a.ruling.ID.Index, b.ruling.ID.Index))
	})
	return found
}

// examine looks at one worker. One that drains for another reason can be
// condemned too: its drain would wait for what is stuck.
func (s Sight) examine(w Seen, stalls map[string][]ID) (finding, bool) {
	if w.State != Ready && w.State != Draining || w.Ruled.Kills() || w.Beat > s.Policy.Frozen {
		return finding{}, false
	}
	offenders := s.offenders(w)
	reason := None
	switch {
	case w.Deadlock:
		reason = Deadlock
	case slices.ContainsFunc(offenders, func(t Task) bool { return t.Abandoned > 0 }):
		reason = Wedged
	case len(offenders) > 0:
		reason = Overdue
	}
	if reason == None || reason != Deadlock && depend(offenders, stalls) {
		return finding{}, false
	}
	f := finding{}
	var slots []int
	for _, t := range offenders {
		slots = append(slots, t.Slot)
		f.since = max(f.since, s.unanswered(t))
	}
	f.ruling = w.ruling(reason, slots, s.why(reason, w, offenders))
	return f, true
}

// why says in a few words what the offenders did.
func (s Sight) why(reason Reason, w Seen, offenders []Task) string {
	if reason == Deadlock {
		return fmt.Sprintf("a proven cycle of locks, %d stuck in it or behind it", len(offenders))
	}
	worst := slices.MaxFunc(offenders, func(a, b Task) int { return cmp.Compare(s.unanswered(a), s.unanswered(b)) })
	why := fmt.Sprintf("%s was not answered %s after its hard deadline", worst.name(), round(worst.Overdue))
	if worst.Abandoned > 0 {
		why = fmt.Sprintf("%s went on for %s after it was given up", worst.name(), round(worst.Abandoned))
	}
	if n := len(offenders) - 1; n > 0 {
		why += fmt.Sprintf(", and %d more", n)
	}
	if s.Overloaded(w) {
		why += ", in an overloaded worker"
	}
	return why
}

func (w Seen) ruling(reason Reason, slots []int, why string) Ruling {
	return Ruling{ID: w.ID, Incarnation: w.Incarnation, Reason: reason, Slots: slots, Why: why}
}

func round(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
