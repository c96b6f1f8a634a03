package deadlock

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/seadog/seadog/watchdog/stackdump"
)

// trackedLocks is whose frames say nothing about where somebody is.
const trackedLocks = "github.com/seadog/seadog/watchdog/lock"

// place is where a goroutine is, as far as people care.
func place(g *stackdump.Goroutine) stackdump.Frame {
	f, _ := placed(g)
	return f
}

// placed also returns what is called there; zero if nothing is shown.
func placed(g *stackdump.Goroutine) (at, called stackdump.Frame) {
	outside := *g
	for i, f := range g.Frames {
		if stackdump.Package(f.Func) == trackedLocks {
			outside.Frames = g.Frames[i+1:]
		}
	}
	at = outside.Where()
	for _, f := range g.Frames {
		if f == at {
			break
		}
		called = f
	}
	return at, called
}

// doing says what a goroutine does: "waits in net.(*conn).Read, called from
// shop.(*Cart).Load (cart.go:88)".
func doing(g *stackdump.Goroutine) string {
	verb := "waits"
	switch g.State {
	case "running", "runnable", "preempted":
		verb = "computes"
	case "": // a profile does not tell
		verb = "is"
	}
	at, called := placed(g)
	switch {
	case called.Func != "":
		return fmt.Sprintf("%s in %s, called from %s", verb, called.Name(), at)
	case verb == "waits":
		return fmt.Sprintf("waits (%s) in %s", g.State, at)
	}
	return fmt.Sprintf("%s in %s", verb, at)
}

// doings says where the requests are that were given up: most of them, if
// they are at several places.
func doings(who *people) string {
	counts := map[string]int{}
	best, total := "", 0
	var first *stackdump.Goroutine
	for _, slot := range who.slots() {
		g := who.main(slot)
		if g == nil {
			continue
		}
		what := doing(g)
		counts[what]++
		total++
		if counts[what] > counts[best] || counts[what] == counts[best] && what <= best {
			best, first = what, g
		}
	}
	switch total {
	case 0:
		return ""
	case 1:
		return capital(who.name(first)) + " " + best
	}
	verb, rest, _ := strings.Cut(best, " ")
	plural := map[string]string{"waits": "wait", "computes": "compute", "is": "are"}[verb]
	if counts[best] == total {
		return fmt.Sprintf("%d requests %s %s", total, plural, rest)
	}
	return fmt.Sprintf("%d of %d requests %s %s", counts[best], total, plural, rest)
}

// sentence says what the locks explain; "" if they explain nothing.
func (s stall) sentence(circle []int) string {
	moment := seconds(stackdump.Samples()[len(stackdump.Samples())-1])
	if len(circle) > 0 {
		var said []string
		for at, i := range circle {
			waiter := s.waiterBefore(circle, at)
			said = append(said, fmt.Sprintf("%s waits for %s in %s", s.who.name(waiter), lockName(s.locks[i]), place(waiter)))
		}
		return fmt.Sprintf("It looks like a deadlock: %s. Each may hold what another one waits for, and nobody moved for %s", strings.Join(said, ", "), moment)
	}
	for i, l := range s.locks {
		if !s.concerns(i) {
			continue
		}
		subject, verb := s.waiting(i)
		perhaps := ""
		if len(l.Holders) > 0 {
			g := l.Holders[0].Goroutine
			perhaps = fmt.Sprintf("; perhaps held by %s, which %s", s.who.name(g), doing(g))
		}
		return fmt.Sprintf("%s %s for a lock that let nobody go for %s (%s)%s", subject, verb, moment, lockName(l), perhaps)
	}
	return ""
}

// waiterBefore returns who may hold the lock before, and waits for this one.
func (s stall) waiterBefore(circle []int, at int) *stackdump.Goroutine {
	_, waiter := s.next(circle[(at+len(circle)-1)%len(circle)])
	return waiter
}

// waiting names who waits for lock i.
func (s stall) waiting(i int) (subject, verb string) {
	var first *stackdump.Goroutine
	requests := 0
	for _, g := range s.locks[i].Waiters {
		if s.who.offends(g) {
			requests++
			first = g
		}
	}
	switch requests {
	case 0:
		if n := s.locks[i].Count; n != 1 {
			return fmt.Sprintf("%d goroutines", n), "wait"
		}
		return "1 goroutine", "waits"
	case 1:
		return capital(s.who.name(first)), "waits in " + place(first).String()
	}
	return fmt.Sprintf("%d requests", requests), "wait"
}

func lockName(l stackdump.Lock) string {
	if l.Addr == 0 {
		return string(l.Kind) + " at an unknown address"
	}
	return string(l.Kind) + " " + l.Addr.String()
}

// seconds writes a duration as people do: "0.4 s".
func seconds(d time.Duration) string {
	return strconv.FormatFloat(d.Round(100*time.Millisecond).Seconds(), 'f', -1, 64) + " s"
}

func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}
