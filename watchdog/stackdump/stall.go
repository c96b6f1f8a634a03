package stackdump

import (
	"slices"
	"time"
)

// Samples are when the dumps that [Stalled] judges are to be taken, from the
// first one on.
func Samples() []time.Duration {
	return []time.Duration{0, 100 * time.Millisecond, 400 * time.Millisecond}
}

// Stalled returns the locks that do not move, as the last of three or more
// dumps of one process shows them: everyone who waited for them in the first
// dump waits for them in all others, at the same place. A lock that is only
// hot lets somebody go between two dumps, however many queue for it.
//
// It cannot tell a deadlock from a holder that is slow but alive. And chance can
// find the same goroutines waiting at a hot lock: of n that fight for it, in
// about one of n² triples of dumps; each dump more makes that n times rarer.
// So this explains why requests are late, and is no reason to call them so.
//
// Fewer than three dumps, or such without goroutine ids, prove nothing.
func Stalled(samples ...*Dump) []Lock {
	if len(samples) < 3 {
		return nil
	}
	moved := map[lockKey]bool{}
	var before []*Goroutine // the waiters of the first dump
	for i := range samples[0].Goroutines {
		g := &samples[0].Goroutines[i]
		w, ok := g.Wait()
		if !ok {
			continue
		}
		if g.ID == 0 {
			return nil
		}
		before = append(before, g)
		moved[w.key()] = false
	}
	for _, later := range samples[1:] {
		now := make(map[int64]*Goroutine, len(later.Goroutines))
		for i := range later.Goroutines {
			now[later.Goroutines[i].ID] = &later.Goroutines[i]
		}
		for _, g := range before {
			w, _ := g.Wait()
			moved[w.key()] = moved[w.key()] || !stays(g, now[g.ID])
		}
	}
	last := samples[len(samples)-1]
	var stalled []Lock
	for _, l := range wanted(last) {
		w, _ := l.Waiters[0].Wait()
		if left, known := moved[w.key()]; known && !left {
			l.Holders = holders(last, &l)
			stalled = append(stalled, l)
		}
	}
	return stalled
}

// stays reports whether g waits later as it did before.
func stays(before, later *Goroutine) bool {
	if later == nil {
		return false
	}
	w, _ := before.Wait()
	again, ok := later.Wait()
	return ok && w.key() == again.key() && slices.EqualFunc(before.Frames, later.Frames, func(a, b Frame) bool {
		return a.Func == b.Func && a.Line == b.Line
	})
}
