package deadlock

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/lock"
)

// Bounds of what one incident says.
const (
	mostStuck   = 100
	mostLocks   = 10
	mostWaiters = 20
	mostStacks  = 20
	mostFrames  = 40
	mostFolded  = 20
	mostMoments = 100
)

// inquiry is an incident that is being looked into.
type inquiry struct {
	id    string
	at    time.Time // of its first kill
	last  time.Time // when the last was told, by this process's clock
	kills []watchdog.Kill
	more  int // kills beyond

	folded     []string // ids of incidents that had to join it
	foldedMore int

	// ungiven says that nobody was given up yet: kills are those who wait.
	ungiven  bool
	looked   bool
	recorded bool
	changed  bool // since then
	// computes says that stacks were not taken because a thread computed.
	computes bool
	// earlier is the incident whose stacks have to do; "" if this has its own or needs none.
	earlier  string
	evidence *evidence
	findings findings
	cycles   []lock.Cycle // proven deadlocks, those that have dissolved as well
	timeline []watchdog.Moment
}

func newInquiry(id string, at time.Time) *inquiry {
	return &inquiry{id: id, at: at, last: time.Now()}
}

func (q *inquiry) add(k watchdog.Kill) {
	q.last, q.changed = time.Now(), true
	if len(q.kills) == mostStuck {
		q.more++
		return
	}
	q.kills = append(q.kills, k)
	if k.At.Before(q.at) {
		q.shift(k.At)
	}
}

// fold adds a kill of another incident, for which there was no room.
func (q *inquiry) fold(k watchdog.Kill) {
	q.add(k)
	switch {
	case slices.Contains(q.folded, k.Incident):
	case len(q.folded) < mostFolded:
		q.folded = append(q.folded, k.Incident)
	default:
		q.foldedMore++
	}
}

// shift moves the inquiry's time back; its moments stay when they were.
func (q *inquiry) shift(to time.Time) {
	for i := range q.timeline {
		q.timeline[i].AfterMS += q.at.Sub(to).Milliseconds()
	}
	q.at = to
}

func (q *inquiry) note(format string, args ...any) {
	if len(q.timeline) < mostMoments {
		q.timeline = append(q.timeline, watchdog.Moment{AfterMS: time.Since(q.at).Milliseconds(), What: fmt.Sprintf(format, args...)})
	}
}

// keep adds cycles that are not known yet, and brings those up to date that
// have dissolved since.
func (q *inquiry) keep(cycles ...lock.Cycle) {
	for _, c := range cycles {
		i := slices.IndexFunc(q.cycles, func(known lock.Cycle) bool { return known.ID == c.ID })
		switch {
		case i < 0:
			q.cycles = append(q.cycles, c)
		case !q.cycles[i].Ending:
			q.cycles[i] = c
		}
	}
}

// concerns reports whether one of the given up requests is in the cycle.
func (q *inquiry) concerns(c lock.Cycle) bool {
	return slices.ContainsFunc(c.Steps, func(s lock.Step) bool {
		return slices.ContainsFunc(q.kills, func(k watchdog.Kill) bool {
			if s.Holder.Request != "" {
				return s.Holder.Request == k.Request
			}
			return s.Holder.Generation != 0 && s.Holder.Slot == k.Slot && s.Holder.Generation == k.Generation
		})
	})
}

func (q *inquiry) stuck() []watchdog.Stuck {
	stuck := make([]watchdog.Stuck, 0, len(q.kills))
	for _, k := range q.kills {
		outcome := k.Outcome
		if outcome == "504" {
			outcome = "504 from the worker"
		}
		stuck = append(stuck, watchdog.Stuck{
			Request: k.Request, Route: k.Route, Client: k.Client, Slot: k.Slot, AgeMS: k.Age.Milliseconds(), Outcome: outcome,
		})
	}
	return stuck
}

// moments is the timeline with what is only known in the end.
func (q *inquiry) moments() []watchdog.Moment {
	all := slices.Clone(q.timeline)
	after := q.last.Sub(q.at).Milliseconds()
	if q.more > 0 {
		all = append(all, watchdog.Moment{AfterMS: after, What: fmt.Sprintf("%d more requests were given up", q.more)})
	}
	if len(q.folded) > 0 {
		ids := strings.Join(q.folded, ", ")
		if q.foldedMore > 0 {
			ids += fmt.Sprintf(" and %d more", q.foldedMore)
		}
		all = append(all, watchdog.Moment{AfterMS: after, What: "too many incidents at once: requests of " + ids + " are counted here"})
	}
	return all
}
