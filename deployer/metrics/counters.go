package metrics

import (
	"time"

	"github.com/seadog/seadog/deployer"
)

// RequestKind is what requests are counted by.
type RequestKind struct {
	Route string // pattern, never a path
	Class string // "2xx" … "5xx"
}

// StepKind is what steps of deployments are counted by.
type StepKind struct {
	Step deployer.Step
	End  deployer.Status
}

// Counters is what all processes counted since the service started. Nothing in it
// ever goes down.
type Counters struct {
	Requests       map[RequestKind]uint64
	OverBudget     map[string]uint64 // by route
	Unverified     map[deployer.Provider]uint64
	Recorded       map[string]uint64 // by result
	Reaped         map[deployer.Cause]uint64
	Steps          map[StepKind]Histogram
	Deployments    map[deployer.Status]Histogram
	Queued         Histogram // how long deployments waited that have ended
	Store          map[deployer.StoreCall]Histogram
	StoreFailures  map[deployer.StoreCall]uint64
	Engine         map[string]Histogram // by call
	EngineFailures map[string]uint64
	BreakerOpened  uint64
}

// Read returns the counters whose values are these, in the order of [Table.Names].
func (t *Table) Read(values []uint64) Counters {
	v := reader{t, values}
	c := Counters{
		Requests: map[RequestKind]uint64{}, OverBudget: map[string]uint64{},
		Unverified: map[deployer.Provider]uint64{}, Recorded: map[string]uint64{}, Reaped: map[deployer.Cause]uint64{},
		Steps: map[StepKind]Histogram{}, Deployments: map[deployer.Status]Histogram{}, Queued: v.steps(countQueued),
		Store: map[deployer.StoreCall]Histogram{}, StoreFailures: map[deployer.StoreCall]uint64{},
		Engine: map[string]Histogram{}, EngineFailures: map[string]uint64{},
		BreakerOpened: v.count(countBreakerOpened),
	}
	for kind, i := range t.requests {
		c.Requests[kind] = v.at(i)
	}
	for _, route := range t.routes {
		c.OverBudget[route] = v.count(countOverBudget, route)
	}
	for _, p := range deployer.Providers() {
		c.Unverified[p] = v.count(countUnverified, string(p))
	}
	for _, result := range recordings() {
		c.Recorded[result] = v.count(countRecorded, result)
	}
	for _, cause := range causes() {
		c.Reaped[cause] = v.count(countReaped, string(cause))
	}
	for _, end := range ends() {
		for _, step := range deployer.Steps() {
			c.Steps[StepKind{step, end}] = v.steps(countStep, string(step), string(end))
		}
		c.Deployments[end] = v.steps(countDeployment, string(end))
	}
	for _, call := range deployer.StoreCalls() {
		c.Store[call] = v.calls(countStore, string(call))
		c.StoreFailures[call] = v.count(countStoreFailure, string(call))
	}
	for _, call := range t.calls {
		c.Engine[call] = v.calls(countEngine, call)
		c.EngineFailures[call] = v.count(countEngineFailure, call)
	}
	return c
}

// BreakerOpen reports whether the breaker of a process with these counters is open.
func (t *Table) BreakerOpen(value func(counter int) uint64) bool {
	return value(t.index[countBreakerOpened]) > value(t.index[countBreakerClosed])
}

// Settle closes, in the counters of a process that is gone, a breaker that was
// open when it went. Whoever goes on with its counters calls it once.
func (t *Table) Settle(value func(counter int) uint64, add func(counter int, n uint64)) {
	closed := t.index[countBreakerClosed]
	if opened := value(t.index[countBreakerOpened]); opened > value(closed) {
		add(closed, opened-value(closed))
	}
}

// reader finds values by name.
type reader struct {
	table  *Table
	values []uint64
}

func (r reader) at(i int) uint64 {
	if i >= len(r.values) {
		return 0
	}
	return r.values[i]
}

func (r reader) count(parts ...string) uint64 { return r.at(r.table.index[nameOf(parts...)]) }

func (r reader) steps(parts ...string) Histogram {
	return r.histogram(Histogram{Bounds: stepBounds()}, parts)
}

func (r reader) calls(parts ...string) Histogram {
	return r.histogram(Histogram{Bounds: callBounds()}, parts)
}

func (r reader) histogram(h Histogram, parts []string) Histogram {
	first := r.table.durations[nameOf(parts...)]
	for i := range len(h.Bounds) + 1 {
		h.Counts = append(h.Counts, r.at(first+i))
	}
	h.Sum = time.Duration(r.at(first + len(h.Bounds) + 1))
	return h
}
