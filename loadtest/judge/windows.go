package judge

import (
	"slices"
	"time"

	"github.com/seadog/seadog/loadtest"
)

// nearly is the share of the samples that a quantile needs with which a window
// is judged: with random arrivals every second one is short by a few.
const nearly = 0.8

// state is what became of a window.
type state int

const (
	empty    state = iota // nothing was due in it
	excluded              // a fault overlapped it
	thin                  // too few samples
	good
	bad
)

// window is one that is open.
type window struct {
	in   *stretch // the phase or fault
	from time.Duration
	seen tally
}

// windows are those of one threshold.
type windows struct {
	t     *loadtest.Threshold
	fresh func() tally
	open  []*window // in order of their beginnings
	spare []*window
	line  time.Duration // what ended before it is closed
	ended time.Duration // of the run; never while it goes on
	any   bool          // the fewest samples will do

	closed func(*window, state) // told of each that is closed; may be nil

	judged, failing, thin, late uint64
	streak                      int // failing ones in a row
	worst                       reading
	worstAt                     time.Duration
}

func newWindows(t *loadtest.Threshold, fresh func() tally) *windows {
	return &windows{t: t, fresh: fresh, ended: never}
}

// begin returns when the window of in begins that t lies in.
func (w *windows) begin(in *stretch, t time.Duration) time.Duration {
	return in.from + max(0, t-in.from)/w.t.Over*w.t.Over
}

// end returns when it ends.
func (w *windows) end(in *stretch, t time.Duration) time.Duration {
	return min(w.begin(in, t)+w.t.Over, in.to, w.ended)
}

// at returns the tally of the window of in that t lies in, nil if it is closed.
func (w *windows) at(in *stretch, t time.Duration) tally {
	from := w.begin(in, t)
	i := len(w.open)
	for ; i > 0 && w.open[i-1].from >= from; i-- {
		if w.open[i-1].from == from && w.open[i-1].in == in {
			return w.open[i-1].seen
		}
	}
	if w.end(in, t) <= w.line {
		w.late++
		return nil
	}
	var fresh *window
	if n := len(w.spare); n > 0 {
		fresh = w.spare[n-1]
		w.spare = w.spare[:n-1]
		fresh.seen.reset()
	} else {
		fresh = &window{seen: w.fresh()}
	}
	fresh.in, fresh.from = in, from
	w.open = slices.Insert(w.open, i, fresh)
	return fresh.seen
}

// close closes the windows that have ended at line. No fault can begin in them any more.
func (w *windows) close(line time.Duration, s *scope) {
	w.line = max(w.line, line)
	kept := w.open[:0]
	for _, x := range w.open {
		if w.end(x.in, x.from) > w.line {
			kept = append(kept, x)
			continue
		}
		w.decide(x, s)
		w.spare = append(w.spare, x)
	}
	clear(w.open[len(kept):])
	w.open = kept
}

func (w *windows) decide(x *window, s *scope) {
	span := stretch{x.from, w.end(x.in, x.from)}
	r := x.seen.read(w.t, span.length().Seconds())
	what := w.judge(span, r, s)
	switch what {
	case thin:
		w.thin++
	case good, bad:
		w.judged++
		if what == bad {
			w.failing++
			w.streak++
		} else {
			w.streak = 0
		}
		if r.worse(w.worst, w.t) {
			w.worst, w.worstAt = r, x.from
		}
	}
	if w.closed != nil {
		w.closed(x, what)
	}
}

// judge says what became of a window.
func (w *windows) judge(span stretch, r reading, s *scope) state {
	needs, part := float64(w.t.Needs())*nearly, span.length() < w.t.Over
	if part {
		needs = float64(w.t.Needs())
	}
	if w.any {
		needs = 0
	}
	switch {
	case s.outside && s.after == nil && s.faults.overlapping("", stretch{span.from, span.to - 1}) != nil:
		return excluded
	case !r.known:
		return empty
	case float64(r.n) < needs:
		return thin
	case part && w.t.Aggregate == loadtest.Count && w.t.Compare != loadtest.Less && w.t.Compare != loadtest.LessEqual:
		return thin // it could not count up to that in its time
	case r.holds(w.t):
		return good
	}
	return bad
}
