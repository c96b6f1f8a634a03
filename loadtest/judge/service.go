package judge

import (
	"time"

	"github.com/seadog/seadog/loadtest"
)

// absent is after how many intervals without a point a series is gone.
const absent = 3

// mostHoles are kept; a series with more has told enough.
const mostHoles = 100

// service is what one rule has of the service's series. Series that carry the
// same labels, as far as the rule names them, are added up.
type service struct {
	every   time.Duration
	holes   []stretch // in which there was no point
	last    time.Duration
	pending pending
}

// pending is the sum at one time, until all series have come.
type pending struct {
	at    time.Duration
	any   bool // something came
	plain bool // of the metric itself, not only of a histogram's parts
	value float64
	risen bool // there was a point before
	rise  float64
	since time.Duration
}

// gone is how long a stretch without a point may be.
func (s *service) gone() time.Duration { return absent * s.every }

// point gives r a change of one of its series.
func (s *service) point(r *rule, f feed, c change) {
	if s.pending.any && s.pending.at != c.At {
		s.flush(r)
	}
	p := &s.pending
	p.at, p.any = c.At, true
	if c.seen {
		p.risen = true
		p.since = max(p.since, c.since)
	}
	if f.part == plain {
		p.plain = true
		p.value += c.Value
		p.rise += f.rise(c)
		return
	}
	if t := r.gauge(c.At); t != nil && c.seen {
		t.part(f, f.rise(c))
	}
}

// flush counts what has come at one time.
func (s *service) flush(r *rule) {
	p := s.pending
	if !p.any {
		return
	}
	s.pending = pending{}
	if p.at-s.last > s.gone() && len(s.holes) < mostHoles {
		s.holes = append(s.holes, stretch{s.last, p.at})
	}
	s.last = p.at
	t := r.gauge(p.at)
	if t == nil {
		return
	}
	if p.risen {
		t.risen++
		t.rise += p.rise
		t.seconds += p.since.Seconds()
	}
	if p.plain {
		t.take(loadtest.Point{At: p.at, Value: p.value})
	}
}

// gauge returns the tally for a point at that time, nil if it does not count.
func (r *rule) gauge(at time.Duration) *gauge {
	in := r.scope.moment(stretch{at, at})
	if in == nil {
		return nil
	}
	t, _ := r.tally(in, at).(*gauge)
	return t
}

// missing returns the longest part of the scope up to end in which there was no
// point for too long, empty if there is none.
func (s *service) missing(in *scope, end time.Duration) stretch {
	longest := stretch{}
	holes := append([]stretch{{s.last, end}}, s.holes...)
	for _, hole := range holes {
		for _, part := range in.parts(hole) {
			if part.length() > max(s.gone(), longest.length()) {
				longest = part
			}
		}
	}
	return longest
}
