package guard

import (
	"math"
	"runtime"
	"runtime/metrics"
	"time"
)

const (
	overloadRunnable = 4 // goroutines that wait for each processor
	overloadLatency  = 250 * time.Millisecond

	metricRunnable = "/sched/goroutines/runnable:goroutines"
	metricLatency  = "/sched/latencies:seconds"
)

// load tells a process that is overloaded from one that is stuck: in the
// former goroutines wait for processors, in the latter for something else.
type load struct {
	samples [2]metrics.Sample
	counts  []uint64 // of the histogram, when it was last read
}

func (g *Guard) judgeLoad(s *survey) {
	over := false
	if s.executing > 0 {
		runnable, latency := g.load.read()
		over = runnable > overloadRunnable*runtime.GOMAXPROCS(0) && latency > overloadLatency
	}
	if g.overload.Swap(over) != over {
		g.chores.do(func() {
			if over {
				g.log.Warn("overloaded: refusing what is not essential")
			} else {
				g.log.Info("no longer overloaded")
			}
		})
	}
}

// read returns how many goroutines wait for a processor, and for how long
// since the last call, 99th percentile.
func (l *load) read() (runnable int, latency time.Duration) {
	if l.samples[0].Name == "" {
		l.samples[0].Name, l.samples[1].Name = metricRunnable, metricLatency
	}
	metrics.Read(l.samples[:])
	h := l.samples[1].Value.Float64Histogram()
	if l.counts == nil {
		l.counts = make([]uint64, len(h.Counts))
	}
	var total uint64
	for i, n := range h.Counts {
		total += n - l.counts[i]
	}
	above := total / 100 // of those that waited for longest, so many are left out
	for i := len(h.Counts) - 1; i >= 0 && total > 0; i-- {
		if n := h.Counts[i] - l.counts[i]; n > above {
			latency = seconds(h.Buckets[i])
			break
		} else {
			above -= n
		}
	}
	copy(l.counts, h.Counts)
	return int(l.samples[0].Value.Uint64()), latency
}

func seconds(s float64) time.Duration {
	if math.IsInf(s, -1) {
		return 0
	}
	return time.Duration(s * float64(time.Second))
}
