package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// poolRate returns answered requests per second, -1 if it is not known.
func (f topFrame) poolRate(p scoreboard.PoolState) float64 {
	seconds := f.seconds()
	if seconds <= 0 {
		return -1
	}
	before := f.Before.Board.Pool(p.Name)
	sum := 0.0
	for _, w := range p.Workers {
		sum += max(0, f.workerRate(w))
	}
	if now, then := requestsOf(p), requestsOf(before); now > then {
		sum = max(sum, float64(now-then)/seconds) // also of workers that are gone
	}
	return sum
}

// workerRate returns answered requests per second, -1 if it is not known.
func (f topFrame) workerRate(w scoreboard.Worker) float64 {
	seconds := f.seconds()
	if seconds <= 0 {
		return -1
	}
	for _, before := range f.Before.Board.Pool(w.ID.Pool).Workers {
		if before.Region == w.Region && before.Incarnation == w.Incarnation && before.Served <= w.Served {
			return float64(w.Served-before.Served) / seconds
		}
	}
	return -1
}

// seconds between the two samples; 0 if they are of different masters, or there is one.
func (f topFrame) seconds() float64 {
	if f.Before.PID != f.Now.PID || f.Before.Board.Now == 0 {
		return 0
	}
	return time.Duration(f.Now.Board.Now - f.Before.Board.Now).Seconds()
}

func (f topFrame) workers(t *terminal) []string {
	tb := topTable{columns: []topColumn{
		{title: "WORKER", keep: 9},
		{title: "PID", number: true, keep: 7},
		{title: "STATE", keep: 9},
		{title: "ACC", keep: 6},
		{title: "AGE", number: true, keep: 5},
		{title: "BEAT", number: true, keep: 8},
		{title: "REQS", number: true, keep: 4},
		{title: "REQ/S", number: true, keep: 7},
		{title: "BUSY", number: true, keep: 8},
		{title: "ABAND", number: true, keep: 6},
		{title: "GORTN", number: true, keep: 2},
		{title: "RUN", number: true, keep: 1},
	}}
	for _, p := range f.Now.Board.Pools {
		for _, w := range sortedWorkers(p) {
			if f.showsWorker(p.Name, w) {
				tb.add(f.workerRow(w)...)
			}
		}
	}
	return tb.lines(t, f.Width)
}

func sortedWorkers(p scoreboard.PoolState) []scoreboard.Worker {
	sorted := slices.Clone(p.Workers)
	place := func(w scoreboard.Worker) uint { return uint(w.ID.Index) } // spares last
	slices.SortStableFunc(sorted, func(a, b scoreboard.Worker) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a.Incarnation, b.Incarnation))
	})
	return sorted
}

func (f topFrame) workerRow(w scoreboard.Worker) []cell {
	beat := f.Now.Board.HeartbeatAge(w)
	late := plain
	if w.State.Serves() && beat > time.Second {
		late = red
	}
	taking := cell{"no", dim}
	if accepts(f.Now.Layout, w) {
		taking = cell{"yes", green}
	}
	abandoned := cell{fmt.Sprint(abandonedOf(w)), plain}
	if abandoned.text != "0" {
		abandoned.style = red
	}
	runnable := cell{fmt.Sprint(w.Vitals.Runnable), plain}
	if w.Vitals.Procs > 0 && w.Vitals.Runnable > 4*w.Vitals.Procs {
		runnable.style = yellow
	}
	return []cell{
		{placeName(w.ID), bold},
		{fmt.Sprint(w.PID), plain},
		workerState(w),
		taking,
		{length(time.Duration(max(0, f.Now.Board.Now-w.Started))), plain},
		{length(beat), late},
		{short(w.Served), plain},
		{perSecond(f.workerRate(w)), plain},
		{fmt.Sprint(len(w.Busy)), plain},
		abandoned,
		{fmt.Sprint(w.Vitals.Goroutines), plain},
		runnable,
	}
}

func workerState(w scoreboard.Worker) cell {
	switch {
	case w.Deadlock:
		return cell{"deadlock", red}
	case w.State == watchdog.Ready:
		return cell{w.State.String(), green}
	case w.State == watchdog.Spare || w.State == watchdog.Starting:
		return cell{w.State.String(), cyan}
	case w.State == watchdog.Draining || w.State == watchdog.Stopping:
		return cell{w.State.String(), yellow}
	}
	return cell{w.State.String(), red}
}

// matches reports whether one of the texts contains the filter.
func (f topFrame) matches(texts ...string) bool {
	wanted := strings.ToLower(f.Options.Filter)
	return slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(strings.ToLower(s), wanted) })
}

// showsWorker lets those pass that belong to a matching pool, or do something that matches.
func (f topFrame) showsWorker(pool string, w scoreboard.Worker) bool {
	return f.matches(pool) || slices.ContainsFunc(w.Busy, func(v scoreboard.View) bool { return f.showsView(pool, v) })
}

func (f topFrame) showsView(pool string, v scoreboard.View) bool {
	return f.matches(pool, f.route(v)) || !v.Torn && f.matches(v.Request.ID, v.Request.Client)
}

func (f topFrame) route(v scoreboard.View) string {
	if v.Torn {
		return ""
	}
	return routeName(f.Now.Layout, v.Request.Route)
}
