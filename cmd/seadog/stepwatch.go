package main

import (
	"strconv"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/metrics"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// routeNames are what latencies are recorded for: the routes of HTTP workers,
// then the steps of runners.
func routeNames() []string {
	names := httpRoutes()
	for _, step := range deployer.Steps() {
		names = append(names, stepRoute(step))
	}
	return names
}

func stepRoute(s deployer.Step) string { return "step " + string(s) }

// stepWatch shows on the scoreboard what a runner is busy with, and how long that
// took: the master kills a runner whose step outlives every limit, and the commands with it. It
// implements [runner.Watch]; one goroutine uses it.
type stepWatch struct {
	recorder *metrics.Recorder
	region   *scoreboard.Region
	slot     *scoreboard.Slot
	routes   map[deployer.Step]int
}

func newStepWatch(region *scoreboard.Region, recorder *metrics.Recorder) *stepWatch {
	w := &stepWatch{recorder: recorder, region: region, slot: &region.Slots()[0], routes: map[deployer.Step]int{}}
	first := len(httpRoutes())
	for i, step := range deployer.Steps() {
		w.routes[step] = first + i
	}
	region.Use(1)
	return w
}

// Step implements [runner.Watch].
func (w *stepWatch) Step(d deployer.Deployment, step deployer.Step, limit time.Duration) (over func(deployer.Status)) {
	begun := scoreboard.Now()
	hard := int64(0)
	if limit > 0 {
		hard = begun + int64(limit)
	}
	token := w.slot.Token().Next(scoreboard.Reading)
	w.slot.Set(token)
	w.slot.Describe(scoreboard.Request{
		ID: strconv.FormatInt(d.ID, 10), Client: d.Project, Route: w.routes[step], Begun: begun, Hard: hard,
	})
	w.slot.Set(token.To(scoreboard.Running))
	return func(end deployer.Status) {
		w.slot.SetGroup(0)
		w.slot.Complete()
		w.slot.Set(token.Next(scoreboard.Empty))
		took := time.Duration(scoreboard.Now() - begun)
		w.region.Observe(w.routes[step], took)
		w.recorder.Step(step, end, took)
	}
}

// Group implements [runner.Watch].
func (w *stepWatch) Group(pgid int) { w.slot.SetGroup(pgid) }

// Over implements [runner.Watch].
func (w *stepWatch) Over(d deployer.Deployment, end deployer.Status, took time.Duration) {
	waited := time.Duration(0)
	if d.StartedAt != nil {
		waited = d.StartedAt.Sub(d.CreatedAt)
	}
	w.recorder.Deployed(end, took, waited)
}
