package worker

import (
	"runtime"
	"runtime/metrics"
	"slices"
	"time"

	"github.com/seadog/seadog/watchdog/scoreboard"
)

// vitals reads what the runtime knows about itself; it costs about a
// microsecond and stops nothing. One goroutine uses it.
type vitals struct {
	samples []metrics.Sample
	before  []uint64 // latencies that were counted until the last beat
}

func newVitals() *vitals {
	return &vitals{samples: []metrics.Sample{
		{Name: "/sched/goroutines:goroutines"},
		{Name: "/sched/goroutines/runnable:goroutines"},
		{Name: "/sched/latencies:seconds"},
	}}
}

// read returns what a beat tells, the next one of which comes after every.
func (v *vitals) read(every time.Duration) scoreboard.Vitals {
	metrics.Read(v.samples)
	return scoreboard.Vitals{
		Goroutines: count(v.samples[0]),
		Runnable:   count(v.samples[1]),
		Latency:    v.latency(v.samples[2]),
		Procs:      runtime.GOMAXPROCS(0),
		Every:      every,
	}
}

func count(s metrics.Sample) int {
	if s.Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return int(s.Value.Uint64())
}

// latency is the 99th percentile of what was added since the last time.
func (v *vitals) latency(s metrics.Sample) time.Duration {
	if s.Value.Kind() != metrics.KindFloat64Histogram {
		return 0
	}
	h := s.Value.Float64Histogram()
	added := slices.Clone(h.Counts)
	var total uint64
	for i := range added {
		if i < len(v.before) {
			added[i] -= v.before[i]
		}
		total += added[i]
	}
	v.before = append(v.before[:0], h.Counts...)
	var seen uint64
	for i, n := range added {
		if seen += n; n > 0 && seen*100 >= total*99 {
			return time.Duration(h.Buckets[i] * float64(time.Second))
		}
	}
	return 0
}
