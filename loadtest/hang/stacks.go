package hang

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Stack is one goroutine of a dump.
type Stack struct {
	ID     int64
	State  string   // as the runtime says: "sync.Mutex.Lock", "chan receive", "select"
	Frames []string // innermost first: "example.com/shop.(*Cart).Add (cart.go:88)"
}

const (
	topFrames  = 8 // that must be the same
	fewestMany = 2 // goroutines that make a deadlock
	mostPlaces = 4 // that are named
)

// suspect says whether two dumps of one process look like a deadlock: the same
// goroutines at the same places, waiting for locks, or for each other on
// channels. atRest is a dump from before the load: who waited on a channel then
// waits for work. "" means that nothing is suspicious.
//
// It cannot tell a deadlock from a holder that is slow: it speaks of suspicion.
func suspect(first, second, atRest []Stack, apart time.Duration) string {
	before := make(map[int64]*Stack, len(first))
	for i := range first {
		before[first[i].ID] = &first[i]
	}
	idle := make(map[int64]bool, len(atRest))
	for _, s := range atRest {
		idle[s.ID] = true
	}
	var locks, channels []Stack
	for _, s := range second {
		earlier := before[s.ID]
		if s.ID == 0 || earlier == nil || earlier.State != s.State || !slices.Equal(top(earlier), top(&s)) {
			continue
		}
		switch {
		case forLock(s.State):
			locks = append(locks, s)
		case strings.HasPrefix(s.State, "chan ") && !idle[s.ID]:
			channels = append(channels, s)
		}
	}
	switch {
	case len(locks) >= fewestMany:
		return fmt.Sprintf("deadlock suspected: %d goroutines wait for locks, at the same places in two dumps %s apart: %s",
			len(locks), round(apart), places(locks))
	case len(channels) >= fewestMany:
		return fmt.Sprintf("deadlock suspected: %d goroutines wait on channels, at the same places in two dumps %s apart: %s",
			len(channels), round(apart), places(channels))
	}
	return ""
}

func top(s *Stack) []string { return s.Frames[:min(len(s.Frames), topFrames)] }

func forLock(state string) bool {
	return strings.HasPrefix(state, "sync.Mutex") || strings.HasPrefix(state, "sync.RWMutex") || strings.HasPrefix(state, "semacquire")
}

// places names where most of them are, the fullest place first.
func places(stacks []Stack) string {
	n := map[string]int{}
	for _, s := range stacks {
		n[place(s)]++
	}
	names := slices.SortedFunc(maps.Keys(n), func(a, b string) int {
		return cmp.Or(cmp.Compare(n[b], n[a]), cmp.Compare(a, b))
	})
	var parts []string
	for _, name := range names[:min(len(names), mostPlaces)] {
		if n[name] > 1 {
			name = fmt.Sprintf("%d at %s", n[name], name)
		}
		parts = append(parts, name)
	}
	if more := len(names) - mostPlaces; more > 0 {
		parts = append(parts, count(more, "other place", "other places"))
	}
	return strings.Join(parts, ", ")
}

// place is the innermost frame that is not about waiting as such.
func place(s Stack) string {
	for _, f := range s.Frames {
		if !strings.HasPrefix(f, "runtime.") && !strings.HasPrefix(f, "sync.") && !strings.HasPrefix(f, "internal/") {
			return f
		}
	}
	return "an unknown place"
}
