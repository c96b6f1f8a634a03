package attack

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/seadog/seadog/loadtest"
)

// Limits of the rules by which a generator is believed.
const (
	leastLag = time.Millisecond // G1
	// shareOfLag is of the tightest limit of a latency, and where none is judged of
	// the second by which everything else is counted.
	shareOfLag  = 0.1
	lostShare   = 0.001 // G2
	cpuShare    = 0.85  // G3
	mostDelay   = 5 * time.Millisecond
	ringShare   = 0.001    // G5
	heapHour    = 64 << 20 // G7: bytes an hour, and
	heapGrowth  = 8 << 20  // bytes in all: below both it is noise
	quantileLag = 99
)

// facts are what the rules look at.
type facts struct {
	lag      time.Duration // p99 of self_lag
	lagLimit time.Duration
	planned  uint64
	late     uint64 // not sent through our fault
	cores    float64
	procs    int
	delay    time.Duration
	hits     uint64 // that had a request made for them
	empty    uint64 // of those, it was not ready
	waited   uint64 // samples that had to wait
	lost     uint64 // samples
	faults   map[string]uint64
	heap     heap
	null     *loadtest.Calibration
}

// rules judges the generator.
func rules(f *facts) []loadtest.Rule {
	rule := func(id, name string, ok bool, value, limit string) loadtest.Rule {
		return loadtest.Rule{ID: id, Name: name, OK: ok, Value: value, Limit: limit}
	}
	queue := f.empty + f.waited
	hour, growth, long := f.heap.slope()
	slope := "the run is too short"
	if long {
		slope = fmt.Sprintf("%.1f MiB/h", hour/(1<<20))
	}
	null, nullOK, nullLimit := "not measured", true, "-"
	if c := f.null; c != nil {
		nullOK, nullLimit = c.OK, fmt.Sprintf("%.0f/s", c.Rate)
		null = fmt.Sprintf("%.0f/s, self_lag p99 %s", c.Achieved, c.Lag)
	}
	return []loadtest.Rule{
		rule("G1", "p99 of self_lag", f.lag <= f.lagLimit, f.lag.String(), f.lagLimit.String()),
		rule("G2", "hits that were not sent though a slot was free", share(f.late, f.planned) <= lostShare,
			fmt.Sprintf("%d of %d", f.late, f.planned), percent(lostShare)),
		rule("G3", "own CPU over 5 s", f.cores <= cpuShare*float64(f.procs), fmt.Sprintf("%.2f cores", f.cores),
			fmt.Sprintf("%.2f of %d", cpuShare*float64(f.procs), f.procs)),
		rule("G4", "p99 of the wait for a processor over 5 s", f.delay <= mostDelay, f.delay.String(), mostDelay.String()),
		rule("G5", "requests that were not ready, results that had to wait", share(queue, f.hits) <= ringShare && f.lost == 0,
			fmt.Sprintf("%d of %d, %d results lost", queue, f.hits, f.lost), percent(ringShare)),
		rule("G6", "descriptors and ports", len(f.faults) == 0, counted(f.faults), "none failed"),
		rule("G7", "growth of the own heap", !long || hour <= heapHour || growth <= heapGrowth, slope, "64 MiB/h"),
		rule("G8", "calibration against a server that does nothing", nullOK, null, nullLimit),
	}
}

// lagLimit is what p99 of self_lag may be: it must not show in what is judged.
func lagLimit(thresholds []loadtest.Threshold) time.Duration {
	tightest := time.Duration(0)
	for i := range thresholds {
		t := &thresholds[i]
		upper := t.Compare == loadtest.Less || t.Compare == loadtest.LessEqual
		timed := t.Metric == loadtest.MetricResponse || t.Metric == loadtest.MetricService || t.Metric == loadtest.MetricTTFB
		if t.Server || !upper || !timed || t.Unit != loadtest.Seconds || t.Limit <= 0 {
			continue
		}
		if limit := time.Duration(t.Limit * float64(time.Second)); tightest == 0 || limit < tightest {
			tightest = limit
		}
	}
	if tightest == 0 {
		tightest = time.Second
	}
	return max(leastLag, time.Duration(shareOfLag*float64(tightest)))
}

func share(part, of uint64) float64 {
	if of == 0 {
		return 0
	}
	return float64(part) / float64(of)
}

func percent(share float64) string { return fmt.Sprintf("%g%%", share*100) }

func counted(faults map[string]uint64) string {
	if len(faults) == 0 {
		return "none"
	}
	var all []string
	for _, class := range slices.Sorted(maps.Keys(faults)) {
		all = append(all, fmt.Sprintf("%s: %d", class, faults[class]))
	}
	return strings.Join(all, ", ")
}

// Generator says whether the generator can be believed, by what is known so far.
func (a *Attack) Generator() loadtest.GeneratorReport {
	v := a.vitals
	f := &facts{
		lagLimit: lagLimit(a.config.Scenario.Thresholds), procs: runtime.GOMAXPROCS(0),
		waited: a.outbox.waited.Load(), lost: a.outbox.lost.Load(), null: a.config.Calibration,
	}
	for _, l := range a.lanes {
		ready, empty := l.magazine.Counts()
		f.hits += ready + empty
		f.empty += empty
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	f.lag = time.Duration(v.lag.ValueAtQuantile(quantileLag)) * time.Microsecond
	f.planned, f.late, f.cores, f.delay, f.faults, f.heap = v.planned, v.late, v.cores, v.delay, v.faults, v.heap
	r := loadtest.GeneratorReport{Rules: rules(f), PeakCPU: v.cores, RSS: v.rss, Calibration: f.null, OK: true}
	for _, rule := range r.Rules {
		r.OK = r.OK && rule.OK
	}
	if elapsed := v.last.at - v.first.at; elapsed > 0 {
		r.CPU = float64(v.last.cpu-v.first.cpu) / float64(elapsed)
		r.PeakCPU = max(r.PeakCPU, r.CPU) // of a run that was shorter than a window
	}
	if v.stopped > 0 && v.finished > v.stopped {
		r.Stop = v.finished - v.stopped
	}
	v.sends.Lock()
	defer v.sends.Unlock()
	r.WorstSend = float64(v.sends.most) / burst.Seconds()
	return r
}
