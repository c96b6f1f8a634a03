package judge

import (
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/flight"
)

const (
	// recovering is the length of a window in which all thresholds with "over" are to hold.
	recovering = time.Second
	// holding is how many of them in a row make a recovery.
	holding = 5
)

// Recovery is how a service came back after a fault.
type Recovery struct {
	Fault string
	Ended time.Duration // the fault
	Known bool          // it came back
	// Took is how long that took from the end of the fault; if it is not known, how long it did
	// not come back, for certain.
	Took time.Duration
}

// recovery waits until the service is back to what the thresholds want.
type recovery struct {
	fault *fault
	until time.Duration // the same fault began again, or the run ended
	rules []*rule       // copies, whose windows begin with the end of the fault
	of    []*rule       // what they are copies of
	cells map[int]*cell // windows that are not looked at yet
	next  int           // the first of them
	good  int           // in a row, before next
	bad   int           // one after the last that was bad
	over  bool          // nothing is waited for any more
}

// cell is one window, over all thresholds.
type cell struct{ good, bad bool }

func newRecovery(f *fault, j *Judge) *recovery {
	r := &recovery{fault: f, until: never, of: j.over, cells: map[int]*cell{}}
	after := &stretch{f.to, never}
	for _, from := range j.over {
		r.rules = append(r.rules, from.after(after, j, func(w *window, s state) {
			i := int((w.from - f.to) / recovering)
			if r.cells[i] == nil {
				r.cells[i] = &cell{}
			}
			r.cells[i].good = r.cells[i].good || s == good
			r.cells[i].bad = r.cells[i].bad || s == bad
		}))
	}
	return r
}

// after returns a copy of r that looks at what comes after a fault, wherever the scope
// of r is.
func (r *rule) after(in *stretch, j *Judge, closed func(*window, state)) *rule {
	t := *r.t
	t.Over = recovering
	out := &rule{
		t: &t, kind: r.kind, traffic: r.traffic, sent: r.sent, filter: r.filter,
		scope: scope{after: in, faults: j.faults},
	}
	out.windows = newWindows(&t, out.fresh)
	out.windows.any, out.windows.closed = true, closed
	switch r.kind {
	case byFlight:
		out.flights = &flights{settled: j.line, ended: never}
		if r.flights.level != nil {
			out.flights.level = flight.NewLevel(j.horizon)
			out.flights.level.Settle(j.line)
		}
	case byService:
		out.service = &service{every: j.every}
	}
	return out
}

func (r *recovery) take(s *loadtest.Sample) {
	for _, x := range r.rules {
		x.take(s)
	}
}

func (r *recovery) point(f feed, c change) {
	for i, from := range r.of {
		if from == f.rule {
			r.rules[i].service.point(r.rules[i], f, c)
		}
	}
}

// advance looks at the windows that have ended at line.
func (r *recovery) advance(line time.Duration) {
	for _, x := range r.rules {
		x.advance(line)
	}
	for {
		end := r.fault.to + time.Duration(r.next+1)*recovering
		if end > r.until || r.good == holding {
			r.over = true
			return
		}
		if end > line {
			return
		}
		c := r.cells[r.next]
		delete(r.cells, r.next)
		r.next++
		switch {
		case c == nil:
		case c.bad:
			r.good, r.bad = 0, r.next
		case c.good:
			r.good++
		}
	}
}

// outcome returns what became of it. What was not seen since the last bad window is
// good, if the windows that were seen then are.
func (r *recovery) outcome() Recovery {
	return Recovery{
		Fault: r.fault.name, Ended: r.fault.to, Known: r.good == holding,
		Took: time.Duration(r.bad) * recovering,
	}
}
