package main

import (
	"strings"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/metrics"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// The scoreboard's counters have names of the form "kind|label|label". Master
// and workers are the same binary, so both derive the same list.
const (
	countRequest    = "request"
	countOverBudget = "over_budget"
	countReaped     = "reaped"
)

func counterNames() []string {
	var names []string
	for _, route := range httpRoutes() {
		names = append(names, counterName(countOverBudget, route))
		for _, class := range []string{"1xx", "2xx", "3xx", "4xx", "5xx"} {
			names = append(names, counterName(countRequest, route, class))
		}
	}
	for _, cause := range []deployer.Cause{
		deployer.CauseOwnerDied, deployer.CauseLeaseExpired, deployer.CauseCanceled, deployer.CauseShutdown,
	} {
		names = append(names, counterName(countReaped, string(cause)))
	}
	return names
}

func counterName(parts ...string) string { return strings.Join(parts, "|") }

// counting adds to the region of this worker. It is safe for concurrent use.
type counting struct {
	region *scoreboard.Region
	index  map[string]int
}

func newCounting(region *scoreboard.Region) counting {
	c := counting{region: region, index: map[string]int{}}
	for i, name := range counterNames() {
		c.index[name] = i
	}
	return c
}

func (c counting) add(parts ...string) {
	if i, ok := c.index[counterName(parts...)]; ok {
		c.region.Add(i, 1)
	}
}

// Request implements [httpd.Observer].
func (c counting) Request(route string, status int) {
	c.add(countRequest, route, string('0'+rune(status/100))+"xx")
}

// OverBudget implements [httpd.Observer].
func (c counting) OverBudget(route string) { c.add(countOverBudget, route) }

// Reaped implements [queue.Observer].
func (c counting) Reaped(cause deployer.Cause) { c.add(countReaped, string(cause)) }

// countersOf sums what all workers ever counted.
func countersOf(board *scoreboard.Board) metrics.Counters {
	sums := metrics.Counters{
		Requests:   map[metrics.RequestKind]uint64{},
		OverBudget: map[string]uint64{},
		Reaped:     map[deployer.Cause]uint64{},
	}
	snapshot := board.Snapshot()
	http, admin := snapshot.Pool(poolHTTP).Counters, snapshot.Pool(poolAdmin).Counters
	for i, name := range counterNames() {
		switch parts := strings.Split(name, "|"); parts[0] {
		case countRequest:
			sums.Requests[metrics.RequestKind{Route: parts[1], Class: parts[2]}] = http[i]
		case countOverBudget:
			sums.OverBudget[parts[1]] = http[i]
		case countReaped:
			sums.Reaped[deployer.Cause(parts[1])] = admin[i]
		}
	}
	return sums
}
