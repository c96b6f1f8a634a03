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

// memory tells what the garbage collector did since the last time. It is read
// less often than the rest: nobody decides by it.
type memory struct {
	reader sched.MemoryReader
	last   sched.Memory
}

func (m *memory) tell(r *scoreboard.Region) {
	now := m.reader.Read()
	r.Remember(scoreboard.Memory{Heap: now.Live})
	r.Count(scoreboard.Collections, now.Cycles-m.last.Cycles)
	r.Count(scoreboard.CollectorCPU, uint64(max(0, now.CPU-m.last.CPU)))
	m.last = now
}
