package attack

import (
	"context"
	"math"
	"os"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/seadog/seadog/loadtest"
)

const (
	pulse  = time.Second
	window = 5 // pulses that G3 and G4 look at
	// burst is the stretch of time in which sends are counted.
	burst = 100 * time.Millisecond
)

// vitals are what the generator knows about itself.
type vitals struct {
	judged []bool // by phase

	mu       sync.Mutex // guards what follows
	lag      *hdr.Histogram
	planned  uint64 // hits
	sent     uint64
	late     uint64            // dropped through our fault
	faults   map[string]uint64 // hits that failed through our fault, by class
	pulses   []vital           // the last ones, oldest first
	first    vital
	last     vital
	cores    float64 // most within a window
	delay    time.Duration
	rss      uint64
	heap     heap
	stopped  time.Duration // when the run was ended from outside; 0: it was not
	finished time.Duration

	sends struct {
		sync.Mutex
		window time.Duration
		n      int
		most   int
	}
}

// vital is one reading.
type vital struct {
	at     time.Duration
	cpu    time.Duration
	rss    uint64
	heap   uint64
	delays *metrics.Float64Histogram // of goroutines that could run and did not
}

func newVitals(s *loadtest.Scenario) *vitals {
	v := &vitals{lag: hdr.New(1, int64(10*time.Minute/time.Microsecond), 3), faults: map[string]uint64{}}
	any := false
	for _, p := range s.Phases {
		v.judged = append(v.judged, p.Judged)
		any = any || p.Judged
	}
	if !any { // then everything is
		for i := range v.judged {
			v.judged[i] = true
		}
	}
	return v
}

// take counts what samples say about the generator.
func (v *vitals) take(samples []loadtest.Sample) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for i := range samples {
		s := &samples[i]
		v.planned++
		switch {
		case s.Outcome == loadtest.OwnFault:
			v.faults[s.Class]++
		case s.Outcome == loadtest.Dropped && s.Class == classLate:
			v.late++
		case s.Outcome != loadtest.Dropped:
			v.sent++
		}
		if v.judged[s.Phase] && s.Class != classEnded {
			_ = v.lag.RecordValue(min(int64((s.SelfLag()+time.Microsecond-1)/time.Microsecond), v.lag.HighestTrackableValue()))
		}
	}
}

// sending counts a request that is sent now.
func (v *vitals) sending(now time.Duration) {
	at := now / burst
	v.sends.Lock()
	defer v.sends.Unlock()
	if at > v.sends.window {
		v.sends.window, v.sends.n = at, 0
	}
	v.sends.n++
	v.sends.most = max(v.sends.most, v.sends.n)
}

func (v *vitals) interrupted(at time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stopped = at
}

func (v *vitals) over(at time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.finished = at
}

// run reads once a second, until ctx ends.
func (v *vitals) run(ctx context.Context, now func() time.Duration) {
	tick := time.NewTicker(pulse)
	defer tick.Stop()
	for {
		v.add(read(now()))
		select {
		case <-tick.C:
		case <-ctx.Done():
			v.add(read(now()))
			return
		}
	}
}

func (v *vitals) add(r vital) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.pulses) == 0 {
		v.first = r
	}
	v.last = r
	v.rss = max(v.rss, r.rss)
	v.heap.add(r.at, r.heap)
	v.pulses = append(v.pulses, r)
	if len(v.pulses) <= window {
		return
	}
	from := v.pulses[0]
	v.pulses = v.pulses[1:]
	v.cores = max(v.cores, float64(r.cpu-from.cpu)/float64(r.at-from.at))
	v.delay = max(v.delay, quantile(from.delays, r.delays, 0.99))
}

// read takes a reading.
func read(at time.Duration) vital {
	r := vital{at: at, rss: resident()}
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err == nil {
		r.cpu = time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/sched/latencies:seconds"}}
	metrics.Read(samples)
	if samples[0].Value.Kind() == metrics.KindUint64 {
		r.heap = samples[0].Value.Uint64()
	}
	if samples[1].Value.Kind() == metrics.KindFloat64Histogram {
		r.delays = samples[1].Value.Float64Histogram()
	}
	return r
}

// resident is the memory that the process holds, in bytes; 0 if nobody says.
func resident() uint64 {
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(raw))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseUint(fields[1], 10, 64)
	return pages * uint64(os.Getpagesize())
}

// quantile returns the q-quantile of what was added to a histogram, evenly
// spread within its bucket.
func quantile(before, after *metrics.Float64Histogram, q float64) time.Duration {
	if before == nil || after == nil {
		return 0
	}
	total := uint64(0)
	for i := range after.Counts {
		total += after.Counts[i] - before.Counts[i]
	}
	rank, seen := q*float64(total), 0.0
	for i := range after.Counts {
		n := float64(after.Counts[i] - before.Counts[i])
		if n == 0 || seen+n < rank {
			seen += n
			continue
		}
		lower, upper := after.Buckets[i], after.Buckets[i+1]
		if math.IsInf(upper, 1) {
			upper = lower
		}
		if math.IsInf(lower, -1) {
			lower = upper
		}
		return time.Duration((lower + (upper-lower)*(rank-seen)/n) * float64(time.Second))
	}
	return 0
}
