package engine

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// Bounds are the upper bounds of the latency buckets, in ascending order; one
// more bucket holds what took longer.
func Bounds() []time.Duration {
	return []time.Duration{
		5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond,
		250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
	}
}

// CallStats counts the calls of one kind since the client was made.
type CallStats struct {
	Calls    int64
	Failures int64         // of Calls, those that got no answer
	Total    time.Duration // of all Calls
	Last     time.Duration
	Buckets  []int64 // not cumulative; one per bound of [Bounds] and one above
}

// Stats is a snapshot of what a client saw of its engine.
type Stats struct {
	Breaker Breaker
	Calls   map[string]CallStats // by name of the call, such as "container list"
}

// Stats returns a snapshot.
func (c *Client) Stats() Stats {
	return Stats{Breaker: c.breaker.snapshot(), Calls: c.stats.snapshot()}
}

type stats struct {
	bounds []time.Duration

	mu    sync.Mutex
	calls map[string]CallStats
}

func newStats() *stats { return &stats{bounds: Bounds(), calls: map[string]CallStats{}} }

func (s *stats) add(op string, took time.Duration, failed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.calls[op]
	if c.Buckets == nil {
		c.Buckets = make([]int64, len(s.bounds)+1)
	}
	i, _ := slices.BinarySearch(s.bounds, took)
	c.Buckets[i]++
	c.Calls++
	c.Total += took
	c.Last = took
	if failed {
		c.Failures++
	}
	s.calls[op] = c
}

func (s *stats) snapshot() map[string]CallStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := maps.Clone(s.calls)
	for op, c := range out {
		c.Buckets = slices.Clone(c.Buckets)
		out[op] = c
	}
	return out
}
