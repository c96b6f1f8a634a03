package lab

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/handoff"
	"github.com/seadog/seadog/watchdog/lock"
	"github.com/seadog/seadog/watchdog/metrics"
	"github.com/seadog/seadog/watchdog/service"
	"github.com/seadog/seadog/watchdog/worker"
)

const (
	name  = "lab"   // of pool and socket
	admin = "admin" // likewise, of the metrics
	slots = 4096
	grace = 15 * time.Second // for what is under way when a worker goes
)

// Run is the whole life of this process, be it the watchdog or, started again
// by that with c.Args, one of its workers. It returns nil after an orderly
// stop, by a signal or by the end of ctx.
func Run(ctx context.Context, c Config) error {
	if err := c.Validate(); err != nil {
		return err
	}
	graph := lock.New()
	listen, pools := []handoff.Spec{{Name: name, Address: c.Listen}}, []watchdog.Pool{c.pool()}
	if c.Admin != "" {
		p := metrics.Pool(admin)
		p.Args = c.Args
		listen, pools = append(listen, handoff.Spec{Name: admin, Address: c.Admin}), append(pools, p)
	}
	return service.Run(ctx, service.Config{
		Listen: listen,
		Pools:  pools,
		Routes: routeNames(),
		Data:   c.Data,
		Locks:  graph,
		Log:    c.Log, LogLost: c.LogLost, CountLost: c.CountLost,
		Serve: map[string]service.Serve{name: func(w *worker.Worker, intake, work context.Context) error {
			return c.serve(w, graph, intake, work)
		}, admin: metrics.Serve(admin)},
	})
}

// pool describes the workers. A bare one has no slots, so nothing is watched.
func (c Config) pool() watchdog.Pool {
	p := watchdog.Pool{Name: name, Count: c.Workers, Args: c.Args, Listeners: []string{name}, StopGrace: grace}
	if p.Count == 0 {
		p.Count = defaultWorkers
	}
	if c.Bare {
		return p
	}
	p.Slots, p.Spare = slots, true
	p.Policy = watchdog.Policy{
		Harakiri: c.Harakiri, Mercy: c.Mercy, Omit: c.Omit,
		Recycle: watchdog.Recycle{
			Requests: c.MaxRequests, Memory: c.MaxRSS, MemoryHard: 2 * c.MaxRSS,
			MinLifetime: time.Second, // whoever tries it out does not want to wait
		},
	}
	return p
}

// serve is the work of one worker.
func (c Config) serve(w *worker.Worker, graph *lock.Graph, intake, work context.Context) (err error) {
	var h *hooks
	if c.Database != "" {
		if h, err = openHooks(work, c.Database, c.Log); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, h.close()) }()
	}
	if c.Abrupt {
		context.AfterFunc(intake, func() { os.Exit(0) })
	}
	app := newApp(intake, w.Guard(), c, graph, h)
	return service.ServeUntil(intake, work, w, name, app.Listener)
}
