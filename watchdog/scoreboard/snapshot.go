package scoreboard

import (
	"time"

	"github.com/seadog/seadog/watchdog"
)

// Snapshot is the state of all workers at one moment.
type Snapshot struct {
	Now     int64 // CLOCK_MONOTONIC, ns
	Workers []Worker
}

// Worker is one region of a snapshot.
type Worker struct {
	ID          watchdog.ID
	State       watchdog.State
	PID         int    // 0 if there is no process
	Incarnation uint64 // counts from 1; 0 if there never was a process
	Started     int64  // CLOCK_MONOTONIC, ns; when the region got this incarnation
	Heartbeat   int64  // CLOCK_MONOTONIC, ns; 0 before the first
	Deaths      uint64 // unexpected ends of all incarnations
	Counters    []uint64
}

// HeartbeatAge returns how long ago the worker was last heard of; since its
// start if it never was.
func (s Snapshot) HeartbeatAge(w Worker) time.Duration {
	return time.Duration(s.Now - max(w.Heartbeat, w.Started))
}

// Totals returns the sums of the counters of one pool.
func (s Snapshot) Totals(pool string) []uint64 {
	var sum []uint64
	for _, w := range s.Workers {
		if w.ID.Pool != pool {
			continue
		}
		if sum == nil {
			sum = make([]uint64, len(w.Counters))
		}
		for i, n := range w.Counters {
			sum[i] += n
		}
	}
	return sum
}

// Snapshot reads all regions, in the order in which they were laid out. It
// never waits for a writer.
func (b *Board) Snapshot() Snapshot {
	s := Snapshot{Workers: make([]Worker, 0, len(b.order))}
	for _, r := range b.order {
		w := Worker{
			ID:          r.id,
			State:       watchdog.State(r.load(wordState)),
			PID:         int(r.load(wordPID)),
			Incarnation: r.load(wordIncarnation),
			Started:     int64(r.load(wordStarted)),
			Heartbeat:   int64(r.load(wordHeartbeat)),
			Deaths:      r.load(wordDeaths),
			Counters:    make([]uint64, len(r.counters)),
		}
		for i := range r.counters {
			w.Counters[i] = r.Value(i)
		}
		s.Workers = append(s.Workers, w)
	}
	s.Now = Now() // last: no heartbeat in the snapshot is younger
	return s
}
