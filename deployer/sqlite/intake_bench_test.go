package sqlite_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/sqlite"
	"github.com/seadog/seadog/deployer/storetest"
)

// BenchmarkIntake measures what a delivery costs in CPU time, which other work
// on the machine disturbs less than the time it takes. Each store stands for a
// worker process with so many connections: pushes to eight locked projects,
// whose deployments wait already. Ids follow one another, as those that contain
// the time, or are random, which touches as many pages as there are deliveries.
func BenchmarkIntake(b *testing.B) {
	for _, c := range []struct {
		stores, callers int
		ids             string
	}{{1, 32, "rising"}, {2, 32, "rising"}, {2, 32, "random"}, {2, 500, "rising"}} {
		b.Run(fmt.Sprintf("%dx%d/%s", c.stores, c.callers, c.ids), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "seadog.db")
			stores := make([]*sqlite.Store, c.stores)
			var commits [2]*atomic.Int64
			for i := range stores {
				var err error
				stores[i], commits[i], err = sqlite.OpenCounted(b.Context(), sqlite.Config{Path: path, Deadline: patience, Log: slog.New(slog.DiscardHandler)})
				if err != nil {
					b.Fatal(err)
				}
				defer stores[i].Close()
			}
			for i := range 8 {
				lock := deployer.Lock{Project: "project-" + strconv.Itoa(i), Owner: "bench", Reason: "benchmark"}
				if err := stores[0].Lock(b.Context(), lock); err != nil {
					b.Fatal(err)
				}
			}
			before := commits[0].Load()
			intake(b, stores, c.callers, c.ids == "random")
			b.ReportMetric(float64(b.N)/float64(len(stores))/float64(commits[0].Load()-before), "deliveries/batch")
		})
	}
}

// patience of the stores. The callers' is less, as it is in the service.
const patience = time.Hour

func intake(b *testing.B, stores []*sqlite.Store, callers int, random bool) {
	var sent atomic.Int64
	var all sync.WaitGroup
	models := make([]deployer.Order, 1024)
	for i := range models {
		models[i] = storetest.StormIntake("", 0, i).Wanted[0]
		models[i].Project = "project-" + strconv.Itoa(i%8)
	}
	b.ResetTimer()
	spent := used(b)
	for i := range len(stores) * callers {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(b.Context(), patience/2)
			defer cancel()
			for {
				n := sent.Add(1)
				if n > int64(b.N) {
					return
				}
				id := uint64(n)
				if random {
					id *= 0x9e3779b97f4a7c15 // odd, so that no two are the same
				}
				order := models[n%int64(len(models))]
				in := deployer.Intake{
					Hook: order.Project, Provider: deployer.GitHub, Event: "push", ReceivedAt: time.Now(), Bytes: 7 << 10,
					ExternalID: fmt.Sprintf("%016x-89ab-4def-8012", id),
					Wanted:     []deployer.Order{order},
				}
				if _, err := stores[i%len(stores)].Accept(ctx, in); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64((used(b)-spent).Microseconds())/float64(b.N), "cpu-us/op")
}

// used returns the CPU time of this process.
func used(b *testing.B) time.Duration {
	b.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
