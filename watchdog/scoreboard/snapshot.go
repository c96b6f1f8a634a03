package scoreboard

import (
	"sync/atomic"
	"time"

	"github.com/seadog/seadog/watchdog"
)

// Snapshot is the state of everything at one moment, as exact as reading
// without waiting can be: each number is right, all together may be a moment apart.
type Snapshot struct {
	Now    int64 // CLOCK_MONOTONIC, ns
	Master MasterState
	Pools  []PoolState
}

// PoolState is one pool of a snapshot.
type PoolState struct {
	Name     string
	Places   int
	Backlog  int
	Limit    int // of the backlog
	Lost     uint64
	Answered uint64
	Moved    uint64
	Ends     [watchdog.Reasons]uint64
	Kills    [watchdog.Reasons]uint64
	// Of all processes that ever were, in the order of the layout. None of them ever goes down.
	Counters   []uint64
	Soft       [softs]uint64
	Histograms []Histogram
	Incidents  [watchdog.Reasons]uint64
	OwnDumps   Histogram       // how long workers stood still to dump themselves
	LastDumps  Histogram       // how long they took to write their stacks as they were killed
	Workers    []Worker        // the processes that there are now
	CPU        []time.Duration // of dead workers that are not among Workers any more, by place
}

// Worker is one process of a snapshot.
type Worker struct {
	ID          watchdog.ID
	Region      int
	Incarnation uint64
	PID         int
	State       watchdog.State
	Order       Order
	Accepting   bool
	Started     int64 // CLOCK_MONOTONIC, ns
	Heartbeat   int64 // CLOCK_MONOTONIC, ns; 0 before the first
	Dumping     int64 // since when; 0: it does not
	Deadlock    bool
	Vitals      Vitals
	Memory      Memory
	Spent       time.Duration // of processor time, if the process was reaped
	Served      uint64
	Connections int
	Busy        []View
}

// HeartbeatAge returns how long ago the worker was last heard of; since its
// start if it never was.
func (s Snapshot) HeartbeatAge(w Worker) time.Duration {
	return time.Duration(s.Now - max(w.Heartbeat, w.Started))
}

// Pool returns the state of one pool; zero if there is none of that name.
func (s Snapshot) Pool(name string) PoolState {
	for _, p := range s.Pools {
		if p.Name == name {
			return p
		}
	}
	return PoolState{}
}

// Snapshot reads everything. It never waits for a writer.
func (b *Board) Snapshot() Snapshot {
	s := Snapshot{Master: b.master.state()}
	for _, p := range b.order {
		s.Pools = append(s.Pools, p.state(b.plan.layout))
	}
	s.Now = Now() // last: no heartbeat in the snapshot is younger
	return s
}

func (p *Pool) state(l Layout) PoolState {
	s := PoolState{
		Name: p.name, Places: int(p.Tally(Places)),
		Backlog: int(p.Tally(Backlog)), Limit: int(p.Tally(BacklogMax)),
		Lost: p.Tally(Lost), Answered: p.Tally(Answered), Moved: p.Tally(Moved),
		Counters: make([]uint64, len(l.Counters)), Histograms: make([]Histogram, len(l.Routes)),
	}
	for r := range watchdog.Reasons {
		s.Ends[r] = p.Ends(r)
		s.Kills[r] = atomic.LoadUint64(&p.words[wordKills+int(r)])
		s.Incidents[r] = atomic.LoadUint64(&p.words[wordIncidents+int(r)])
	}
	s.LastDumps = histogramOf(p.words[wordDumps : wordDumps+histogramWords])
	for i := range min(s.Places, maxPlaces) {
		s.CPU = append(s.CPU, p.CPU(i))
	}
	for _, r := range p.regions {
		for i := range s.Counters {
			s.Counters[i] += r.Value(i)
		}
		for i := range s.Soft {
			s.Soft[i] += r.Counted(Soft(i))
		}
		for i := range s.Incidents {
			s.Incidents[i] += r.Incidents(watchdog.Reason(i))
		}
		s.OwnDumps = s.OwnDumps.Plus(histogramOf(r.words[wordOwnDumps : wordOwnDumps+histogramWords]))
		for i := range s.Histograms {
			s.Histograms[i] = s.Histograms[i].Plus(r.Histogram(i))
		}
		if r.State() != watchdog.Absent {
			s.Workers = append(s.Workers, r.Worker())
		}
	}
	return s
}

// State returns where the process is in its life.
func (r *Region) State() watchdog.State { return watchdog.State(r.load(wordState)) }

// Worker reads the region.
func (r *Region) Worker() Worker {
	w := Worker{
		ID: r.ID(), Region: r.position,
		Incarnation: r.load(wordIncarnation), PID: int(r.load(wordPID)), State: r.State(),
		Order: r.Order(), Accepting: r.Accepting(),
		Started: int64(r.load(wordStarted)), Heartbeat: int64(r.load(wordHeartbeat)),
		Dumping: int64(r.load(wordDumping)), Deadlock: r.load(wordDeadlock) != 0,
		Vitals: Vitals{
			Goroutines: int(r.load(wordGoroutines)), Runnable: int(r.load(wordRunnable)),
			Latency: time.Duration(r.load(wordLatency)), Procs: int(r.load(wordProcs)), Every: r.Every(),
		},
		Memory: Memory{Heap: int64(r.load(wordHeap))}, Spent: r.Spent(),
	}
	used := r.Used()
	for i := range used {
		t := used[i].Token()
		w.Served += used[i].served.Load()
		if t.Phase() != Empty {
			w.Connections++
		}
		if t.Busy() {
			w.Busy = append(w.Busy, used[i].View(i))
		}
	}
	return w
}
