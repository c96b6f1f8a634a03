package watchdog

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// recycle picks the one worker that is to be replaced although nothing in it
// is stuck: the gravest reason first, and of equals the oldest.
func (s Sight) recycle() []Ruling {
	if s.Recycling {
		return nil
	}
	gravity := []Reason{MemoryHard, Memory, Goroutines, Descriptors, Lifetime, Requests}
	type candidate struct {
		ruling Ruling
		rank   int
		age    time.Duration
	}
	var found []candidate
	for _, w := range s.Workers {
		if w.State != Ready || w.Ruled != None {
			continue
		}
		if reason, why := s.spent(w); reason != None && s.othersAccept(w) {
			found = append(found, candidate{w.ruling(reason, nil, why), slices.Index(gravity, reason), w.Age})
		}
	}
	if len(found) == 0 {
		return nil
	}
	first := slices.MinFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(b.age, a.age), cmp.Compare(a.ruling.ID.Index, b.ruling.ID.Index))
	})
	return []Ruling{first.ruling}
}

// othersAccept reports whether every place but that of w is filled by a worker
// that takes connections.
func (s Sight) othersAccept(w Seen) bool {
	filled := map[ID]bool{}
	for _, o := range s.Workers {
		if o.ID != w.ID && s.healthy(o) {
			filled[o.ID] = true
		}
	}
	return len(filled) >= s.Places-1
}

// spent says which limit w has exceeded, the gravest one.
func (s Sight) spent(w Seen) (reason Reason, why string) {
	r := s.Policy.Recycle
	if r.MemoryHard > 0 && w.RSS > r.MemoryHard {
		return MemoryHard, fmt.Sprintf("%d MiB of memory, the hard limit is %d MiB", w.RSS>>20, r.MemoryHard>>20)
	}
	if w.Age < r.MinLifetime {
		return None, "" // or a limit that is too low would have workers replaced all the time
	}
	spread := 1 + max(0, r.Jitter)*w.Jitter
	lifetime, requests := scale(r.Lifetime, spread), uint64(float64(r.Requests)*spread)
	switch {
	case r.Memory > 0 && w.Heavy >= 2:
		return Memory, fmt.Sprintf("more than %d MiB of memory, %d times in a row", r.Memory>>20, w.Heavy)
	case r.Goroutines > 0 && w.Goroutines > r.Goroutines:
		return Goroutines, fmt.Sprintf("%d goroutines, the limit is %d", w.Goroutines, r.Goroutines)
	case r.Descriptors > 0 && w.Descriptors > r.Descriptors:
		return Descriptors, fmt.Sprintf("%d descriptors, the limit is %d", w.Descriptors, r.Descriptors)
	case r.Lifetime > 0 && w.Age > lifetime:
		return Lifetime, fmt.Sprintf("%s old, its limit is %s", round(w.Age), round(lifetime))
	case r.Requests > 0 && w.Requests >= requests:
		return Requests, fmt.Sprintf("%d requests, its limit is %d", w.Requests, requests)
	}
	return None, ""
}
