package stackdump

import (
	"cmp"
	"slices"
	"strings"
)

// Group is the goroutines that are in the same state at the same place and
// were started at the same place.
type Group struct {
	State   string
	Where   Frame // see [Goroutine.Where]; its Arg is 0
	Creator Frame
	Runtime bool // the runtime's own: garbage collector, scheduler, finalizers
	Count   int
	Minutes int          // the longest wait that was shown; see [Goroutine.Minutes]
	Members []*Goroutine // in the order of the dump
}

// Groups returns the groups of d, the largest first.
func Groups(d *Dump) []Group {
	type key struct {
		state   string
		where   Frame
		creator Frame
	}
	index := map[key]int{}
	var groups []Group
	for i := range d.Goroutines {
		g := &d.Goroutines[i]
		k := key{g.State, g.Where(), g.Creator}
		k.where.Arg = 0
		at, ok := index[k]
		if !ok {
			at = len(groups)
			index[k] = at
			groups = append(groups, Group{State: k.state, Where: k.where, Creator: k.creator, Runtime: g.runtime()})
		}
		group := &groups[at]
		group.Count += g.Count
		group.Minutes = max(group.Minutes, g.Minutes)
		group.Members = append(group.Members, g)
	}
	slices.SortStableFunc(groups, func(a, b Group) int { return cmp.Compare(b.Count, a.Count) })
	return groups
}

// runtime reports whether the runtime started g for itself. Thread 0 idles
// under the number 0, which no profile gives a state.
func (g *Goroutine) runtime() bool {
	return strings.HasPrefix(g.Creator.Func, "runtime.") || g.ID == 0 && g.State != ""
}
