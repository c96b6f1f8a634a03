package lock

import (
	"cmp"
	"slices"
	"sync"
	"time"
	"weak"

	"github.com/seadog/seadog/watchdog"
)

// mostDissolved is how many cycles a graph remembers after their end.
const mostDissolved = 16

// Graph is who holds and who waits, for all locks that can be part of one
// deadlock. It may be used by any number of goroutines.
type Graph struct {
	base time.Time
	idle sync.Pool // of waiters

	// mu is taken by whoever waits, stops waiting, or unlocks what somebody
	// waits for; not by others.
	mu        sync.Mutex
	tickets   uint64
	walks     uint64
	wanted    map[*Mutex]struct{} // that somebody waits for
	waits     map[*party]*waiter  // of holders with a name
	dissolved []Cycle             // the last at the end

	registry sync.Mutex
	mutexes  []weak.Pointer[Mutex]
	crowded  int // how many there may be before the dead are struck out
}

// New returns a graph without locks.
func New() *Graph {
	return &Graph{
		// Half a second that never was keeps 0 free for "not known".
		base:   time.Now().Add(-time.Second / 2),
		wanted: map[*Mutex]struct{}{},
		waits:  map[*party]*waiter{},
	}
}

// Mutex returns a new lock. The name is for people; a name given twice makes
// two locks. A lock that nobody refers to any more is forgotten.
func (g *Graph) Mutex(name string) *Mutex {
	m := &Mutex{graph: g, name: name}
	g.registry.Lock()
	defer g.registry.Unlock()
	if len(g.mutexes) >= g.crowded {
		g.mutexes = slices.DeleteFunc(g.mutexes, func(w weak.Pointer[Mutex]) bool { return w.Value() == nil })
		g.crowded = max(64, 2*len(g.mutexes))
	}
	g.mutexes = append(g.mutexes, weak.Make(m))
	return m
}

// Held is a lock that somebody has.
type Held struct {
	Lock    string
	Holder  Holder // zero if it has no name
	Since   time.Time
	Waiters int
}

// Held returns the locks that somebody has held for longer than that, the
// oldest first. The same Lock and Since mean the same act of locking.
func (g *Graph) Held(longer time.Duration) []Held {
	g.registry.Lock()
	mutexes := slices.Clone(g.mutexes)
	g.registry.Unlock()
	now := g.now()
	var held []Held
	for _, w := range mutexes {
		m := w.Value()
		if m == nil {
			continue
		}
		since := m.since.Load()
		owner := m.owner.Load()
		// The time belongs to the owner if it did not change around the look at him.
		if since == 0 || owner == nil || m.since.Load() != since || now-since <= int64(longer) {
			continue
		}
		held = append(held, Held{Lock: m.name, Holder: owner.holder, Since: g.base.Add(time.Duration(since)), Waiters: int(m.waiters.Load())})
	}
	slices.SortStableFunc(held, func(a, b Held) int { return a.Since.Compare(b.Since) })
	return held
}

// States returns the locks that somebody waits for, by name.
func (g *Graph) States() []watchdog.LockState {
	g.mu.Lock()
	defer g.mu.Unlock()
	proven := map[*Mutex]bool{}
	for _, c := range g.cycles() {
		for _, w := range c {
			proven[w.mutex] = true
		}
	}
	states := make([]watchdog.LockState, 0, len(g.wanted))
	for m := range g.wanted {
		s := watchdog.LockState{Name: m.name, Proven: proven[m]}
		if owner := m.owner.Load(); owner != nil {
			s.Holder = owner.holder.String()
		}
		for w := m.first; w != nil; w = w.next {
			s.Waiters = append(s.Waiters, w.party.holder.String())
		}
		states = append(states, s)
	}
	slices.SortFunc(states, func(a, b watchdog.LockState) int { return cmp.Compare(a.Name, b.Name) })
	return states
}
