package deadlock

import (
	"context"
	"maps"
	"os"
	"runtime"
	"runtime/metrics"
	"slices"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/process"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// evidence is what can be had at once, and costs the process nothing.
type evidence struct {
	at      time.Time
	threads []watchdog.Thread
	locks   []watchdog.LockState
	process watchdog.Process
	// problem is why something of it is missing; nil if nothing is.
	problem error
}

func (d *Detector) collect() *evidence {
	e := &evidence{at: time.Now()}
	keep := func(err error) {
		if err != nil && e.problem == nil {
			e.problem = err
		}
	}
	var err error
	e.threads, err = process.Threads(os.Getpid())
	keep(err)
	e.process.RSSBytes, err = process.RSS(os.Getpid())
	keep(err)
	e.process.Descriptors, err = process.Descriptors(os.Getpid())
	keep(err)
	e.process.Goroutines, e.process.Runnable = runtime.NumGoroutine(), runnable()
	e.process.Backlog = int(d.config.Region.Pool().Tally(scoreboard.Backlog))
	if d.config.Graph != nil {
		e.locks = d.config.Graph.States()
		e.locks = e.locks[:min(len(e.locks), mostLocks)]
		for i, l := range e.locks {
			e.locks[i].Waiters = cut(l.Waiters)
		}
	}
	return e
}

func runnable() int {
	s := []metrics.Sample{{Name: "/sched/goroutines/runnable:goroutines"}}
	metrics.Read(s)
	if s[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return int(s[0].Value.Uint64())
}

const (
	looks      = 5 // at the threads, in one round
	looksApart = 12 * time.Millisecond
	rounds     = 4
)

// computing returns the threads of the process that compute without a pause,
// if there are any, so that the world might not be stoppable. A worker that
// has much to do looks like that for a moment, so it gets several rounds; and
// if the runtime has stopped the world in the meantime, for a garbage
// collection, it can. The error says why nothing is known.
func computing(ctx context.Context) (tids []int, err error) {
	for range rounds {
		if tids, err = computingNow(ctx); len(tids) == 0 {
			return nil, err
		}
	}
	return tids, nil
}

// computingNow is one round. A thread that wants to compute and gets no CPU
// counts as well: on a machine that is that busy, a loop looks the same.
func computingNow(ctx context.Context) ([]int, error) {
	pauses := stops()
	used, err := process.Computing(ctx, looks, looksApart)
	if err != nil || stops() != pauses {
		return nil, err
	}
	return slices.Sorted(maps.Keys(used)), nil
}

// stops counts how often the runtime has stopped the world.
func stops() uint64 {
	samples := []metrics.Sample{{Name: "/sched/pauses/total/gc:seconds"}, {Name: "/sched/pauses/total/other:seconds"}}
	metrics.Read(samples)
	var n uint64
	for _, s := range samples {
		if s.Value.Kind() == metrics.KindFloat64Histogram {
			for _, count := range s.Value.Float64Histogram().Counts {
				n += count
			}
		}
	}
	return n
}

// pause returns false if ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
