package hang

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// wait is what a process was found to do in two looks at it.
type wait struct {
	what  string // "waiting in futex_wait_queue"
	means string
	tells int // how much that says: of several, the most telling is told
}

// How telling a wait is.
const (
	mute = iota
	resting
	asking
	locked
	busy
	halted
)

// waits says in a sentence what the workers of a program without goroutines
// were doing between two looks, "" if that says nothing.
func waits(first, second []process, apart time.Duration) string {
	found := map[wait]int{}
	all := workers(second)
	for _, p := range all {
		if i := slices.IndexFunc(first, func(q process) bool { return q.pid == p.pid }); i >= 0 {
			found[waitOf(first[i], p, apart)]++
		}
	}
	kinds := slices.SortedFunc(maps.Keys(found), func(a, b wait) int {
		return cmp.Or(cmp.Compare(b.tells, a.tells), cmp.Compare(found[b], found[a]), cmp.Compare(a.what, b.what))
	})
	if len(kinds) == 0 || kinds[0].tells == mute {
		return ""
	}
	most := kinds[0]
	return fmt.Sprintf("%d of %s %s for %s%s", found[most], count(len(all), "worker", "workers"), most.what, round(apart), most.means)
}

// A thread computes if it used a tenth of a processor or more: others may have
// wanted the rest. Linux counts hundredths of a second, whatever its own HZ is.
const (
	leastShare     = 0.1
	ticksPerSecond = 100
)

// waitOf compares two looks at one process.
func waitOf(first, second process, apart time.Duration) wait {
	loop := uint64(leastShare * ticksPerSecond * apart.Seconds())
	running := false
	var still []thread
	for _, t := range second.threads {
		i := slices.IndexFunc(first.threads, func(u thread) bool { return u.tid == t.tid })
		if i < 0 {
			continue
		}
		u := first.threads[i]
		running = running || t.state == 'R' && u.state == 'R' && t.ticks > u.ticks+loop
		if t.state == u.state && t.wchan == u.wchan && t.ticks == u.ticks {
			still = append(still, t)
		}
	}
	switch {
	case running:
		return wait{"using a CPU", ": looks like an endless loop, or too much to do", busy}
	case len(still) == 0:
		return wait{}
	}
	main := still[0]
	if main.tid == second.pid {
		if w := kindOf(main); w.tells > resting {
			return w
		}
	}
	// The main thread waits for work, or moves: maybe its helpers do not.
	n := 0
	for _, t := range still {
		if t.tid != second.pid && kindOf(t).tells == locked {
			main = t
			n++
		}
	}
	if n > 0 {
		return wait{
			fmt.Sprintf("with threads waiting in %s without using CPU", main.wchan),
			": looks like a lock, or like a pool of threads that has nothing to do", locked,
		}
	}
	return kindOf(main)
}

// kindOf says what a thread that does not move waits for, by where in the kernel it sleeps.
func kindOf(t thread) wait {
	in := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(t.wchan, part) })
	}
	what := fmt.Sprintf("waiting in %s without using CPU", t.wchan)
	switch {
	case t.state == 'T' || t.state == 't':
		return wait{"stopped", ": somebody sent them SIGSTOP, or debugs them", halted}
	case t.state == 'D':
		return wait{what, ": looks like a disk or another device that does not answer", asking}
	case t.wchan == "":
		return wait{}
	case in("futex"):
		return wait{what, ": looks like a lock", locked}
	case in("epoll", "ep_poll", "poll_schedule", "select", "accept", "csk_accept"):
		return wait{what, ": they wait for something to do, and do not see the requests", resting}
	case in("tcp", "inet", "unix", "sk_wait", "skb", "pipe", "wait_woken", "flock", "locks_"):
		return wait{what, ": looks like somebody else who does not answer", asking}
	case in("nanosleep"):
		return wait{what, ": they sleep on purpose", asking}
	}
	return wait{what, "", asking}
}
