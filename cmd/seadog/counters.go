package main

import (
	"github.com/seadog/seadog/deployer/engine"
	"github.com/seadog/seadog/deployer/metrics"
	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// counterTable is what the deployer counts. The scoreboard keeps the numbers,
// so that they outlive the process that counted; master and workers are the same
// binary, so all derive the same table.
func counterTable() *metrics.Table { return metrics.NewTable(httpRoutes(), engine.Calls()) }

func counterNames() []string { return counterTable().Names() }

// newRecorder returns what a worker counts with, in its region.
func newRecorder(region *scoreboard.Region) *metrics.Recorder {
	t := counterTable()
	t.Settle(region.Value, region.Add)
	return metrics.NewRecorder(t, region.Add)
}

// countersOf sums what all workers ever counted.
func countersOf(t *metrics.Table, board *scoreboard.Board) metrics.Counters {
	sums := make([]uint64, len(t.Names()))
	for _, p := range board.Pools() {
		for _, r := range p.Regions() {
			for i := range sums {
				sums[i] += r.Value(i)
			}
		}
	}
	return t.Read(sums)
}

// refusals returns how many workers have stopped asking the engine.
func refusals(t *metrics.Table, board *scoreboard.Board) int {
	n := 0
	for _, p := range board.Pools() {
		for _, r := range p.Regions() {
			if r.State() != watchdog.Absent && t.BreakerOpen(r.Value) {
				n++
			}
		}
	}
	return n
}
