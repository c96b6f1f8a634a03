// Package sched reads how much the Go scheduler of this process has to do. It
// costs about a microsecond and stops nothing; the package starts no goroutine.
package sched

import (
	"math"
	"runtime"
	"runtime/metrics"
	"time"
)

// Load is what a [Reader] saw.
type Load struct {
	Goroutines int
	Runnable   int           // that wait for a processor
	Latency    time.Duration // that they waited, 99th percentile since the last time
	Procs      int           // GOMAXPROCS
}

// Reader reads again and again. One goroutine may use it. The zero value is ready.
type Reader struct {
	samples [3]metrics.Sample
	before  []uint64 // of the histogram, when it was last read
}

// Read returns the load now; its Latency is of what happened since the last call.
func (r *Reader) Read() Load {
	if r.samples[0].Name == "" {
		r.samples[0].Name = "/sched/goroutines:goroutines"
		r.samples[1].Name = "/sched/goroutines/runnable:goroutines"
		r.samples[2].Name = "/sched/latencies:seconds"
	}
	metrics.Read(r.samples[:])
	return Load{
		Goroutines: count(r.samples[0].Value), Runnable: count(r.samples[1].Value),
		Latency: r.latency(r.samples[2].Value), Procs: runtime.GOMAXPROCS(0),
	}
}

// count is 0 for what this version of Go does not measure.
func count(v metrics.Value) int {
	if v.Kind() != metrics.KindUint64 {
		return 0
	}
	return int(v.Uint64())
}

func (r *Reader) latency(v metrics.Value) (latency time.Duration) {
	if v.Kind() != metrics.KindFloat64Histogram {
		return 0
	}
	h := v.Float64Histogram()
	if r.before == nil {
		r.before = make([]uint64, len(h.Counts))
	}
	var total uint64
	for i, n := range h.Counts {
		total += n - r.before[i]
	}
	above := total / 100 // of those that waited for longest, so many are left out
	for i := len(h.Counts) - 1; i >= 0 && total > 0; i-- {
		n := h.Counts[i] - r.before[i]
		if n > above {
			latency = seconds(h.Buckets[i])
			break
		}
		above -= n
	}
	copy(r.before, h.Counts)
	return latency
}

func seconds(s float64) time.Duration {
	if math.IsInf(s, -1) {
		return 0
	}
	return time.Duration(s * float64(time.Second))
}
