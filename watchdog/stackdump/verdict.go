package stackdump

import (
	"fmt"
	"slices"
	"strings"
)

const (
	crowd = 100 // goroutines at one place that are worth a word
	busy  = 20  // goroutines that want a CPU and are worth a word
)

// Quiet is the verdict on a process in which nothing catches the eye.
const Quiet = "Nothing is visibly stuck: nobody waits for a lock, and no place is crowded."

// Verdict says in one sentence what is most likely wrong with a process, from
// what one dump of it shows. One dump proves nothing; the sentence does
// not claim that it does.
func Verdict(locks []Lock, groups []Group) string {
	if a, b, ok := Crossed(locks); ok {
		return fmt.Sprintf("It looks like a deadlock: goroutines %d and %d each wait for a lock that the other may hold; if a second dump shows the same, it is one.", a, b)
	}
	waiting, running, never := 0, 0, 0
	for _, l := range locks {
		waiting += l.Count
	}
	for _, g := range groups {
		switch {
		case g.Runtime:
		case g.State == "running", g.State == "runnable":
			running += g.Count
		case strings.HasSuffix(g.State, "(nil chan)"), g.Members[0].Leaked:
			never += g.Count
		}
	}
	switch {
	case waiting > 0:
		return fmt.Sprintf("%s for %s; if a second dump shows the same goroutines, whoever holds it is stuck.", waits(waiting), plural(len(locks), "lock"))
	case never > 0:
		return waits(never) + " for what can never come: a channel that is nil, or that nobody else knows."
	case running >= busy:
		return fmt.Sprintf("%d goroutines want a CPU: the process is busy rather than stuck.", running)
	}
	for _, g := range groups {
		if !g.Runtime && g.Count >= crowd {
			return fmt.Sprintf("%d goroutines are at one place, %s: what they wait for is slow or gone, or they leak.", g.Count, g.Where)
		}
	}
	return Quiet
}

// Crossed finds two goroutines that each wait for a lock that the other may
// hold: of all such pairs the likeliest.
func Crossed(locks []Lock) (a, b int64, ok bool) {
	best := 0
	for i, l := range locks {
		for _, other := range locks[i+1:] {
			first, found := holderAmong(other.Holders, l.Waiters)
			second, too := holderAmong(l.Holders, other.Waiters)
			if found && too && first.score+second.score > best {
				best = first.score + second.score
				x, y := first.Goroutine.ID, second.Goroutine.ID
				a, b = min(x, y), max(x, y)
			}
		}
	}
	return a, b, best > 0
}

// holderAmong returns the likeliest of the candidates that is one of the waiters.
func holderAmong(candidates []Candidate, waiters []*Goroutine) (c Candidate, ok bool) {
	for _, c := range candidates {
		if c.Goroutine.ID != 0 && slices.Contains(waiters, c.Goroutine) {
			return c, true
		}
	}
	return c, false
}

func waits(n int) string {
	if n == 1 {
		return "1 goroutine waits"
	}
	return fmt.Sprintf("%d goroutines wait", n)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
