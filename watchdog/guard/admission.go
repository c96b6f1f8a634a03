package guard

import (
	"time"

	"github.com/seadog/seadog/watchdog/sched"
)

// A process in which more goroutines want to run than can gets slower for each
// that it takes in, until all of them are given up at their deadline and
// nothing was done for anybody. So the number of requests at work is bounded as
// soon as they wait for processors: the bound is lowered while they do, and
// raised while they do not (additive increase, multiplicative decrease, as TCP
// finds what a network can carry). Those beyond it are refused at once, which
// costs next to nothing, and the others are finished in time. Requests that
// wait for something else than processors are not bounded by this: then nothing
// is runnable, and the suspect gate and deadlines are what is needed.
//
// A burst of short requests crowds a process for a moment as well; it is only
// overloaded if it is still so when the guard looks again.
const (
	crowdedFor = 4                     // looks in a row, from which on it is overloaded
	crowdedAt  = 50 * time.Millisecond // that goroutines wait for a processor, 99th percentile
	shrink     = 0.75
	calmFor    = 40 // looks in a row without a refusal, from which on nothing is bounded
)

// admission finds how many requests a process can work on at once. It is pure.
type admission struct {
	ceiling int // 0: not bounded
	crowded int // looks in a row
	calm    int
}

// look takes what was seen since the last look: the scheduler's load, how many
// requests are at work, how many ended, and how many were refused. It returns
// how many may begin until the next look; unbounded if everything may.
func (a *admission) look(l sched.Load, executing, ended, refused int) int {
	least := l.Procs // fewer cannot keep it busy
	if l.Runnable > l.Procs && l.Latency > crowdedAt {
		a.crowded++
	} else {
		a.crowded = 0
	}
	switch {
	case a.ceiling == 0 && a.crowded < crowdedFor:
		return unbounded
	case a.ceiling == 0:
		a.ceiling, a.calm = max(least, int(shrink*float64(executing))), 0
	case a.crowded > 0:
		a.ceiling = max(least, int(shrink*float64(min(a.ceiling, executing+ended))))
	default:
		a.ceiling += max(1, a.ceiling/8)
	}
	if a.calm++; refused > 0 {
		a.calm = 0
	}
	if a.calm >= calmFor {
		a.ceiling = 0
		return unbounded
	}
	// As many as ended are likely to end again until the next look.
	return max(0, a.ceiling-executing+ended)
}

// unbounded is more than anybody asks for between two looks.
const unbounded = 1 << 40
