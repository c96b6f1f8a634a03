package metrics

import (
	"time"

	"github.com/seadog/seadog/watchdog/process"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// used is what one process uses, as far as the kernel tells.
type used struct {
	alive       bool // else only cpu is known
	resident    int64
	descriptors int
	threads     int
	cpu         time.Duration
}

// usage is what all processes of the scoreboard use.
type usage map[workerKey]used

// workerKey names one process: pids are used again, incarnations are not.
type workerKey struct {
	pool        string
	incarnation uint64
}

func keyOf(w scoreboard.Worker) workerKey { return workerKey{w.ID.Pool, w.Incarnation} }

// measure reads /proc. Of a process that ends meanwhile nothing is known.
func measure(s scoreboard.Snapshot) usage {
	all := usage{}
	for _, p := range s.Pools {
		for _, w := range p.Workers {
			if u, ok := measureOne(w.PID); ok {
				all[keyOf(w)] = u
			}
		}
	}
	return all
}

func measureOne(pid int) (used, bool) {
	if pid == 0 {
		return used{}, false
	}
	status, err := process.Stat(pid)
	if err != nil {
		return used{}, false
	}
	u := used{threads: status.Threads, cpu: status.CPU + status.Reaped}
	u.resident, err = process.RSS(pid)
	if err == nil {
		u.descriptors, err = process.Descriptors(pid)
	}
	u.alive = err == nil
	return u, true
}
