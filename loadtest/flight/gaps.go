package flight

import (
	"math"
	"slices"
	"time"
)

// Shortest is the shortest gap that is looked at. Gaps are about a service that
// stands still, and there cannot be many that long.
const Shortest = 10 * time.Millisecond

// Gap is a stretch in which something was outstanding all the time, and nothing
// completed.
type Gap struct {
	From, To time.Duration
	Ended    bool // false: it went on at To
}

// Gaps finds gaps. A request that was given up is no completion: its end says
// nothing about the service. The zero value is ready; it is not safe for
// concurrent use.
type Gaps struct {
	// quiet are the stretches without a completion that are long enough to hold
	// a gap, in order. The last one begins at the last completion and has no
	// end yet.
	quiet []silence
}

type silence struct {
	from, to time.Duration
	under    []span // in which something was outstanding: in order, apart
}

type span struct{ from, to time.Duration }

const never = time.Duration(math.MaxInt64)

// Take adds a request that was sent and has ended. It expects them in about the
// order of their ends; one that comes late is put where it belongs.
func (g *Gaps) Take(sent, done time.Duration, completed bool) {
	if len(g.quiet) == 0 {
		g.quiet = append(g.quiet, silence{to: never})
	}
	if completed {
		g.complete(done)
	}
	for i := len(g.quiet) - 1; i >= 0 && g.quiet[i].to > sent; i-- {
		s := &g.quiet[i]
		s.cover(span{max(sent, s.from), min(done, s.to)})
	}
}

// complete divides the silence at which lies in.
func (g *Gaps) complete(at time.Duration) {
	i := len(g.quiet) - 1
	for i >= 0 && g.quiet[i].from >= at {
		i--
	}
	if i < 0 || g.quiet[i].to <= at {
		return
	}
	s := &g.quiet[i]
	if at-s.from < Shortest && (len(s.under) == 0 || s.under[len(s.under)-1].to <= at) {
		s.from, s.under = at, s.under[:0] // the usual case: nothing to keep
		return
	}
	right := silence{from: at, to: s.to, under: g.spare()}
	for _, u := range s.under {
		right.cover(span{max(u.from, at), u.to})
	}
	s.to = at
	s.clip()
	g.quiet = slices.Insert(g.quiet, i+1, right)
	for _, k := range []int{i + 1, i} {
		if q := &g.quiet[k]; q.to != never && q.to-q.from < Shortest {
			g.quiet = slices.Delete(g.quiet, k, k+1)
		}
	}
}

// spare returns room for spans that a settled silence left behind.
func (g *Gaps) spare() []span {
	if n := len(g.quiet); cap(g.quiet) > n {
		return g.quiet[:n+1][n].under[:0]
	}
	return nil
}

// clip cuts what was outstanding after the end of s.
func (s *silence) clip() {
	for len(s.under) > 0 {
		last := &s.under[len(s.under)-1]
		if last.from < s.to {
			last.to = min(last.to, s.to)
			return
		}
		s.under = s.under[:len(s.under)-1]
	}
}

// cover adds u, and joins what touches.
func (s *silence) cover(u span) {
	if u.from >= u.to {
		return
	}
	first := len(s.under)
	for first > 0 && s.under[first-1].to >= u.from {
		first--
	}
	last := first
	for last < len(s.under) && s.under[last].from <= u.to {
		u.from, u.to = min(u.from, s.under[last].from), max(u.to, s.under[last].to)
		last++
	}
	s.under = slices.Replace(s.under, first, last, u)
}

// Settle calls each with the gaps that ended or went on since the time of the
// last call and up to until, in order. All that was under way before until must
// have been taken.
func (g *Gaps) Settle(until time.Duration, each func(Gap)) {
	kept := 0
	for i := range g.quiet {
		s := &g.quiet[i]
		open := 0
		for _, u := range s.under {
			if gap := (Gap{u.from, min(u.to, until), u.to <= until}); gap.To-gap.From >= Shortest {
				each(gap)
			}
			if u.to > until {
				s.under[open] = u
				open++
			}
		}
		s.under = s.under[:open]
		if s.to > until {
			g.quiet[i], g.quiet[kept] = g.quiet[kept], g.quiet[i]
			kept++
		}
	}
	g.quiet = g.quiet[:kept]
}

// Open returns how long the gap is that goes on now, when the oldest request
// that is under way was sent at oldest; 0 if that is 0: nothing is.
func (g *Gaps) Open(now, oldest time.Duration) time.Duration {
	if oldest <= 0 {
		return 0
	}
	since := oldest
	if n := len(g.quiet); n > 0 {
		s := &g.quiet[n-1]
		since = max(since, s.from)
		for _, u := range slices.Backward(s.under) {
			if u.from < since && since <= u.to {
				since = u.from
			}
		}
	}
	return max(0, now-since)
}
