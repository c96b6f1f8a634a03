package journal

import (
	"cmp"
	"slices"
	"time"

	"github.com/seadog/seadog/watchdog"
)

// Merge returns what two records of one incident say together. The graver one
// has the last word, or b if they are equally grave: its reason, its verdict,
// and whatever else it says; what it does not say is taken from the other. The
// incident's time is the earlier one, its timeline everything in order, and
// its requests are those of both, each once. Merging again what was merged
// changes nothing, and an incident without an id adds nothing.
func Merge(a, b watchdog.Incident) watchdog.Incident {
	if a.ID == "" {
		return b
	}
	if b.ID == "" {
		return a
	}
	if a.Severity == watchdog.Killing && b.Severity != watchdog.Killing {
		a, b = b, a
	}
	m := b
	m.Time = earlier(a.Time, b.Time)
	m.Severity = cmp.Or(b.Severity, a.Severity)
	m.Reason = cmp.Or(b.Reason, a.Reason)
	m.Verdict = cmp.Or(b.Verdict, a.Verdict)
	if b.Pool == "" {
		m.Pool, m.Index = a.Pool, a.Index
	}
	m.Incarnation = cmp.Or(b.Incarnation, a.Incarnation)
	m.PID = cmp.Or(b.PID, a.PID)
	m.Stuck = mergeStuck(a.Stuck, b.Stuck)
	m.Lost = mergeStuck(a.Lost, b.Lost)
	m.Evidence = mergeEvidence(a.Evidence, b.Evidence)
	m.Timeline = mergeTimelines(a, b, m.Time)
	return m
}

func earlier(a, b time.Time) time.Time {
	if b.IsZero() || !a.IsZero() && a.Before(b) {
		return a
	}
	return b
}

// mergeStuck knows a request again by its id and slot, a step of a deployment
// by its route and slot.
func mergeStuck(a, b []watchdog.Stuck) []watchdog.Stuck {
	type key struct {
		request, route string
		slot           int
	}
	keyOf := func(s watchdog.Stuck) key {
		if s.Request != "" {
			return key{request: s.Request, slot: s.Slot}
		}
		return key{route: s.Route, slot: s.Slot}
	}
	at := map[key]int{}
	var all []watchdog.Stuck
	for _, s := range slices.Concat(a, b) {
		i, again := at[keyOf(s)]
		if !again {
			at[keyOf(s)] = len(all)
			all = append(all, s)
			continue
		}
		old := all[i]
		s.Route = cmp.Or(s.Route, old.Route)
		s.Client = cmp.Or(s.Client, old.Client)
		s.Outcome = cmp.Or(s.Outcome, old.Outcome)
		s.AgeMS = max(s.AgeMS, old.AgeMS)
		all[i] = s
	}
	return all
}

func mergeEvidence(a, b watchdog.Evidence) watchdog.Evidence {
	if len(b.Threads) == 0 {
		b.Threads = a.Threads
	}
	if len(b.Locks) == 0 {
		b.Locks = a.Locks
	}
	if len(b.Stacks) == 0 {
		b.Stacks = a.Stacks
	}
	b.Dump = cmp.Or(b.Dump, a.Dump)
	b.Process = cmp.Or(b.Process, a.Process)
	return b
}

// mergeTimelines counts all moments from start.
func mergeTimelines(a, b watchdog.Incident, start time.Time) []watchdog.Moment {
	var all []watchdog.Moment
	for _, i := range []watchdog.Incident{a, b} {
		shift := int64(0)
		if !i.Time.IsZero() {
			shift = i.Time.Sub(start).Milliseconds()
		}
		for _, m := range i.Timeline {
			m.AfterMS += shift
			if !slices.Contains(all, m) {
				all = append(all, m)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b watchdog.Moment) int { return cmp.Compare(a.AfterMS, b.AfterMS) })
	return all
}
