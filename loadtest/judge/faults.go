package judge

import (
	"math"
	"slices"
	"time"
)

// never is the end of what goes on.
const never = time.Duration(math.MaxInt64)

// stretch is a part of the run.
type stretch struct{ from, to time.Duration }

func (s stretch) length() time.Duration { return max(0, s.to-s.from) }

// within returns the part of s that lies in o; it may be empty.
func (s stretch) within(o stretch) stretch { return stretch{max(s.from, o.from), min(s.to, o.to)} }

// fault is one time that a fault lasted. A kill begins and ends at once.
type fault struct {
	stretch
	name string
}

// faults are all that there have been, in order of their beginnings.
type faults struct {
	over    []*fault // have ended
	longest time.Duration
	open    []*fault
}

func (f *faults) began(name string, at time.Duration) {
	f.ended(name, at) // it cannot last twice at once
	f.open = append(f.open, &fault{stretch{at, never}, name})
}

// ended returns the fault that ended, nil if none of that name lasted.
func (f *faults) ended(name string, at time.Duration) *fault {
	i := slices.IndexFunc(f.open, func(o *fault) bool { return o.name == name })
	if i < 0 {
		return nil
	}
	o := f.open[i]
	f.open = slices.Delete(f.open, i, i+1)
	o.to = max(at, o.from)
	f.longest = max(f.longest, o.length())
	k := len(f.over)
	for k > 0 && f.over[k-1].from > o.from {
		k--
	}
	f.over = slices.Insert(f.over, k, o)
	return o
}

// overlapping returns the latest fault of that name that lasted at a moment
// from s.from to s.to, both included; nil if there is none. "" is any name.
func (f *faults) overlapping(name string, s stretch) *fault {
	for _, o := range slices.Backward(f.open) {
		if o.from <= s.to && (name == "" || o.name == name) {
			return o
		}
	}
	for _, o := range slices.Backward(f.over) {
		if o.from+f.longest < s.from {
			return nil
		}
		if o.from <= s.to && o.to >= s.from && (name == "" || o.name == name) {
			return o
		}
	}
	return nil
}

// all returns every fault of that name that overlaps s, in order of their
// beginnings.
func (f *faults) all(name string, s stretch) []*fault {
	var out []*fault
	for _, list := range [][]*fault{f.over, f.open} {
		for _, o := range list {
			if o.from <= s.to && o.to >= s.from && (name == "" || o.name == name) {
				out = append(out, o)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b *fault) int { return int(a.from - b.from) })
	return out
}
