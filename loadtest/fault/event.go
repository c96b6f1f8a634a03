package fault

import (
	"fmt"
	"time"

	"github.com/seadog/seadog/loadtest"
)

// Change is what an event is about.
type Change int

const (
	Began Change = iota
	Ended
	Failed // it could not begin, and nothing is changed
)

func (c Change) String() string {
	switch c {
	case Began:
		return "began"
	case Ended:
		return "ended"
	}
	return "failed"
}

// Event is the beginning or the end of a fault.
type Event struct {
	Fault   string // its name
	What    string // as [Describe] says it
	Change  Change
	At      time.Duration // since the start of the run: before the first effect, after the last
	Err     error         // why it failed; of Ended: it could not be undone
	Effects map[string]uint64
}

// record is what is known about one occurrence.
type record struct {
	name, what string
	begin, end time.Duration
	done, undo error
	effects    map[string]uint64
}

func (r record) report() loadtest.FaultReport {
	f := loadtest.FaultReport{Name: r.name, What: r.what, Begin: r.begin, End: r.end, Effects: r.effects}
	switch {
	case r.done != nil:
		f.Error = "could not be done: " + r.done.Error()
	case r.undo != nil:
		f.Error = "could not be undone: " + r.undo.Error()
	}
	return f
}

// reason is what a fault says against the run. One that was not done makes it
// [loadtest.Invalid]: it did not test what the scenario says, and nothing is
// known to be wrong with the service. One that could not be undone makes it
// [loadtest.Internal]: what came after it was measured under a disturbance that
// nobody ordered, and somebody must look after this machine.
func (r record) reason() (loadtest.Reason, bool) {
	switch {
	case r.done != nil:
		return loadtest.Reason{
			Verdict: loadtest.Invalid, At: r.begin,
			Text: fmt.Sprintf("fault %s could not be done, so the run did not test what it should: %v", r.name, r.done),
		}, true
	case r.undo != nil:
		return loadtest.Reason{
			Verdict: loadtest.Internal, At: r.end,
			Text: fmt.Sprintf("fault %s could not be undone, so nothing after it is to be trusted: %v", r.name, r.undo),
		}, true
	}
	return loadtest.Reason{}, false
}
