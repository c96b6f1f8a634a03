package metrics

import (
	"strconv"
	"strings"
	"time"

	"github.com/seadog/seadog/deployer"
)

// Table is the list of everything that processes of the service count. The
// numbers themselves are kept elsewhere, by position, where they outlive the
// process that counted; so all processes must make the same table. It is never
// changed, and may be used concurrently.
type Table struct {
	routes, calls []string
	names         []string
	index         map[string]int // of names
	requests      map[RequestKind]int
	durations     map[string]int // where a histogram begins
	stored        map[deployer.StoreCall]int
}

// What is counted; the first part of a counter's name.
const (
	countRequest       = "request"
	countOverBudget    = "over_budget"
	countUnverified    = "unverified"
	countRecorded      = "recorded"
	countReaped        = "reaped"
	countStep          = "step"
	countDeployment    = "deployment"
	countQueued        = "queued"
	countStore         = "store"
	countStoreFailure  = "store_failure"
	countEngine        = "engine"
	countEngineFailure = "engine_failure"
	countBreakerOpened = "breaker_opened"
	countBreakerClosed = "breaker_closed"
)

// NewTable returns the table for an HTTP plane with those routes and an engine
// client with those calls.
func NewTable(routes, calls []string) *Table {
	t := &Table{routes: routes, calls: calls, index: map[string]int{}, requests: map[RequestKind]int{}, durations: map[string]int{}, stored: map[deployer.StoreCall]int{}}
	for _, route := range routes {
		t.add(countOverBudget, route)
		for _, class := range classes() {
			t.requests[RequestKind{route, class}] = t.add(countRequest, route, class)
		}
	}
	for _, p := range deployer.Providers() {
		t.add(countUnverified, string(p))
	}
	for _, result := range recordings() {
		t.add(countRecorded, result)
	}
	for _, cause := range causes() {
		t.add(countReaped, string(cause))
	}
	for _, end := range ends() {
		for _, step := range deployer.Steps() {
			t.histogram(stepBounds(), countStep, string(step), string(end))
		}
		t.histogram(stepBounds(), countDeployment, string(end))
	}
	t.histogram(stepBounds(), countQueued)
	for _, call := range deployer.StoreCalls() {
		t.stored[call] = t.histogram(callBounds(), countStore, string(call))
		t.add(countStoreFailure, string(call))
	}
	for _, call := range calls {
		t.histogram(callBounds(), countEngine, call)
		t.add(countEngineFailure, call)
	}
	t.add(countBreakerOpened)
	t.add(countBreakerClosed)
	return t
}

// Names returns the names of the counters in order: kind and labels, as in
// "request|/healthz|2xx", and for histograms a bucket's upper bound in seconds
// or "sum", as in "step|build|failed|30".
func (t *Table) Names() []string { return t.names }

func (t *Table) add(parts ...string) int {
	name := nameOf(parts...)
	t.index[name] = len(t.names)
	t.names = append(t.names, name)
	return len(t.names) - 1
}

// histogram adds a counter for each bucket, one above the last, and the sum in ns.
func (t *Table) histogram(bounds []time.Duration, parts ...string) (first int) {
	first = len(t.names)
	for _, b := range bounds {
		t.add(append(parts[:len(parts):len(parts)], strconv.FormatFloat(b.Seconds(), 'g', -1, 64))...)
	}
	t.add(append(parts[:len(parts):len(parts)], "+Inf")...)
	t.add(append(parts[:len(parts):len(parts)], "sum")...)
	t.durations[nameOf(parts...)] = first
	return first
}

func nameOf(parts ...string) string { return strings.Join(parts, "|") }

func classes() []string { return []string{"1xx", "2xx", "3xx", "4xx", "5xx"} }

// class returns the first digit of a status as Prometheus users write it.
func class(status int) string {
	if i := status/100 - 1; i >= 0 && i < len(classes()) {
		return classes()[i]
	}
	return "5xx"
}

// recordings are what can become of a delivery that is to be recorded.
func recordings() []string { return []string{"written", "overflow", "failed", "too_large"} }

// causes are why a deployment is reaped.
func causes() []deployer.Cause {
	return []deployer.Cause{deployer.CauseOwnerDied, deployer.CauseLeaseExpired, deployer.CauseCanceled, deployer.CauseShutdown}
}

// ends are how a deployment, or one of its steps, can end once it runs.
func ends() []deployer.Status {
	return []deployer.Status{deployer.Succeeded, deployer.Failed, deployer.TimedOut, deployer.Canceled, deployer.Interrupted}
}
