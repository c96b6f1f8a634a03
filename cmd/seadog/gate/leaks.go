package gate

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/leak"
	"github.com/seadog/seadog/loadtest/observe"
)

// watch looks at a service as long as it runs, so that leaks can be judged over
// all scenarios that shared it.
type watch struct {
	began    time.Time
	observer *observe.Observer // nil: it could not be watched
	stop     func()
}

func newWatch(s *service) *watch {
	w := &watch{began: time.Now(), stop: func() {}}
	o, err := observe.New(observe.Config{
		Target: loadtest.Target{PID: s.child.PID(), Metrics: loadtest.Endpoint{URL: s.admin + "/metrics"}, Every: time.Second},
		Since:  func() time.Duration { return time.Since(w.began) }, Log: s.gate.Log,
	})
	if err != nil {
		s.gate.Log.Warn("the service is not watched for leaks", deployer.KeyError, err)
		return w
	}
	w.observer = o
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = o.Run(ctx) })
	w.stop = func() { cancel(); wg.Wait() }
	return w
}

// grows are what may not grow for ever.
var grows = [...]loadtest.Metric{loadtest.MetricRSS, loadtest.MetricGoroutines, loadtest.MetricFDs}

// leaks judges a service that several scenarios shared, whose own slopes were
// not judged because they were too short. nil: there is nothing to judge.
func (s *service) leaks(g *gate) *loadtest.Report {
	if !s.sloped || s.watch == nil || s.watch.observer == nil {
		return nil
	}
	r := &loadtest.Report{
		Schema:   loadtest.SchemaVersion,
		Identity: loadtest.Identity{Scenario: "leaks", Description: "Memory, goroutines and descriptors over all runs of one service.", Started: s.watch.began, Elapsed: time.Since(s.watch.began), Target: s.url, Version: g.Options.Version},
		Server:   s.watch.observer.Series(),
	}
	r.Generator.OK = true
	for _, metric := range grows {
		for _, series := range r.Server {
			if series.Name != string(metric) {
				continue
			}
			l := leak.Test(series.Points, leak.Options{Series: series.Name, Unit: series.Unit, WarmUp: g.Options.Leak.WarmUp})
			r.Leaks = append(r.Leaks, l)
			if l.Verdict != loadtest.Pass {
				r.Reasons = append(r.Reasons, loadtest.Reason{Verdict: l.Verdict, Text: fmt.Sprintf("%s: %s", series.Name, l.Why)})
			}
		}
	}
	r.Verdict = loadtest.Decide(r.Reasons)
	r.Code = r.Verdict.Code()
	return r
}
