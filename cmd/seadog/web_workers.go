package main

import (
	"time"

	"github.com/seadog/seadog/deployer/web"
	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// webWorkers shows the scoreboard to the web UI. It implements [web.Workers].
type webWorkers struct{ board *scoreboard.Board }

// Look implements [web.Workers].
func (w webWorkers) Look() (web.Scoreboard, error) {
	sample := topSample{Layout: w.board.Layout(), Board: w.board.Snapshot()}
	var seen web.Scoreboard
	for _, p := range newTopReport(sample).Pools {
		pool := web.Pool{
			Name: p.Name, Places: p.Places, Accepting: p.Accepting, Backlog: p.Backlog, BacklogMax: p.BacklogMax,
			Requests: p.Requests, SoftKills: p.SoftKills, Kills: p.Kills, Lost: p.Lost, Answered: p.Answered, Moved: p.Moved,
			Gates: p.Gates, Shed: p.Shed, HangUps: p.HangUps,
		}
		for _, one := range p.Workers {
			pool.Workers = append(pool.Workers, webWorker(one))
		}
		seen.Pools = append(seen.Pools, pool)
	}
	return seen, nil
}

func webWorker(w topWorker) web.Worker {
	shown := web.Worker{
		Name: w.Worker, Incarnation: w.Incarnation, PID: w.PID, State: w.State, Accepting: w.Accepting,
		Spare: w.State == watchdog.Spare.String(), Age: milliseconds(w.AgeMS), Heartbeat: milliseconds(w.HeartbeatAgeMS),
		Requests: w.Requests, Connections: w.Connections, Abandoned: w.Abandoned, Goroutines: w.Goroutines, Runnable: w.Runnable,
		Latency: time.Duration(w.LatencyUS) * time.Microsecond, Procs: w.Procs, Dumping: milliseconds(w.DumpingMS), Deadlock: w.Deadlock,
	}
	for _, s := range w.Busy {
		shown.Busy = append(shown.Busy, web.Slot{
			Number: s.Slot, Phase: s.Phase, Request: s.Request, Route: s.Route, Client: s.Client, Stream: s.Stream,
			Age: milliseconds(s.AgeMS), Silent: milliseconds(s.SilentMS), SoftLeft: leftOf(s.SoftLeftMS), HardLeft: leftOf(s.HardLeftMS),
			Abandoned: milliseconds(s.AbandonedMS),
		})
	}
	return shown
}

func leftOf(ms *int64) *time.Duration {
	if ms == nil {
		return nil
	}
	d := milliseconds(*ms)
	return &d
}
