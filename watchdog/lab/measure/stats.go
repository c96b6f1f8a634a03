package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// percentile returns the smallest value that is not exceeded by a share q of
// all (nearest rank), and 0 of none.
func percentile(values []time.Duration, q float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := int(q * float64(len(sorted)))
	if float64(rank) < q*float64(len(sorted)) {
		rank++
	}
	return sorted[max(rank, 1)-1]
}

func median[T cmp.Ordered](values []T) T {
	return slices.Sorted(slices.Values(values))[len(values)/2]
}

// tally counts words, and prints as in "3×closed 1×504".
type tally map[string]int

func (t tally) total() int {
	n := 0
	for _, c := range t {
		n += c
	}
	return n
}

func (t tally) String() string {
	var b strings.Builder
	for _, word := range slices.Sorted(maps.Keys(t)) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%d×%s", t[word], word)
	}
	if b.Len() == 0 {
		return "0"
	}
	return b.String()
}

// impact is what a fault did to everybody else.
type impact struct {
	Requests  int
	Failed    tally // without a 200, but for the lost ones
	Lost      tally // had been accepted by a process that crashed or froze
	Slow      int   // > 250 ms
	VerySlow  int   // > 1 s
	Worst     time.Duration
	Own       time.Duration // how late the client was itself, at most
	Recovered time.Duration // after the fault; negative: not in the window
}

// assess judges the samples that were due before lostUntil mildly: one without
// a good answer may have been in the hands of the process that died. Recovery
// is counted from fault.
func assess(samples []sample, fault, lostUntil time.Duration) impact {
	im := impact{Failed: tally{}, Lost: tally{}, Recovered: recovered(samples, fault)}
	for _, s := range samples {
		im.Requests++
		im.Own = max(im.Own, s.Own)
		mayBeLost := s.At >= fault-slow && s.At < lostUntil
		switch {
		case !s.ok() && mayBeLost:
			im.Lost[s.Outcome]++
			continue
		case !s.ok():
			im.Failed[s.Outcome]++
		case s.delay() > verySlow:
			im.VerySlow++
			im.Slow++
		case s.delay() > slow:
			im.Slow++
		}
		im.Worst = max(im.Worst, s.delay())
	}
	return im
}

const (
	window     = time.Second
	windowStep = 100 * time.Millisecond
	calmP99    = 50 * time.Millisecond // the machine's own pauses reach 20 ms
	worseThan  = 5                     // times the p99 before the fault
)

// recovered returns how long after the fault all was well again: at the start
// of the first window of a second, by due time, from which on no window has a
// failure or a 99th percentile that is much worse than before. It is 0 if
// nothing was ever disturbed, and negative if it did not recover.
func recovered(samples []sample, fault time.Duration) time.Duration {
	byDue := slices.SortedFunc(slices.Values(samples), func(a, b sample) int { return cmp.Compare(a.At, b.At) })
	var before []time.Duration
	end := time.Duration(0)
	for _, s := range byDue {
		if s.At < fault {
			before = append(before, s.delay())
		}
		end = s.At
	}
	limit := max(calmP99, worseThan*percentile(before, 0.99))
	well := time.Duration(0)
	for start := time.Duration(0); fault+start+window <= end; start += windowStep {
		if disturbed(byDue, fault+start, limit) {
			well = start + windowStep
		}
	}
	if fault+well+window > end {
		return -1
	}
	return well
}

// disturbed judges the window that begins at start.
func disturbed(byDue []sample, start, limit time.Duration) bool {
	from, _ := slices.BinarySearchFunc(byDue, start, func(s sample, t time.Duration) int { return cmp.Compare(s.At, t) })
	var took []time.Duration
	for _, s := range byDue[from:] {
		if s.At >= start+window {
			break
		}
		if !s.ok() {
			return true
		}
		took = append(took, s.delay())
	}
	return percentile(took, 0.99) > limit
}
