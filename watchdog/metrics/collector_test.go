package metrics_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/metrics"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

type fixture struct {
	t     *testing.T
	board *scoreboard.Board
	pool  *scoreboard.Pool
	reg   *prometheus.Registry
}

// start returns a collector of an empty scoreboard with the pools web and
// admin, which runs until the test ends.
func start(t *testing.T, change ...func(*metrics.Config)) *fixture {
	t.Helper()
	board, file, err := scoreboard.Create(scoreboard.Layout{
		Pools:    []scoreboard.PoolLayout{{Name: "web", Regions: 4, Slots: 8}, {Name: "admin", Regions: 2}},
		Counters: []string{"a"}, Routes: []string{"GET /", "GET /slow"},
	})
	if err != nil {
		t.Fatal(err)
	}
	cfg := metrics.Config{Board: board, Wait: 10 * time.Second, MaxAge: time.Nanosecond}
	for _, c := range change {
		c(&cfg)
	}
	f := &fixture{t: t, board: board, pool: board.Pools()[0], reg: prometheus.NewPedanticRegistry()}
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
		if err := board.Close(); err != nil {
			t.Error(err)
		}
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// worker begins an incarnation in that state, in this process.
func (f *fixture) worker(region, index int, state watchdog.State) *scoreboard.Region {
	f.t.Helper()
	r, err := f.pool.Region(region)
	if err != nil {
		f.t.Fatal(err)
	}
	r.Begin(uint64(100+region), index)
	r.SetPID(os.Getpid())
	r.SetState(state)
	r.Beat(scoreboard.Vitals{Goroutines: 10 + region, Runnable: 1, Latency: time.Duration(region) * time.Second})
	return r
}

// shows compares families, values and all.
func (f *fixture) shows(want string, names ...string) {
	f.t.Helper()
	if err := testutil.GatherAndCompare(f.reg, strings.NewReader(want), names...); err != nil {
		f.t.Error(err)
	}
}

// value returns one series, and false if it is not there.
func (f *fixture) value(name string, labels ...string) (float64, bool) {
	f.t.Helper()
	families, err := f.reg.Gather()
	if err != nil {
		f.t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
	series:
		for _, m := range family.GetMetric() {
			for i, l := range m.GetLabel() {
				if l.GetValue() != labels[i] {
					continue series
				}
			}
			return m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount()), true
		}
	}
	return 0, false
}

func (f *fixture) want(value float64, name string, labels ...string) {
	f.t.Helper()
	if got, ok := f.value(name, labels...); !ok || got != value {
		f.t.Errorf("%s%v is %v (there: %t), want %v", name, labels, got, ok, value)
	}
}

func TestNamesAndHelpAreInOrder(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.worker(0, 0, watchdog.Ready)
	problems, err := testutil.GatherAndLint(f.reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestWhatWasCountedIsShown(t *testing.T) {
	t.Parallel()
	f := start(t)
	r := f.worker(0, 0, watchdog.Ready)
	for soft, n := range map[scoreboard.Soft]uint64{
		scoreboard.SoftKills: 1, scoreboard.Recovered: 2, scoreboard.HangUps: 3, scoreboard.Shed: 4, scoreboard.Gates: 5,
		scoreboard.LateWrites: 6, scoreboard.LockStalls: 7, scoreboard.Collections: 8, scoreboard.CollectorCPU: uint64(9 * time.Second),
		scoreboard.LogLost: 10,
	} {
		r.Count(soft, n)
	}
	f.pool.Add(scoreboard.Lost, 11)
	f.pool.Add(scoreboard.Answered, 12)
	f.pool.Add(scoreboard.Moved, 13)
	f.pool.CountKill(watchdog.Deadlock)
	f.pool.CountEnd(watchdog.Memory)
	f.pool.CountIncident(watchdog.Deadlock)
	r.CountIncident(watchdog.Stalled)
	f.pool.ObserveDump(time.Second)
	r.Observe(1, 3*time.Second)
	f.board.Master().Begin(time.Unix(1_800_000_000, 0))
	f.board.Master().Pass()
	f.board.Master().Overslept(14 * time.Second)
	f.board.Master().SetLost(15)

	f.want(1, "seadog_watchdog_kills_total", "soft", "web", "harakiri")
	f.want(1, "seadog_watchdog_kills_total", "hard", "web", "deadlock")
	f.want(0, "seadog_watchdog_kills_total", "hard", "web", "wedged")
	f.want(2, "seadog_watchdog_recovered_requests_total", "web")
	f.want(3, "seadog_watchdog_hangups_total", "web")
	f.want(4, "seadog_watchdog_shed_requests_total", "web")
	f.want(5, "seadog_watchdog_suspect_gates_total", "web")
	f.want(6, "seadog_watchdog_late_writes_total", "web")
	f.want(7, "seadog_watchdog_lock_stalls_total", "web")
	f.want(8, "seadog_worker_gc_cycles_total", "web")
	f.want(9, "seadog_worker_gc_cpu_seconds_total", "web")
	f.want(10, "seadog_log_dropped_lines_total", "web")
	f.want(11, "seadog_watchdog_lost_requests_total", "web")
	f.want(12, "seadog_watchdog_answered_requests_total", "web")
	f.want(13, "seadog_watchdog_moved_connections_total", "web")
	f.want(1, "seadog_watchdog_recycles_total", "web", "memory")
	f.want(1, "seadog_watchdog_worker_ends_total", "web", "memory")
	f.want(0, "seadog_watchdog_worker_ends_total", "web", "crash")
	f.want(1, "seadog_watchdog_incidents_total", "web", "deadlock")
	f.want(1, "seadog_watchdog_incidents_total", "web", "stalled")
	f.want(1, "seadog_watchdog_dump_duration_seconds", "master", "web")
	f.want(0, "seadog_watchdog_dump_duration_seconds", "worker", "web")
	f.want(1, "seadog_http_request_duration_seconds", "web", "GET /slow")
	f.want(1_800_000_000, "seadog_start_time_seconds")
	f.want(1, "seadog_watchdog_passes_total")
	f.want(14, "seadog_watchdog_overslept_seconds_total")
	f.want(15, "seadog_log_dropped_lines_total", "master")
	if age, _ := f.value("seadog_watchdog_pass_age_seconds"); age <= 0 || age > 60 {
		t.Errorf("the last pass is %f s old", age)
	}
	if _, there := f.value("seadog_http_request_duration_seconds", "admin", "GET /slow"); there {
		t.Error("a pool without slots has requests")
	}
}

func TestHistogramsAreCumulative(t *testing.T) {
	t.Parallel()
	f := start(t)
	r := f.worker(0, 0, watchdog.Ready)
	for _, took := range []time.Duration{time.Millisecond, 20 * time.Millisecond, 30 * time.Millisecond, time.Minute} {
		r.Observe(0, took)
	}
	f.shows(`
# HELP seadog_http_request_duration_seconds How long requests took; for a stream, how long it lasted.
# TYPE seadog_http_request_duration_seconds histogram
`+buckets("GET /", map[string]int{
		"0.001": 1, "0.0025": 1, "0.005": 1, "0.01": 1, "0.025": 2, "0.03": 3, "0.05": 3, "0.1": 3, "0.2": 3, "0.25": 3,
		"0.5": 3, "1": 3, "2.5": 3, "5": 3, "10": 3, "30": 3, "+Inf": 4,
	}, "60.051")+buckets("GET /slow", map[string]int{
		"0.001": 0, "0.0025": 0, "0.005": 0, "0.01": 0, "0.025": 0, "0.03": 0, "0.05": 0, "0.1": 0, "0.2": 0, "0.25": 0,
		"0.5": 0, "1": 0, "2.5": 0, "5": 0, "10": 0, "30": 0, "+Inf": 0,
	}, "0"), "seadog_http_request_duration_seconds")
}

func TestWorkersAreShownByStateAndPlace(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.pool.Set(scoreboard.Places, 2)
	old := f.worker(0, 0, watchdog.Draining)
	f.worker(1, 0, watchdog.Ready).Promote()
	f.worker(2, -1, watchdog.Spare)
	f.worker(3, 0, watchdog.Starting)
	old.Use(3)
	now := scoreboard.Now()
	for i, phase := range []scoreboard.Phase{scoreboard.Running, scoreboard.Killed, scoreboard.Idle} {
		s := &old.Slots()[i]
		s.Set(scoreboard.Token(0).Next(scoreboard.Reading))
		s.Describe(scoreboard.Request{Route: 0, Begun: now - int64(time.Hour)})
		s.Set(scoreboard.Token(0).Next(phase))
	}
	f.want(1, "seadog_watchdog_workers", "web", "draining")
	f.want(1, "seadog_watchdog_workers", "web", "ready")
	f.want(0, "seadog_watchdog_workers", "web", "killed")
	f.want(2, "seadog_watchdog_workers_wanted", "web")
	f.want(1, "seadog_watchdog_workers_accepting", "web")
	f.want(3, "seadog_watchdog_connections", "web")
	f.want(2, "seadog_watchdog_requests_in_flight", "web")
	f.want(1, "seadog_watchdog_requests_stuck", "web")
	if age, _ := f.value("seadog_watchdog_oldest_request_age_seconds", "web"); age < 3600 || age > 4000 {
		t.Errorf("the oldest request is %f s old", age)
	}
	f.want(11, "seadog_worker_goroutines", "0", "web")        // the one that does the work
	f.want(12, "seadog_worker_goroutines", "spare", "web")    //
	f.want(10+13, "seadog_worker_goroutines", "extra", "web") // the one before and the one after it
	f.want(1, "seadog_worker_usage_up")
	for _, name := range []string{"seadog_worker_resident_bytes", "seadog_worker_open_fds", "seadog_worker_threads"} {
		one, ok := f.value(name, "0", "web")
		two, also := f.value(name, "extra", "web")
		if !ok || !also || one <= 0 || two < one {
			t.Errorf("%s is %v, and %v for two of them", name, one, two)
		}
	}
}

func TestHeartbeatsAreThoseOfWorkersThatShouldBeat(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.worker(0, 0, watchdog.Killed)
	f.want(0, "seadog_watchdog_heartbeat_age_seconds", "web")
	f.worker(1, 1, watchdog.Ready)
	for { // it ages
		if age, _ := f.value("seadog_watchdog_heartbeat_age_seconds", "web"); age > 0 && age < 60 {
			break
		}
	}
}

// TestProcessorTimeIsNotTakenBack: a worker is reaped before what it used is
// written down.
func TestProcessorTimeIsNotTakenBack(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.pool.Set(scoreboard.Places, 1)
	f.pool.AddCPU(0, time.Hour)
	r := f.worker(0, 0, watchdog.Ready)
	for burned := time.Now(); time.Since(burned) < 30*time.Millisecond; { // the kernel counts in steps of 10 ms
	}
	before, _ := f.value("seadog_worker_cpu_seconds_total", "0", "web")
	if before <= 3600 {
		t.Errorf("%f s are shown, want those of the dead and of the living", before)
	}
	r.SetSpent(time.Hour)
	f.want(7200, "seadog_worker_cpu_seconds_total", "0", "web")
	r.SetState(watchdog.Absent)
	if between, _ := f.value("seadog_worker_cpu_seconds_total", "0", "web"); between < before {
		t.Errorf("%f s are shown after %f", between, before)
	}
	f.pool.AddCPU(0, time.Hour)
	f.want(7200, "seadog_worker_cpu_seconds_total", "0", "web")
}

func TestACollectorThatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	f := start(t)
	for name, cfg := range map[string]metrics.Config{
		"no board":      {},
		"negative wait": {Board: f.board, Wait: -1},
		"foreign route": {Board: f.board, Routes: map[string][]string{"web": {"GET /other"}}},
	} {
		if _, err := metrics.New(prometheus.NewRegistry(), cfg); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if _, err := metrics.New(f.reg, metrics.Config{Board: f.board}); err == nil {
		t.Error("registered twice")
	}
}
