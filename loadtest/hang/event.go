package hang

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seadog/seadog/loadtest"
)

const (
	mostEvents   = 100
	mostEvidence = 10               // times that evidence is gathered in a run
	sharedFor    = 10 * time.Second // events that begin so soon after one another share it
)

// event is one stretch in which a rule saw the service stuck.
type event struct {
	report   loadtest.HangReport
	evidence *evidence // nil: none was gathered
	open     bool
}

// shown is the event as the report has it.
func (e *event) shown() loadtest.HangReport {
	r := e.report
	if e.evidence == nil {
		return r
	}
	files, notes, deadlock := e.evidence.told()
	r.Evidence, r.Deadlock = files, deadlock
	if len(notes) > 0 {
		r.Text += "; " + strings.Join(notes, "; ")
	}
	return r
}

// events are those of a run. One goroutine adds to them, others look.
type events struct {
	mu      sync.Mutex
	list    []*event
	dropped int
}

// current returns the event of a rule that is not over; nil if there is none.
func (e *events) current(rule string) *event {
	for _, ev := range slices.Backward(e.list) {
		if ev.report.Rule == rule {
			if ev.open {
				return ev
			}
			return nil
		}
	}
	return nil
}

// note takes a finding, and returns the event if one begins.
func (e *events) note(rule string, f finding, at time.Duration) *event {
	e.mu.Lock()
	defer e.mu.Unlock()
	ev := e.current(rule)
	switch {
	case f.mood == stuck && ev != nil:
		ev.report.Text = f.text
		ev.report.For = at - ev.report.At
	case f.mood == stuck && len(e.list) == mostEvents:
		e.dropped++
	case f.mood == stuck:
		ev = &event{open: true, report: loadtest.HangReport{Rule: rule, Text: f.text, At: f.since, For: at - f.since}}
		e.list = append(e.list, ev)
		return ev
	case f.mood == calm && ev != nil:
		ev.open = false
	}
	return nil
}

func (e *events) shown() []loadtest.HangReport {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make([]loadtest.HangReport, len(e.list))
	for i, ev := range e.list {
		out[i] = ev.shown()
	}
	return out
}
