package metrics

import (
	"time"

	"github.com/seadog/seadog/deployer"
)

// Recorder counts what happens in one process. It is what the HTTP plane, the
// reaper, the runner, the store and the engine client are observed by. Its
// methods may be called concurrently; they only add.
type Recorder struct {
	table *Table
	to    func(counter int, n uint64)

	step, call histogramTo
}

// NewRecorder returns a recorder that adds to the counters of t, by position.
func NewRecorder(t *Table, add func(counter int, n uint64)) *Recorder {
	return &Recorder{
		table: t, to: add,
		step: histogramTo{t, add, stepBounds()},
		call: histogramTo{t, add, callBounds()},
	}
}

func (r *Recorder) add(parts ...string) {
	if i, ok := r.table.index[nameOf(parts...)]; ok {
		r.to(i, 1)
	}
}

// histogramTo observes durations.
type histogramTo struct {
	table  *Table
	to     func(counter int, n uint64)
	bounds []time.Duration
}

func (h histogramTo) observe(took time.Duration, parts ...string) {
	if first, ok := h.table.durations[nameOf(parts...)]; ok {
		h.at(first, took)
	}
}

func (h histogramTo) at(first int, took time.Duration) {
	took = max(0, took)
	i := 0
	for i < len(h.bounds) && took > h.bounds[i] {
		i++
	}
	h.to(first+i, 1)
	h.to(first+len(h.bounds)+1, uint64(took))
}

// Request counts one answer of a route.
func (r *Recorder) Request(route string, status int) {
	if i, ok := r.table.requests[RequestKind{route, class(status)}]; ok {
		r.to(i, 1)
	}
}

// OverBudget counts one request that asked the store more than it may.
func (r *Recorder) OverBudget(route string) { r.add(countOverBudget, route) }

// Unverified counts one delivery whose secret or signature was wrong.
func (r *Recorder) Unverified(p deployer.Provider) { r.add(countUnverified, string(p)) }

// Recorded counts one delivery that was to be recorded: "written", "overflow",
// "failed" or "too_large".
func (r *Recorder) Recorded(result string) { r.add(countRecorded, result) }

// Reaped counts one deployment that lost its owner.
func (r *Recorder) Reaped(cause deployer.Cause) { r.add(countReaped, string(cause)) }

// Step observes one step of a deployment.
func (r *Recorder) Step(step deployer.Step, end deployer.Status, took time.Duration) {
	r.step.observe(took, countStep, string(step), string(end))
}

// Deployed observes a deployment that has ended, and how long it had waited.
func (r *Recorder) Deployed(end deployer.Status, took, waited time.Duration) {
	r.step.observe(took, countDeployment, string(end))
	r.step.observe(waited, countQueued)
}

// Stored observes one call of the store; it is a [deployer.StoreObserver]. An
// answer that somebody does not like is no failure of the store.
func (r *Recorder) Stored(call deployer.StoreCall, took time.Duration, err error) {
	if first, ok := r.table.stored[call]; ok { // without making a name: there are thousands a second
		r.call.at(first, took)
	}
	if err == nil {
		return
	}
	if code := deployer.CodeOf(err); code == deployer.CodeUnavailable || code == deployer.CodeInternal {
		r.add(countStoreFailure, string(call))
	}
}

// Called observes one call of the engine.
func (r *Recorder) Called(call string, took time.Duration, failed bool) {
	r.call.observe(took, countEngine, call)
	if failed {
		r.add(countEngineFailure, call)
	}
}

// Breaker counts that the engine's breaker opens or closes.
func (r *Recorder) Breaker(open bool) {
	if open {
		r.add(countBreakerOpened)
		return
	}
	r.add(countBreakerClosed)
}
