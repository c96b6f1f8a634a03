package deadlock

import (
	"context"
	"os"
	"runtime"
	"runtime/metrics"
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
