package judge

import (
	"time"

	"github.com/seadog/seadog/loadtest"
)

// scope is the part of a run that a threshold is about.
type scope struct {
	phases  []*stretch // by index; nil: not this one
	joined  []stretch  // the same, as one where they touch
	after   *stretch   // instead of phases, for a recovery: from the end of a fault on
	inFault string     // instead of phases: while it lasts
	outside bool       // of the phases, only what no fault overlaps
	faults  *faults
}

func scopeOf(s *loadtest.Scenario, t *loadtest.Threshold, f *faults) scope {
	out := scope{inFault: t.InFault, outside: t.Outside, faults: f, phases: make([]*stretch, len(s.Phases))}
	for i, p := range s.Phases {
		if p.Name != t.Phase && (t.Phase != "" || !p.Judged) {
			continue
		}
		phase := stretch{s.Begins(i), s.Begins(i) + p.For}
		out.phases[i] = &phase
		if n := len(out.joined); n > 0 && out.joined[n-1].to == phase.from {
			out.joined[n-1].to = phase.to
		} else {
			out.joined = append(out.joined, phase)
		}
	}
	return out
}

// sample returns the phase or fault in which a sample counts, nil if it does not.
func (s *scope) sample(x *loadtest.Sample) *stretch {
	lasted := stretch{x.Due, x.Done}
	switch {
	case s.after != nil:
		if x.Due < s.after.from {
			return nil
		}
		return s.after
	case s.inFault != "":
		if f := s.faults.overlapping(s.inFault, lasted); f != nil {
			return &f.stretch
		}
		return nil
	case x.Phase < 0 || x.Phase >= len(s.phases) || s.phases[x.Phase] == nil:
		return nil
	case s.outside && s.faults.overlapping("", lasted) != nil:
		return nil
	}
	return s.phases[x.Phase]
}

// moment returns the phase or fault that the beginning of a short stretch lies
// in, nil if that does not count.
func (s *scope) moment(m stretch) *stretch {
	if s.outside && s.after == nil && s.faults.overlapping("", m) != nil {
		return nil
	}
	for _, p := range s.stretches(stretch{m.from, m.from + 1}) {
		return p
	}
	return nil
}

// stretches returns the phases, or times of the fault, that overlap w.
func (s *scope) stretches(w stretch) []*stretch {
	var out []*stretch
	switch {
	case s.after != nil:
		if s.after.from < w.to {
			out = append(out, s.after)
		}
	case s.inFault != "":
		for _, f := range s.faults.all(s.inFault, w) {
			out = append(out, &f.stretch)
		}
	default:
		for _, p := range s.phases {
			if p != nil && p.from < w.to && p.to > w.from {
				out = append(out, p)
			}
		}
	}
	return out
}

// parts returns what of w is in scope.
func (s *scope) parts(w stretch) []stretch {
	var out []stretch
	add := func(p stretch) {
		if p = p.within(w); p.from < p.to {
			out = append(out, p)
		}
	}
	switch {
	case s.after != nil:
		add(*s.after)
	case s.inFault != "":
		for _, f := range s.faults.all(s.inFault, w) {
			add(f.stretch)
		}
	default:
		for _, p := range s.joined {
			add(p)
		}
	}
	if s.outside && s.after == nil {
		for _, f := range s.faults.all("", w) {
			out = without(out, f.stretch)
		}
	}
	return out
}

// without cuts hole out of parts.
func without(parts []stretch, hole stretch) []stretch {
	var out []stretch
	for _, p := range parts {
		if hole.from > p.to || hole.to < p.from {
			out = append(out, p)
			continue
		}
		for _, rest := range []stretch{{p.from, min(p.to, hole.from)}, {max(p.from, hole.to), p.to}} {
			if rest.from < rest.to {
				out = append(out, rest)
			}
		}
	}
	return out
}

// length returns how much of the run up to end is in scope.
func (s *scope) length(end time.Duration) time.Duration {
	sum := time.Duration(0)
	for _, p := range s.parts(stretch{0, end}) {
		sum += p.length()
	}
	return sum
}
