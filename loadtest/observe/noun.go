package observe

import (
	dto "github.com/prometheus/client_model/go"

	"github.com/seadog/seadog/loadtest"
)

// rank is how well a source says a noun; the better one wins, for good: a
// series that changed its source half-way would look like a jump.
type rank int

const (
	unheard  rank = iota
	exported      // by a client library: of the one process that answers
	outside       // /proc: of the whole tree of processes
	workers       // seadog's own, of every worker
)

// source is a metric that tells a noun.
type source struct {
	noun   loadtest.Metric
	metric string
	rank   rank
}

// sources in order: of those of the same noun and rank the first that is there.
// What is live after a garbage collection has no sawtooth, so it goes first.
var sources = [...]source{
	{loadtest.MetricRSS, "seadog_worker_resident_bytes", workers},
	{loadtest.MetricGoroutines, "seadog_worker_goroutines", workers},
	{loadtest.MetricHeapLive, "seadog_worker_heap_live_bytes", workers},
	{loadtest.MetricFDs, "seadog_worker_open_fds", workers},
	{loadtest.MetricRSS, "process_resident_memory_bytes", exported},
	{loadtest.MetricFDs, "process_open_fds", exported},
	{loadtest.MetricThreads, "go_threads", exported},
	{loadtest.MetricGoroutines, "go_goroutines", exported},
	{loadtest.MetricHeapLive, "go_gc_heap_live_bytes", exported},
	{loadtest.MetricHeapLive, "go_memstats_heap_alloc_bytes", exported},
}

// noun is a value that a source gave.
type noun struct {
	name  loadtest.Metric
	value float64
	rank  rank
}

// nouns returns what the metrics of a service say about it: sums over all
// series of the best source.
func nouns(families map[string]*dto.MetricFamily) []noun {
	var out []noun
	known := map[loadtest.Metric]bool{}
	for _, s := range sources {
		family, there := families[s.metric]
		if !there || known[s.noun] {
			continue
		}
		known[s.noun] = true
		sum := 0.0
		for _, m := range family.Metric {
			for _, r := range flatten(s.metric, family.GetType(), m) {
				sum += r.value
			}
		}
		out = append(out, noun{s.noun, sum, s.rank})
	}
	return out
}
