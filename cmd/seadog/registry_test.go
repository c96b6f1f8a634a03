package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/metrics"
	"github.com/seadog/seadog/deployer/sqlite"
	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// catalogue is the file that dashboards, rules and thresholds rely on: the name,
// type and help of everything that the service exports under its own prefix.
const catalogue = "testdata/metrics.txt"

// newTestRegistry is that of an admin process of a service with one worker: this
// process.
func newTestRegistry(t *testing.T) *registry {
	t.Helper()
	layout := scoreboard.Layout{Counters: counterNames(), Routes: routeNames()}
	for _, pool := range []string{poolHTTP, poolRunner, poolAdmin} {
		layout.Pools = append(layout.Pools, scoreboard.PoolLayout{Name: pool, Regions: 2, Slots: 1})
	}
	board, file, err := scoreboard.Create(layout)
	if err != nil {
		t.Fatal(err)
	}
	board.Master().Begin(time.Now())
	board.Pools()[0].Set(scoreboard.Places, 1)
	worker, err := board.Pools()[0].Region(0)
	if err != nil {
		t.Fatal(err)
	}
	worker.Begin(1, 0)
	worker.SetPID(os.Getpid())
	worker.SetState(watchdog.Ready)
	store, err := sqlite.Open(t.Context(), sqlite.Config{
		Path: filepath.Join(t.TempDir(), "seadog.db"), Log: slog.New(slog.DiscardHandler), Observe: newRecorder(worker).Stored,
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := newRegistry(source{
		board: board, store: store, providers: []deployer.Provider{deployer.GitHub},
		engine: func() metrics.Engine { return metrics.Engine{Up: true} },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- r.deployer.Run(ctx) }()
	go func() { done <- r.watchdog.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		for _, err := range []error{<-done, <-done, store.Close(), board.Close(), file.Close()} {
			if err != nil {
				t.Error(err)
			}
		}
	})
	for deadline := time.Now().Add(20 * time.Second); ; { // until everything was read once
		if testutil.CollectAndCount(r.deployer, "seadog_queue_depth") == 1 && testutil.CollectAndCount(r.watchdog, "seadog_worker_resident_bytes") == 1 {
			return r
		}
		if time.Now().After(deadline) {
			t.Fatal("neither the store nor the kernel tell anything")
		}
	}
}

func TestTheCatalogueOfMetricsIsExact(t *testing.T) {
	t.Parallel()
	families, err := newTestRegistry(t).Gather()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, f := range families { // sorted by name
		if strings.HasPrefix(f.GetName(), "seadog_") {
			fmt.Fprintf(&text, "%s %s %s\n", f.GetName(), strings.ToLower(f.GetType().String()), f.GetHelp())
		}
	}
	if *update {
		if err := os.WriteFile(catalogue, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(catalogue)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text.String()); diff != "" {
		t.Errorf("%s is not what is exported (go test ./cmd/seadog -run Catalogue -update):\n%s", catalogue, diff)
	}
}

func TestNamesOfMetricsFollowTheRules(t *testing.T) {
	t.Parallel()
	problems, err := testutil.GatherAndLint(newTestRegistry(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "seadog_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// TestEverythingThatProcessesCountIsShown: what a recorder counts in the region
// of any pool ends up in the registry.
func TestEverythingThatProcessesCountIsShown(t *testing.T) {
	t.Parallel()
	r := newTestRegistry(t)
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "seadog_store_call_duration_seconds" {
			for _, m := range f.GetMetric() {
				if m.GetLabel()[0].GetValue() == string(deployer.StoreRead) && m.GetHistogram().GetSampleCount() > 0 {
					return
				}
			}
		}
	}
	t.Error("the calls of the store that the registry itself made are not shown")
}
