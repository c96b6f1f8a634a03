package stackdump

import (
	"cmp"
	"slices"
	"strings"
)

const (
	mostCandidates = 5
	locksSearched  = 20 // holders are looked for of the most wanted locks only
)

// Lock is a lock that goroutines wait for.
type Lock struct {
	Kind Kind
	// Addr is 0 if the dump does not show it: then Waiters are those that wait
	// at one place, maybe for several locks.
	Addr    Addr
	Count   int          // of goroutines that wait
	Waiters []*Goroutine // their Labels tell for which request they wait
	// Holders are who may hold it, the likeliest first. Go does not record who
	// holds a lock: this is a guess from what else they do.
	Holders []Candidate
}

// Candidate is a goroutine that may hold a lock.
type Candidate struct {
	Goroutine *Goroutine
	Why       string
	score     int
}

// lockKey tells locks apart as well as the dump allows.
type lockKey struct {
	addr Addr
	kind Kind // these two only where the address is unknown
	at   Frame
}

func (w Wait) key() lockKey {
	if w.Lock != 0 {
		return lockKey{addr: w.Lock}
	}
	at := w.At
	at.Arg = 0
	return lockKey{kind: w.Kind, at: at}
}

// Locks returns the locks that somebody in d waits for, the most wanted first.
func Locks(d *Dump) []Lock {
	locks := wanted(d)
	for i := range min(len(locks), locksSearched) {
		locks[i].Holders = holders(d, &locks[i])
	}
	return locks
}

func wanted(d *Dump) []Lock {
	index := map[lockKey]int{}
	var locks []Lock
	for i := range d.Goroutines {
		g := &d.Goroutines[i]
		w, ok := g.Wait()
		if !ok {
			continue
		}
		at, ok := index[w.key()]
		if !ok {
			at = len(locks)
			index[w.key()] = at
			locks = append(locks, Lock{Kind: w.Kind, Addr: w.Lock})
		}
		l := &locks[at]
		if w.Kind == RWMutex {
			l.Kind = RWMutex // a writer behind a writer looks like a waiter for a mutex
		}
		l.Count += g.Count
		l.Waiters = append(l.Waiters, g)
	}
	slices.SortStableFunc(locks, func(a, b Lock) int { return cmp.Compare(b.Count, a.Count) })
	return locks
}

// holders guesses who holds l: whoever is inside the function, the type or
// the package that its waiters call Lock from, above all who itself waits for
// another lock.
func holders(d *Dump, l *Lock) []Candidate {
	functions, types, packages := map[string]bool{}, map[string]bool{}, map[string]bool{}
	waiting := map[*Goroutine]bool{}
	for _, g := range l.Waiters {
		waiting[g] = true
		name := g.Where().Func
		if name == "" || standard(name) {
			continue
		}
		functions[name] = true
		packages[Package(name)] = true
		if t := receiver(name); t != "" {
			types[t] = true
		}
	}
	var found []Candidate
	for i := range d.Goroutines {
		g := &d.Goroutines[i]
		if waiting[g] {
			continue
		}
		c := Candidate{Goroutine: g}
		for _, f := range g.Frames {
			switch {
			case c.score < 6 && functions[f.Func]:
				c.score, c.Why = 6, "is in the same function"
			case c.score < 4 && types[receiver(f.Func)]:
				c.score, c.Why = 4, "is in a method of the same type"
			case c.score < 2 && packages[Package(f.Func)]:
				c.score, c.Why = 2, "is in the same package"
			}
		}
		if c.score == 0 {
			continue
		}
		if w, ok := g.Wait(); ok {
			c.score += 3 // who waits while it holds is what makes a deadlock
			c.Why += " and waits for " + w.name()
		}
		found = append(found, c)
	}
	slices.SortStableFunc(found, func(a, b Candidate) int { return cmp.Compare(b.score, a.score) })
	return slices.Clip(found[:min(len(found), mostCandidates)])
}

func (w Wait) name() string {
	if w.Lock == 0 {
		return "another " + string(w.Kind)
	}
	return string(w.Kind) + " " + w.Lock.String()
}

// receiver returns "pkg.(*T)" of a method with a pointer receiver, and "" of
// anything else: "pkg.T.M" cannot be told from a closure.
func receiver(name string) string {
	if i := strings.Index(name, ".(*"); i >= 0 {
		if end := strings.IndexByte(name[i:], ')'); end >= 0 {
			return name[:i+end+1]
		}
	}
	return ""
}
