package worker

import (
	"time"

	"github.com/seadog/seadog/watchdog/sched"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// vitals is what a beat tells, the next one of which comes after every.
func vitals(l sched.Load, every time.Duration) scoreboard.Vitals {
	return scoreboard.Vitals{
		Goroutines: l.Goroutines, Runnable: l.Runnable, Latency: l.Latency, Procs: l.Procs, Every: every,
	}
}
