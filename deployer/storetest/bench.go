package storetest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
)

// slice is how long each contestant runs before it is the other's turn.
const slice = 500 * time.Millisecond

// CompareAccept measures Accept of two stores with so many concurrent callers,
// in alternating slices of one run, since a disk is not the same for two runs
// in a row. It reports deliveries per second of both and their ratio.
func CompareAccept(b *testing.B, callers int, group, single deployer.Store) {
	b.Helper()
	var done, spent [2]int64
	for n := 0; b.Loop(); n++ {
		for i, s := range []deployer.Store{group, single} {
			begun := time.Now()
			count, err := Storm(b.Context(), s, fmt.Sprintf("%d-%d", callers, n), callers, slice)
			if err != nil {
				b.Fatal(err)
			}
			done[i] += count
			spent[i] += int64(time.Since(begun))
		}
	}
	rate := func(i int) float64 { return float64(done[i]) / time.Duration(spent[i]).Seconds() }
	b.ReportMetric(rate(0), "group/s")
	b.ReportMetric(rate(1), "single/s")
	b.ReportMetric(rate(0)/rate(1), "x-single")
	b.ReportMetric(0, "ns/op")
}

// Storm lets callers accept as many deliveries as they can for so long and
// returns how many were acknowledged. They push to 8 projects, with records of
// about 200 bytes; ids start with prefix.
func Storm(ctx context.Context, s deployer.Store, prefix string, callers int, long time.Duration) (int64, error) {
	var count atomic.Int64
	var wg sync.WaitGroup
	var once sync.Once
	var failed error
	end := time.Now().Add(long)
	for i := range callers {
		wg.Go(func() {
			for n := 0; time.Now().Before(end); n++ {
				if _, err := s.Accept(ctx, StormIntake(prefix, i, n)); err != nil {
					once.Do(func() { failed = err })
					return
				}
				count.Add(1)
			}
		})
	}
	wg.Wait()
	return count.Load(), failed
}

// StormIntake is the n-th delivery of a caller in [Storm].
func StormIntake(prefix string, caller, n int) deployer.Intake {
	o := push(fmt.Sprintf("project-%d", (caller+n)%8), "main", caller<<20|n)
	o.Message = "a message of the length that people write, which is some sixty bytes"
	in := hook(fmt.Sprintf("%08x-%s-%d-%d", uint32(caller*7919+n)*2654435761, prefix, caller, n), o)
	in.Hook = o.Project
	return in
}
