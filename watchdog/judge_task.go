package watchdog

import (
	"fmt"
	"time"
)

// When a worker is overloaded, and by how much its patience may grow then.
const (
	crowded      = 4 // goroutines that wait, for each processor
	sluggish     = 250 * time.Millisecond
	mostPatience = 5
)

// Overloaded reports whether more wants to run in w than can: its requests are
// late because they queue, not because they are stuck.
func (s Sight) Overloaded(w Seen) bool { return Overloaded(w.Runnable, w.Procs, w.Latency) }

// Overloaded is [Sight.Overloaded] from inside of the process: runnable
// goroutines wait for procs processors, 99 in 100 of them for at most latency.
func Overloaded(runnable, procs int, latency time.Duration) bool {
	return runnable > crowded*procs && latency > sluggish
}

// patience is by what the limits of w are multiplied: what only queues must
// finish, what spins for ever must go. It grows with the time that goroutines
// wait for a processor.
func (s Sight) patience(w Seen) float64 {
	if !s.Overloaded(w) {
		return 1
	}
	return min(mostPatience, float64(w.Latency)/float64(sluggish))
}

// offenders are the tasks of w that should be gone. In a deadlock nothing
// that was given up can end by itself, and mercy is in vain.
func (s Sight) offenders(w Seen) []Task {
	patience := s.patience(w)
	mercy := scale(s.Policy.Mercy, patience)
	if w.Deadlock {
		mercy = 0
	}
	tolerance := scale(s.Policy.Slack, patience-1)
	var found []Task
	for _, t := range w.Busy {
		if t.Abandoned > mercy || t.overdue() && t.Overdue > tolerance {
			found = append(found, t)
		}
	}
	return found
}

// overdue reports whether the worker should have given t up, and did not. A
// stream has no age at which it must end.
func (t Task) overdue() bool { return t.Overdue > 0 && t.Abandoned == 0 && !t.Stream }

func (t Task) name() string {
	if t.Name != "" {
		return t.Name
	}
	return fmt.Sprintf("slot %d", t.Slot)
}

// unanswered is for how long t should have had an answer.
func (s Sight) unanswered(t Task) time.Duration {
	if t.Abandoned > 0 {
		return t.Abandoned
	}
	return max(0, t.Overdue) + s.Policy.Slack
}

func scale(d time.Duration, by float64) time.Duration { return time.Duration(float64(d) * by) }
