package metrics_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/metrics"
)

// store is a store that can hang and fail.
type store struct {
	tally deployer.Tally
	asked atomic.Int64
	fails atomic.Bool
	hangs atomic.Bool
}

func (s *store) Tally(ctx context.Context) (deployer.Tally, error) {
	s.asked.Add(1)
	if s.hangs.Load() {
		<-ctx.Done()
		return deployer.Tally{}, ctx.Err()
	}
	if s.fails.Load() {
		return deployer.Tally{}, errors.New("away")
	}
	return s.tally, nil
}

// clock is a time that tests move.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(c.at.Load(), 0) }
func (c *clock) advance(d time.Duration) { c.at.Add(int64(d / time.Second)) }

type fixture struct {
	*metrics.Recorder
	reg    *prometheus.Registry
	store  *store
	clock  *clock
	table  *metrics.Table
	values []uint64

	collector *metrics.Collector
}

func (f *fixture) counters() metrics.Counters { return f.table.Read(f.values) }

func start(t *testing.T, change ...func(*metrics.Config)) *fixture {
	t.Helper()
	f := &fixture{
		reg: prometheus.NewPedanticRegistry(), store: &store{}, clock: &clock{},
		table: metrics.NewTable([]string{"/healthz", "/hooks/{hook}"}, []string{"container list"}),
	}
	f.values = make([]uint64, len(f.table.Names()))
	f.Recorder = metrics.NewRecorder(f.table, func(i int, n uint64) { f.values[i] += n })
	f.clock.at.Store(1_800_000_000)
	f.store.tally = deployer.Tally{
		Deployments: map[deployer.Status]int64{deployer.Succeeded: 5, deployer.Failed: 2, deployer.Running: 1},
		Deliveries: map[deployer.DeliveryKind]int64{
			{Provider: deployer.GitHub, Verdict: deployer.VerdictQueued}:  7,
			{Provider: deployer.GitLab, Verdict: deployer.VerdictIgnored}: 3,
		},
		Queued: 4, Running: 2, Stalled: 1,
		OldestQueued: f.clock.now().Add(-90 * time.Second), OldestRunning: f.clock.now().Add(-80 * time.Second),
	}
	cfg := metrics.Config{
		Version: "v1.2.3", Providers: []deployer.Provider{deployer.GitHub},
		Store: f.store, Counters: f.counters, Now: f.clock.now, Wait: 10 * time.Second,
		Engine: func() metrics.Engine { return metrics.Engine{Up: true, Latency: 250 * time.Millisecond, Refused: 1} },
	}
	for _, c := range change {
		c(&cfg)
	}
	collector, err := metrics.New(f.reg, cfg)
	if err != nil {
		t.Fatal(err)
	}
	f.collector = collector
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- collector.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return f
}

// shows compares everything that is exposed, values and all.
func (f *fixture) shows(t *testing.T, want string, names ...string) {
	t.Helper()
	if err := testutil.GatherAndCompare(f.reg, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
}

func TestNamesAndHelpAreInOrder(t *testing.T) {
	t.Parallel()
	problems, err := testutil.GatherAndLint(start(t).reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestWhatTheStoreAndTheEngineTellIsShown(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.shows(t, `
# HELP seadog_build_info 1, with what this binary was built from.
# TYPE seadog_build_info gauge
seadog_build_info{goversion="`+runtime.Version()+`",version="v1.2.3"} 1
# HELP seadog_deliveries_total Decisions about verified webhook deliveries.
# TYPE seadog_deliveries_total counter
seadog_deliveries_total{decision="coalesced",provider="github"} 0
seadog_deliveries_total{decision="deferred",provider="github"} 0
seadog_deliveries_total{decision="duplicate",provider="github"} 0
seadog_deliveries_total{decision="ignored",provider="github"} 0
seadog_deliveries_total{decision="queued",provider="github"} 7
seadog_deliveries_total{decision="ignored",provider="gitlab"} 3
# HELP seadog_deployments_total Deployments that ended, by how.
# TYPE seadog_deployments_total counter
seadog_deployments_total{status="canceled"} 0
seadog_deployments_total{status="failed"} 2
seadog_deployments_total{status="interrupted"} 0
seadog_deployments_total{status="succeeded"} 5
seadog_deployments_total{status="superseded"} 0
seadog_deployments_total{status="timed_out"} 0
# HELP seadog_engine_breaker_open Processes that ask the Docker engine nothing because it did not answer them several times in a row.
# TYPE seadog_engine_breaker_open gauge
seadog_engine_breaker_open 1
# HELP seadog_engine_latency_seconds How long the Docker engine took for the last probe.
# TYPE seadog_engine_latency_seconds gauge
seadog_engine_latency_seconds 0.25
# HELP seadog_engine_up 1 if the Docker engine answered the last probe in time.
# TYPE seadog_engine_up gauge
seadog_engine_up 1
# HELP seadog_queue_depth Deployments that wait for a runner or a lock.
# TYPE seadog_queue_depth gauge
seadog_queue_depth 4
# HELP seadog_queue_oldest_age_seconds How long the oldest waiting deployment has waited; 0 if none waits.
# TYPE seadog_queue_oldest_age_seconds gauge
seadog_queue_oldest_age_seconds 90
# HELP seadog_running Deployments that run.
# TYPE seadog_running gauge
seadog_running 2
# HELP seadog_running_oldest_age_seconds How long the deployment has been running that has for longest; 0 if none runs.
# TYPE seadog_running_oldest_age_seconds gauge
seadog_running_oldest_age_seconds 80
# HELP seadog_running_stalled Deployments that run and whose step has been silent for half of what it may.
# TYPE seadog_running_stalled gauge
seadog_running_stalled 1
# HELP seadog_store_tally_age_seconds Age of the numbers that come from the store.
# TYPE seadog_store_tally_age_seconds gauge
seadog_store_tally_age_seconds 0
# HELP seadog_store_up 1 if the store answered this scrape in time, else 0 and its numbers are the last known ones.
# TYPE seadog_store_up gauge
seadog_store_up 1
`, "seadog_build_info", "seadog_deliveries_total", "seadog_deployments_total", "seadog_engine_breaker_open",
		"seadog_engine_latency_seconds", "seadog_engine_up", "seadog_queue_depth", "seadog_queue_oldest_age_seconds",
		"seadog_running", "seadog_running_oldest_age_seconds", "seadog_running_stalled", "seadog_store_tally_age_seconds", "seadog_store_up")
}

func TestAnEmptyQueueHasNoAge(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.store.tally = deployer.Tally{}
	f.shows(t, `
# HELP seadog_queue_oldest_age_seconds How long the oldest waiting deployment has waited; 0 if none waits.
# TYPE seadog_queue_oldest_age_seconds gauge
seadog_queue_oldest_age_seconds 0
`, "seadog_queue_oldest_age_seconds")
}

func TestManyScrapesAskTheStoreOncePerSecond(t *testing.T) {
	t.Parallel()
	f := start(t)
	for range 20 {
		if _, err := f.reg.Gather(); err != nil {
			t.Fatal(err)
		}
	}
	if n := f.store.asked.Load(); n != 1 {
		t.Errorf("asked %d times, want once", n)
	}
	f.clock.advance(time.Second)
	if _, err := f.reg.Gather(); err != nil {
		t.Fatal(err)
	}
	if n := f.store.asked.Load(); n != 2 {
		t.Errorf("asked %d times a second later, want twice", n)
	}
}

const storeUp = `
# HELP seadog_store_up 1 if the store answered this scrape in time, else 0 and its numbers are the last known ones.
# TYPE seadog_store_up gauge
seadog_store_up %
# HELP seadog_queue_depth Deployments that wait for a runner or a lock.
# TYPE seadog_queue_depth gauge
seadog_queue_depth 4
`

func (f *fixture) storeUp(t *testing.T, up string) {
	t.Helper()
	f.shows(t, strings.Replace(storeUp, "%", up, 1), "seadog_store_up", "seadog_queue_depth")
}

func TestWhileTheStoreIsAwayTheLastKnownNumbersAreShown(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.storeUp(t, "1")
	f.store.fails.Store(true)
	f.clock.advance(time.Minute)
	f.storeUp(t, "0")
	f.store.fails.Store(false)
	f.storeUp(t, "1")
}

func TestAStoreThatHangsDoesNotHoldUpAScrape(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *metrics.Config) { c.Timeout = time.Hour })
	f.storeUp(t, "1")
	f.store.hangs.Store(true)
	quick := start(t, func(c *metrics.Config) { c.Wait, c.Timeout, c.Store = 20*time.Millisecond, time.Hour, f.store })
	began := time.Now()
	quick.storeAway(t)
	quick.clock.advance(time.Second) // it has been waited for long enough
	for range 5 {
		quick.storeAway(t)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("six scrapes took %s", took)
	}
	if n := f.store.asked.Load(); n != 2 {
		t.Errorf("asked %d times, want one that hangs", n)
	}
}

func TestAStoreThatHangsIsDownWhenItHasBeenWaitedFor(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *metrics.Config) { c.Wait, c.Timeout = 20*time.Millisecond, time.Hour })
	for deadline := time.Now().Add(20 * time.Second); ; { // until the first tally is there, however slow this machine is
		if _, err := f.reg.Gather(); err != nil || time.Now().After(deadline) {
			t.Fatal("no tally", err)
		}
		if n := testutil.CollectAndCount(f.collector, "seadog_queue_depth"); n == 1 {
			break
		}
	}
	f.store.hangs.Store(true)
	f.clock.advance(time.Minute)
	f.storeUp(t, "1") // perhaps it is only slow
	f.clock.advance(time.Second)
	f.storeUp(t, "0")
}

// storeAway requires that the store is down and nothing of it is shown.
func (f *fixture) storeAway(t *testing.T) {
	t.Helper()
	f.shows(t, `
# HELP seadog_store_up 1 if the store answered this scrape in time, else 0 and its numbers are the last known ones.
# TYPE seadog_store_up gauge
seadog_store_up 0
`, "seadog_store_up", "seadog_queue_depth", "seadog_deployments_total", "seadog_deliveries_total")
}

func TestWhatIsNotWatchedIsNotShown(t *testing.T) {
	t.Parallel()
	f := start(t, func(c *metrics.Config) { c.Engine, c.Counters = nil, nil })
	families, err := f.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if name := family.GetName(); strings.Contains(name, "engine") || strings.Contains(name, "http") || strings.Contains(name, "reaped") {
			t.Errorf("%s is shown", name)
		}
	}
}

func TestACollectorThatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	if _, err := metrics.New(reg, metrics.Config{}); err == nil {
		t.Error("no error without a store")
	}
	if _, err := metrics.New(reg, metrics.Config{Store: &store{}, Wait: -1}); err == nil {
		t.Error("no error for a negative duration")
	}
	if _, err := metrics.New(reg, metrics.Config{Store: &store{}}); err != nil {
		t.Error(err)
	}
	if _, err := metrics.New(reg, metrics.Config{Store: &store{}}); err == nil {
		t.Error("no error when registered twice")
	}
}
