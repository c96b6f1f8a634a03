package queue_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/queue"
)

// scene is everything around a reaper, and what it did, in order.
type scene struct {
	mu      sync.Mutex
	running []deployer.Deployment
	storeOK bool
	hangs   bool
	sweepOK bool
	grace   time.Duration // what a sweep takes
	deaths  chan struct{}
	live    map[int]deployer.Liveness // by pid
	done    []string
}

func newScene(running ...deployer.Deployment) *scene {
	return &scene{running: running, storeOK: true, sweepOK: true, deaths: make(chan struct{}), live: make(map[int]deployer.Liveness)}
}

func (s *scene) note(format string, args ...any) {
	s.done = append(s.done, fmt.Sprintf(format, args...))
}

func (s *scene) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// seen returns what was done since the last time it was asked.
func (s *scene) seen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	done := s.done
	s.done = nil
	return done
}

func (s *scene) Abandoned(ctx context.Context) ([]deployer.Deployment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hangs {
		s.mu.Unlock()
		<-ctx.Done()
		s.mu.Lock()
		return nil, ctx.Err()
	}
	if !s.storeOK {
		return nil, errors.New("away")
	}
	return slices.Clone(s.running), nil
}

func (s *scene) Reap(_ context.Context, d deployer.Deployment, r deployer.Result) (deployer.Deployment, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.storeOK {
		return d, false, errors.New("away")
	}
	s.note("reap %d %s %s", d.ID, r.Status, r.Cause)
	s.running = slices.DeleteFunc(s.running, func(e deployer.Deployment) bool { return e.ID == d.ID })
	d.Status = r.Status
	return d, true, nil
}

func (s *scene) sweep(_ context.Context, marker string) (int, error) {
	time.Sleep(s.grace)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note("sweep %s", marker)
	if !s.sweepOK {
		return 0, errors.New("will not die")
	}
	return 1, nil
}

func (s *scene) Reaped(cause deployer.Cause) { s.set(func() { s.note("count %s", cause) }) }

// run runs a reaper until the test calls the function that is returned.
func (s *scene) run(t *testing.T) (stop func()) {
	t.Helper()
	r, err := queue.NewReaper(queue.ReaperConfig{
		Store: s,
		Liveness: func(o deployer.Owner) deployer.Liveness {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.live[o.PID]
		},
		Sweep:    s.sweep,
		Ring:     func() { s.set(func() { s.note("ring") }) },
		Deaths:   s.deaths,
		Observer: s,
		Log:      slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// running is a deployment owned by a process.
func running(id int64, pid int, heard time.Time) deployer.Deployment {
	return deployer.Deployment{
		ID: id, Status: deployer.Running, Owner: &deployer.Owner{PID: pid}, HeartbeatAt: &heard, Marker: fmt.Sprintf("m%d", id),
	}
}

func want(t *testing.T, s *scene, what string, expected ...string) {
	t.Helper()
	synctest.Wait()
	if diff := cmp.Diff(expected, s.seen()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestADeadOwnersDeploymentIsReapedAtOnceAndItsLeftoversFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(running(1, 10, time.Now()), running(2, 20, time.Now()))
		s.live[10], s.live[20] = deployer.Dead, deployer.Alive
		defer s.run(t)()
		want(t, s, "at boot", "sweep m1", "reap 1 interrupted owner_died", "count owner_died", "ring")
		s.set(func() { s.live[20] = deployer.Dead })
		want(t, s, "before anybody tells")
		s.deaths <- struct{}{}
		want(t, s, "told of a death", "sweep m2", "reap 2 interrupted owner_died", "count owner_died", "ring")
	})
}

func TestAPassComesByItselfEvery5Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene()
		defer s.run(t)()
		want(t, s, "at boot")
		s.set(func() { s.running, s.live[10] = []deployer.Deployment{running(1, 10, time.Now())}, deployer.Dead })
		time.Sleep(4 * time.Second)
		want(t, s, "after 4 s")
		time.Sleep(2 * time.Second)
		want(t, s, "after 6 s", "sweep m1", "reap 1 interrupted owner_died", "count owner_died", "ring")
	})
}

func TestALeaseExpiresAfter30SecondsOfSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(running(1, 10, time.Now()))
		defer s.run(t)()
		time.Sleep(29 * time.Second)
		want(t, s, "after 29 s")
		time.Sleep(7 * time.Second)
		want(t, s, "after 36 s", "sweep m1", "reap 1 interrupted lease_expired", "count lease_expired", "ring")
	})
}

func TestSilenceBeforeTheStoreCouldBeHeardIsNoEvidence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		heard := time.Now()
		s := newScene(running(1, 10, heard), running(2, 20, heard))
		s.live[20] = deployer.Dead
		s.storeOK = false
		defer s.run(t)()
		time.Sleep(10 * time.Minute)
		want(t, s, "the store was away")
		s.set(func() { s.storeOK = true })
		time.Sleep(6 * time.Second)
		want(t, s, "it is back: only the dead", "sweep m2", "reap 2 interrupted owner_died", "count owner_died", "ring")
		s.set(func() { at := time.Now(); s.running[0].HeartbeatAt = &at })
		time.Sleep(27 * time.Second)
		want(t, s, "the other one was heard again")
	})
}

func TestLeftoversThatIgnoreTermDelayNoOtherTruth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene()
		s.grace = 2 * time.Second
		for id := range int64(10) {
			s.running = append(s.running, running(id+1, 10, time.Now()))
		}
		s.live[10] = deployer.Dead
		defer s.run(t)()
		time.Sleep(s.grace + time.Millisecond)
		synctest.Wait()
		if n := len(s.running); n > 0 {
			t.Errorf("after the grace of one, %d of ten still run", n)
		}
	})
}

func TestAStoreThatHangsOnlyCostsACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(running(1, 10, time.Now()))
		s.live[10], s.hangs = deployer.Dead, true
		defer s.run(t)()
		time.Sleep(9 * time.Second)
		s.set(func() { s.hangs = false })
		time.Sleep(7 * time.Second)
		want(t, s, "it answers again", "sweep m1", "reap 1 interrupted owner_died", "count owner_died", "ring")
	})
}

func TestLeftoversThatResistDelayTheTruthForOneLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(running(1, 10, time.Now()))
		s.live[10], s.sweepOK = deployer.Dead, false
		defer s.run(t)()
		want(t, s, "at boot", "sweep m1")
		time.Sleep(29 * time.Second)
		if done := s.seen(); slices.ContainsFunc(done, func(d string) bool { return d != "sweep m1" }) || len(done) < 5 {
			t.Errorf("got %v, want attempts", done)
		}
		time.Sleep(2 * time.Second)
		want(t, s, "after a lease", "sweep m1", "reap 1 interrupted owner_died", "count owner_died", "ring")
	})
}

func TestADeploymentThatStartedNothingNeedsNoSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := running(1, 10, time.Now())
		d.Marker, d.Owner = "", nil
		d.HeartbeatAt = nil
		d.StartedAt = new(time.Time)
		s := newScene(d)
		defer s.run(t)()
		time.Sleep(36 * time.Second)
		want(t, s, "its lease expired", "reap 1 interrupted lease_expired", "count lease_expired", "ring")
	})
}

func TestAReaperThatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	good := queue.ReaperConfig{
		Store: newScene(), Liveness: func(deployer.Owner) deployer.Liveness { return deployer.Alive },
		Sweep: newScene().sweep, Log: slog.New(slog.DiscardHandler),
	}
	for name, breaks := range map[string]func(*queue.ReaperConfig){
		"store":    func(c *queue.ReaperConfig) { c.Store = nil },
		"liveness": func(c *queue.ReaperConfig) { c.Liveness = nil },
		"sweep":    func(c *queue.ReaperConfig) { c.Sweep = nil },
		"log":      func(c *queue.ReaperConfig) { c.Log = nil },
		"duration": func(c *queue.ReaperConfig) { c.TTL = -1 },
	} {
		cfg := good
		breaks(&cfg)
		if _, err := queue.NewReaper(cfg); err == nil {
			t.Errorf("no error without %s", name)
		}
	}
	if _, err := queue.NewReaper(good); err != nil {
		t.Error(err)
	}
}
