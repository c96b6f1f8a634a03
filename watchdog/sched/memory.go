package sched

import (
	"runtime/metrics"
	"time"
)

// Memory is what the garbage collector of this process did so far.
type Memory struct {
	Live   int64  // bytes that the last collection left
	Cycles uint64 // collections
	CPU    time.Duration
}

// MemoryReader reads again and again. One goroutine may use it. The zero value is ready.
type MemoryReader struct{ samples [3]metrics.Sample }

// Read returns what the collector has done by now; its CPU is that of the
// collections that are over.
func (r *MemoryReader) Read() Memory {
	if r.samples[0].Name == "" {
		r.samples[0].Name = "/gc/heap/live:bytes"
		r.samples[1].Name = "/gc/cycles/total:gc-cycles"
		r.samples[2].Name = "/cpu/classes/gc/total:cpu-seconds"
	}
	metrics.Read(r.samples[:])
	m := Memory{Live: int64(count(r.samples[0].Value)), Cycles: uint64(count(r.samples[1].Value))}
	if v := r.samples[2].Value; v.Kind() == metrics.KindFloat64 {
		m.CPU = seconds(v.Float64())
	}
	return m
}
