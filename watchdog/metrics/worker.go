package metrics

import (
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// The families of single workers. Their index is that of the place which they
// fill, or one of the two below.
var (
	perWorker = []string{"pool", "index"}

	descResident = prometheus.NewDesc("seadog_worker_resident_bytes",
		"Resident memory of a worker, without what it shares.", perWorker, nil)
	descDescriptors = prometheus.NewDesc("seadog_worker_open_fds",
		"File descriptors that a worker has open.", perWorker, nil)
	descThreads = prometheus.NewDesc("seadog_worker_threads",
		"Threads of a worker.", perWorker, nil)
	descGoroutines = prometheus.NewDesc("seadog_worker_goroutines",
		"Goroutines of a worker.", perWorker, nil)
	descRunnable = prometheus.NewDesc("seadog_worker_runnable_goroutines",
		"Goroutines of a worker that wait for a processor.", perWorker, nil)
	descLatency = prometheus.NewDesc("seadog_worker_scheduling_latency_seconds",
		"How long goroutines of a worker waited for a processor lately, 99th percentile.", perWorker, nil)
	descHeap = prometheus.NewDesc("seadog_worker_heap_live_bytes",
		"What the last garbage collection of a worker left.", perWorker, nil)
	descAge = prometheus.NewDesc("seadog_worker_age_seconds",
		"How long ago a worker was started.", perWorker, nil)
	descCPU = prometheus.NewDesc("seadog_worker_cpu_seconds_total",
		"Processor time of the workers that fill or filled a place, and of the children that they waited for.", perWorker, nil)

	descCollections = prometheus.NewDesc("seadog_worker_gc_cycles_total",
		"Garbage collections of all workers that ever were.", []string{"pool"}, nil)
	descCollectorCPU = prometheus.NewDesc("seadog_worker_gc_cpu_seconds_total",
		"Processor time of the garbage collections of all workers that ever were.", []string{"pool"}, nil)
	descUsageUp = prometheus.NewDesc("seadog_worker_usage_up",
		"1 if the kernel told this scrape in time what workers use, else 0 and the numbers are the last known ones.", nil, nil)
)

func workerDescriptions() []*prometheus.Desc {
	return []*prometheus.Desc{
		descResident, descDescriptors, descThreads, descGoroutines, descRunnable, descLatency, descHeap, descAge, descCPU,
		descCollections, descCollectorCPU, descUsageUp,
	}
}

// Values of the label index beside the numbers of places.
const (
	indexSpare = "spare" // waits for its promotion
	indexExtra = "extra" // all predecessors that have not gone, and successors that have not come
)

// states are the states in which a worker can be found.
func states() []watchdog.State {
	return []watchdog.State{
		watchdog.Starting, watchdog.Spare, watchdog.Ready, watchdog.Quarantined,
		watchdog.Draining, watchdog.Stopping, watchdog.Dumping, watchdog.Killed,
	}
}

// now shows how the workers of a pool are. Those of one that is not guarded
// accept without being told to.
func (e emitter) now(s scoreboard.Snapshot, p scoreboard.PoolState, guarded bool) {
	var accepting, connections, busy, stuck int
	var heartbeat, oldest time.Duration
	inState := map[watchdog.State]int{}
	for _, w := range p.Workers {
		inState[w.State]++
		connections += w.Connections
		busy += len(w.Busy)
		if w.Accepting || !guarded && w.State == watchdog.Ready {
			accepting++
		}
		if w.State.Serves() && w.Heartbeat != 0 {
			heartbeat = max(heartbeat, s.HeartbeatAge(w))
		}
		for _, v := range w.Busy {
			if phase := v.Token.Phase(); phase == scoreboard.Killed || phase == scoreboard.Seized {
				stuck++
			}
			if !v.Torn && !v.Request.Stream {
				oldest = max(oldest, v.Age(s.Now))
			}
		}
	}
	for _, state := range states() {
		e.gauge(descWorkers, float64(inState[state]), p.Name, state.String())
	}
	e.gauge(descAccepting, float64(accepting), p.Name)
	e.gauge(descConnections, float64(connections), p.Name)
	e.gauge(descBusy, float64(busy), p.Name)
	e.gauge(descStuck, float64(stuck), p.Name)
	e.gauge(descHeartbeat, heartbeat.Seconds(), p.Name)
	e.gauge(descOldest, oldest.Seconds(), p.Name)
}

// workers shows what each worker uses.
func (e emitter) workers(s scoreboard.Snapshot, p scoreboard.PoolState, all usage) {
	for index, workers := range byIndex(p.Workers) {
		var u used
		measured := false
		var v scoreboard.Vitals
		var heap int64
		var age time.Duration
		for _, w := range workers {
			one := all[keyOf(w)]
			measured = measured || one.alive
			u.resident, u.descriptors, u.threads = u.resident+one.resident, u.descriptors+one.descriptors, u.threads+one.threads
			v.Goroutines, v.Runnable = v.Goroutines+w.Vitals.Goroutines, v.Runnable+w.Vitals.Runnable
			v.Latency, heap = max(v.Latency, w.Vitals.Latency), heap+w.Memory.Heap
			age = max(age, time.Duration(s.Now-w.Started))
		}
		if measured {
			e.gauge(descResident, float64(u.resident), p.Name, index)
			e.gauge(descDescriptors, float64(u.descriptors), p.Name, index)
			e.gauge(descThreads, float64(u.threads), p.Name, index)
		}
		e.gauge(descGoroutines, float64(v.Goroutines), p.Name, index)
		e.gauge(descRunnable, float64(v.Runnable), p.Name, index)
		e.gauge(descLatency, v.Latency.Seconds(), p.Name, index)
		e.gauge(descHeap, float64(heap), p.Name, index)
		e.gauge(descAge, age.Seconds(), p.Name, index)
	}
}

// byIndex sorts workers by what fills the label index. A place has one worker;
// the others that have or had it are extra.
func byIndex(workers []scoreboard.Worker) map[string][]scoreboard.Worker {
	sorted := slices.SortedFunc(slices.Values(workers), func(a, b scoreboard.Worker) int {
		if a, b := holds(a), holds(b); a != b {
			return b - a
		}
		return int(b.Incarnation) - int(a.Incarnation)
	})
	all := map[string][]scoreboard.Worker{}
	for _, w := range sorted {
		index := indexSpare
		if w.ID.Index >= 0 {
			index = strconv.Itoa(w.ID.Index)
		}
		if len(all[index]) > 0 {
			index = indexExtra
		}
		all[index] = append(all[index], w)
	}
	return all
}

// holds is how much of a claim a worker has to its place.
func holds(w scoreboard.Worker) int {
	switch w.State {
	case watchdog.Ready, watchdog.Spare, watchdog.Quarantined:
		return 2
	case watchdog.Starting:
		return 1
	}
	return 0
}
