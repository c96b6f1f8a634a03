package deadlock

import (
	"fmt"
	"slices"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/stackdump"
)

// findings are what dumps say about requests that do not end.
type findings struct {
	locks  []watchdog.LockState
	stacks []watchdog.Stack
	// locked is a sentence about locks that explain it, doing one about where
	// the requests are; "" if there is none.
	locked string
	doing  string
}

// analyse judges dumps of one process. One is enough to say where requests
// are, three tell which locks stand still.
func analyse(dumps []*stackdump.Dump, who *people) findings {
	if len(dumps) == 0 {
		return findings{}
	}
	s := stall{locks: stackdump.Stalled(dumps...), who: who}
	circle := s.circle()
	var f findings
	f.locked = s.sentence(circle)
	f.doing = doings(who)
	for i := range s.locks {
		if len(f.locks) < mostLocks && (s.concerns(i) || slices.Contains(circle, i)) {
			f.locks = append(f.locks, s.state(i))
		}
	}
	f.stacks = s.stacks(circle)
	return f
}

// stall is the locks of package sync that nobody was seen to get.
type stall struct {
	locks []stackdump.Lock
	who   *people
}

// concerns reports whether a request that was given up waits for lock i. If
// none can be told from other goroutines, every lock may be the one.
func (s stall) concerns(i int) bool {
	return !s.who.found() || slices.ContainsFunc(s.locks[i].Waiters, s.who.offends)
}

// next follows lock i to another one for which somebody waits who may hold it.
func (s stall) next(i int) (lock int, holder *stackdump.Goroutine) {
	for _, c := range s.locks[i].Holders {
		for j := range s.locks {
			if j != i && slices.Contains(s.locks[j].Waiters, c.Goroutine) {
				return j, c.Goroutine
			}
		}
	}
	return -1, nil
}

// circle returns locks of which each may be held by somebody who waits for the
// next, and the last by one who waits for the first, if a request that was
// given up waits for one of them or behind it.
func (s stall) circle() []int {
	for start := range s.locks {
		if !s.concerns(start) {
			continue
		}
		var path []int
		for i := start; i >= 0; i, _ = s.next(i) {
			if at := slices.Index(path, i); at >= 0 {
				return path[at:]
			}
			path = append(path, i)
		}
	}
	return nil
}

// state is lock i for the record.
func (s stall) state(i int) watchdog.LockState {
	l := s.locks[i]
	state := watchdog.LockState{Name: lockName(l)}
	if len(l.Holders) > 0 {
		c := l.Holders[0]
		state.Holder = fmt.Sprintf("perhaps %s, which %s", s.who.name(c.Goroutine), c.Why)
	}
	for _, g := range l.Waiters {
		state.Waiters = append(state.Waiters, s.who.name(g)+" in "+place(g).String())
	}
	state.Waiters = cut(state.Waiters)
	return state
}

// stacks returns the interesting ones: of the requests, of those that stand
// in the circle, and of who may hold what the requests wait for.
func (s stall) stacks(circle []int) []watchdog.Stack {
	var stacks []watchdog.Stack
	seen := map[*stackdump.Goroutine]bool{}
	add := func(g *stackdump.Goroutine) {
		if g == nil || seen[g] || len(stacks) >= mostStacks {
			return
		}
		seen[g] = true
		stacks = append(stacks, s.stack(g))
	}
	for _, i := range circle {
		_, holder := s.next(i)
		add(holder)
	}
	for _, slot := range s.who.slots() {
		add(s.who.main(slot))
	}
	for i, l := range s.locks {
		if !s.concerns(i) || slices.Contains(circle, i) { // those who hold the circle's are known
			continue
		}
		for _, c := range l.Holders[:min(2, len(l.Holders))] {
			add(c.Goroutine)
		}
	}
	for _, slot := range s.who.slots() { // and what they started
		for _, g := range s.who.members[slot] {
			add(g)
		}
	}
	return stacks
}

func (s stall) stack(g *stackdump.Goroutine) watchdog.Stack {
	stack := watchdog.Stack{Goroutine: g.ID, State: g.State}
	if slot, ok := slotOf(g); ok {
		stack.Request, stack.Route = s.who.requests[slot].Request, s.who.requests[slot].Route
	}
	for _, f := range g.Frames[:min(len(g.Frames), mostFrames)] {
		stack.Frames = append(stack.Frames, f.String())
	}
	if g.Creator.Func != "" {
		stack.Frames = append(stack.Frames, "created by "+g.Creator.String())
	}
	return stack
}

// cut shortens a list for the record.
func cut(list []string) []string {
	if len(list) <= mostWaiters {
		return list
	}
	return append(slices.Clip(list[:mostWaiters]), fmt.Sprintf("and %d more", len(list)-mostWaiters))
}
