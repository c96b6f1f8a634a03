package metrics_test

import (
	"context"
	"errors"
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
	reg   *prometheus.Registry
	store *store
	clock *clock
	count metrics.Counts
}

func start(t *testing.T, change ...func(*metrics.Config)) *fixture {
	t.Helper()
	f := &fixture{reg: prometheus.NewPedanticRegistry(), store: &store{}, clock: &clock{}}
	f.clock.at.Store(1_800_000_000)
	f.store.tally = deployer.Tally{
		Deployments: map[deployer.Status]int64{deployer.Succeeded: 5, deployer.Failed: 2, deployer.Running: 1},
		Deliveries: map[deployer.DeliveryKind]int64{
			{Provider: deployer.GitHub, Verdict: deployer.VerdictQueued}:  7,
			{Provider: deployer.GitLab, Verdict: deployer.VerdictIgnored}: 3,
		},
		Queued: 4, Running: 1, OldestQueued: f.clock.now().Add(-90 * time.Second),
	}
	cfg := metrics.Config{
		Store: f.store, Counters: f.count.Snapshot, Now: f.clock.now, Wait: 10 * time.Second,
		Engine: func() metrics.Engine { return metrics.Engine{Up: true, Latency: 250 * time.Millisecond} },
	}
	for _, c := range change {
		c(&cfg)
	}
	collector, err := metrics.New(f.reg, cfg)
	if err != nil {
		t.Fatal(err)
	}
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

func TestEveryMetricHasItsNameLabelsAndValue(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.count.Request("/healthz", 200)
	f.count.Request("/healthz", 204)
	f.count.Request("/hooks/{hook}", 503)
	f.count.OverBudget("/api/v1/status")
	f.count.Reaped(deployer.CauseOwnerDied)
	f.count.Reaped(deployer.CauseOwnerDied)
	f.shows(t, `
# HELP seadog_deliveries_total Decisions about verified webhook deliveries.
# TYPE seadog_deliveries_total counter
seadog_deliveries_total{provider="github",verdict="queued"} 7
seadog_deliveries_total{provider="gitlab",verdict="ignored"} 3
# HELP seadog_deployments_total Deployments that ended, by how.
# TYPE seadog_deployments_total counter
seadog_deployments_total{status="canceled"} 0
seadog_deployments_total{status="failed"} 2
seadog_deployments_total{status="interrupted"} 0
seadog_deployments_total{status="succeeded"} 5
seadog_deployments_total{status="superseded"} 0
seadog_deployments_total{status="timed_out"} 0
# HELP seadog_engine_latency_seconds How long the Docker engine took for the last probe.
# TYPE seadog_engine_latency_seconds gauge
seadog_engine_latency_seconds 0.25
# HELP seadog_engine_up 1 if the Docker engine answered the last probe in time.
# TYPE seadog_engine_up gauge
seadog_engine_up 1
# HELP seadog_http_requests_total Answered HTTP requests.
# TYPE seadog_http_requests_total counter
seadog_http_requests_total{code="2xx",route="/healthz"} 2
seadog_http_requests_total{code="5xx",route="/hooks/{hook}"} 1
# HELP seadog_query_budget_exceeded_total Requests that asked the store more often than they may.
# TYPE seadog_query_budget_exceeded_total counter
seadog_query_budget_exceeded_total{route="/api/v1/status"} 1
# HELP seadog_queue_depth Deployments that wait for a runner or a lock.
# TYPE seadog_queue_depth gauge
seadog_queue_depth 4
# HELP seadog_queue_oldest_age_seconds How long the oldest waiting deployment has waited; 0 if none waits.
# TYPE seadog_queue_oldest_age_seconds gauge
seadog_queue_oldest_age_seconds 90
# HELP seadog_reaped_total Deployments that were ended because their owner was gone.
# TYPE seadog_reaped_total counter
seadog_reaped_total{cause="canceled"} 0
seadog_reaped_total{cause="lease_expired"} 0
seadog_reaped_total{cause="owner_died"} 2
# HELP seadog_running Deployments that run.
# TYPE seadog_running gauge
seadog_running 1
# HELP seadog_store_up 1 if the store answered this scrape in time, else 0 and its numbers are the last known ones.
# TYPE seadog_store_up gauge
seadog_store_up 1
`)
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
	f := start(t, func(c *metrics.Config) { c.Wait, c.Timeout = 20*time.Millisecond, time.Hour })
	for began := time.Now(); f.store.asked.Load() == 0 || time.Since(began) < 50*time.Millisecond; {
		if _, err := f.reg.Gather(); err != nil { // until the first tally is there, however slow this machine is
			t.Fatal(err)
		}
	}
	f.storeUp(t, "1")
	f.store.hangs.Store(true)
	f.clock.advance(time.Minute)
	began := time.Now()
	for range 5 {
		f.storeUp(t, "0")
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("five scrapes took %s", took)
	}
	if n := f.store.asked.Load(); n != 2 {
		t.Errorf("asked %d times, want one that hangs", n)
	}
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
