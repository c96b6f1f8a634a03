package metrics

import (
	"maps"
	"sync"

	"github.com/seadog/seadog/deployer"
)

// RequestKind is what requests are counted by.
type RequestKind struct {
	Route string // pattern, never a path
	Class string // "2xx" … "5xx"
}

// Counters is a snapshot of what processes counted since the service started.
// Counters never go backwards.
type Counters struct {
	Requests   map[RequestKind]uint64
	OverBudget map[string]uint64 // by route
	Reaped     map[deployer.Cause]uint64
}

// Counts counts in memory; it observes the HTTP plane and the reaper. The zero value is ready; all methods may be called
// concurrently.
type Counts struct {
	mu       sync.Mutex
	counters Counters
}

// Request counts one answer of a route.
func (c *Counts) Request(route string, status int) {
	kind := RequestKind{Route: route, Class: class(status)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counters.Requests == nil {
		c.counters.Requests = make(map[RequestKind]uint64)
	}
	c.counters.Requests[kind]++
}

// OverBudget counts one request that asked the store more than it may.
func (c *Counts) OverBudget(route string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counters.OverBudget == nil {
		c.counters.OverBudget = make(map[string]uint64)
	}
	c.counters.OverBudget[route]++
}

// Reaped counts one deployment that lost its owner.
func (c *Counts) Reaped(cause deployer.Cause) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counters.Reaped == nil {
		c.counters.Reaped = make(map[deployer.Cause]uint64)
	}
	c.counters.Reaped[cause]++
}

// Snapshot returns a copy of everything counted so far.
func (c *Counts) Snapshot() Counters {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Counters{
		Requests:   maps.Clone(c.counters.Requests),
		OverBudget: maps.Clone(c.counters.OverBudget),
		Reaped:     maps.Clone(c.counters.Reaped),
	}
}

// class returns the first digit of a status as Prometheus users write it.
func class(status int) string {
	switch status / 100 {
	case 1:
		return "1xx"
	case 2:
		return "2xx"
	case 3:
		return "3xx"
	case 4:
		return "4xx"
	}
	return "5xx"
}
