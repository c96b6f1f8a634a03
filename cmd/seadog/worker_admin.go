package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/metrics"
	"github.com/seadog/seadog/deployer/process"
	"github.com/seadog/seadog/deployer/queue"
	"github.com/seadog/seadog/deployer/transcript"
)

// sweepGrace is what leftovers of a dead runner get between TERM and KILL.
const sweepGrace = 2 * time.Second

// serveAdmin is the admin process: metrics and health, and the singletons under
// the keeper's lease.
func serveAdmin(j job, intake, work context.Context) (err error) {
	backends, err := j.backends(work)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, backends.close()) }()
	store := backends.store

	deaths := make(chan struct{}, 1)
	keeper, err := newKeeper(j, store, backends.self, deaths)
	if err != nil {
		return err
	}
	watch := newEngineWatch(backends.engine)
	registry, err := newRegistry(source{board: j.Board(), store: store, engine: watch.last, providers: providersOf(j.cfg)})
	if err != nil {
		return err
	}
	admin := metrics.Admin{
		Gatherer: registry,
		Checks: []metrics.Check{
			{Name: "store", Probe: store.Ping},
			{Name: "keeper", Probe: func(context.Context) error { return fresh(keeper.Beat()) }},
			{Name: "engine", Probe: watch.check, Advisory: true},
		},
		Log: j.log,
	}

	g, ctx := errgroup.WithContext(intake)
	g.Go(func() error { return keeper.Run(ctx) })
	g.Go(func() error { return registry.deployer.Run(ctx) })
	g.Go(func() error { return registry.watchdog.Run(ctx) })
	g.Go(func() error { return watch.Run(ctx) })
	g.Go(func() error { return hear(ctx, j, deaths) })
	if shared, ok := store.(listener); ok {
		g.Go(func() error { return shared.Listen(ctx, j.Doorbell(bellRunners).Ring) })
	}
	g.Go(func() error { return admin.Run(ctx, j.Listeners()[listenerAdmin]) })
	if err := j.Ready(); err != nil {
		j.log.Warn("master was not told", deployer.KeyError, err)
	}
	return g.Wait()
}

// listener is a store that other machines queue into as well; it says when.
type listener interface {
	Listen(ctx context.Context, ring func()) error
}

// newKeeper puts the singletons together.
func newKeeper(j job, store deployer.Store, owner deployer.Owner, deaths <-chan struct{}) (*queue.Keeper, error) {
	book := transcript.Book{Dir: filepath.Join(j.cfg.Data, "logs")}
	reaper, err := queue.NewReaper(queue.ReaperConfig{
		Store:    store,
		Liveness: func(o deployer.Owner) deployer.Liveness { return process.Liveness(o, owner) },
		Sweep:    func(ctx context.Context, marker string) (int, error) { return process.Sweep(ctx, marker, sweepGrace) },
		Ring:     j.Doorbell(bellRunners).Ring,
		Deaths:   deaths,
		Observer: j.recorder,
		Log:      j.log,
	})
	if err != nil {
		return nil, err
	}
	retention, err := queue.NewRetention(queue.RetentionConfig{
		Store:  store,
		Policy: j.cfg.Retention,
		Remove: func(_ context.Context, deployment int64) error {
			return errors.Join(book.Remove(deployment), removeWorktrees(j.cfg.Data, deployment))
		},
		Log: j.log,
	})
	if err != nil {
		return nil, err
	}
	singletons := []queue.Singleton{
		{Name: "retention", Run: retention.Run},
		{Name: "strays", Run: func(ctx context.Context) error { return cancelStrays(ctx, j, store) }},
		{Name: "transcripts", Run: func(ctx context.Context) error { return dropTranscripts(ctx, j, store, book) }},
	}
	if !j.broken.has(leaseOff) {
		singletons = append(singletons, queue.Singleton{Name: "reaper", Run: reaper.Run})
	}
	return queue.NewKeeper(queue.KeeperConfig{Store: store, Owner: owner, Singletons: singletons, Log: j.log})
}

// cancelStrays ends, once, what waits for projects that are not configured any
// more: no runner would ever claim it. Where machines share the store, another
// one may have the project.
func cancelStrays(ctx context.Context, j job, store deployer.Store) error {
	if _, shared := store.(listener); !shared {
		known := j.projects()
		waiting, err := store.Deployments(ctx, deployer.DeploymentFilter{Statuses: []deployer.Status{deployer.Queued}, Limit: 500})
		if err != nil {
			return err
		}
		for _, d := range waiting {
			if _, ok := known[d.Project]; ok {
				continue
			}
			if _, err := store.Cancel(ctx, d.ID, "seadog: the project is not configured any more"); err != nil {
				return err
			}
		}
	}
	<-ctx.Done()
	return nil
}

// dropTranscripts removes, once an hour, transcripts that are older than the
// configuration wants (without an age they go with their deployment), and the
// transcripts of deployments that the store forgot just before the service was killed.
func dropTranscripts(ctx context.Context, j job, store deployer.Store, book transcript.Book) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if age := j.cfg.LogRetention; age > 0 {
			if _, err := book.RemoveBefore(ctx, time.Now().Add(-age)); err != nil && ctx.Err() == nil {
				j.log.Warn("old transcripts not removed", deployer.KeyError, err)
			}
		}
		if err := dropForgotten(ctx, store, book); err != nil && ctx.Err() == nil {
			j.log.Warn("transcripts of forgotten deployments were not removed", deployer.KeyError, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func dropForgotten(ctx context.Context, store deployer.Store, book transcript.Book) error {
	ids, err := book.Deployments()
	if err != nil {
		return err
	}
	for _, id := range ids {
		_, err := store.Deployment(ctx, id)
		if err == nil {
			continue
		}
		if deployer.CodeOf(err) != deployer.CodeNotFound {
			return err
		}
		if err := book.Remove(id); err != nil {
			return err
		}
	}
	return nil
}

// removeWorktrees deletes what a deployment that is gone from the store left on disk.
func removeWorktrees(data string, deployment int64) error {
	left, err := filepath.Glob(filepath.Join(data, "projects", "*", "worktrees", strconv.FormatInt(deployment, 10)))
	for _, dir := range left {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	return err
}

// hear passes the deaths that the master rings for on to the reaper.
func hear(ctx context.Context, j job, deaths chan<- struct{}) error {
	for ctx.Err() == nil {
		if !j.Doorbell(bellAdmin).Wait(ctx, time.Minute) {
			continue
		}
		select {
		case deaths <- struct{}{}:
		default: // the reaper has one to look after already
		}
	}
	return nil
}

// keeperSilence is how long the store may leave the keeper without an answer
// before the service says that it is not ready.
const keeperSilence = 30 * time.Second

func fresh(beat time.Time) error {
	if beat.IsZero() || time.Since(beat) > keeperSilence {
		return errors.New("the store has not answered the keeper lately")
	}
	return nil
}
