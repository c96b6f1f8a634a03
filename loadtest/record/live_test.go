package record_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/record"
)

func TestLiveShowsTheLastWholeSecond(t *testing.T) {
	t.Parallel()
	r := record.New(scenario())
	for i := range 100 {
		s := answer(3*time.Second+time.Duration(i)*10*ms, ms)
		if i >= 90 {
			s.Outcome, s.Class, s.Done = loadtest.Broken, "reset", s.Sent+9*ms
		}
		r.Take(&s)
	}
	want := record.Live{
		Sent: 100, Done: 90, Failed: 10, Gap: 400*ms - 9*ms + 10*ms,
		Last:   record.Moment{At: 3 * time.Second, Done: 90, Failed: 10, P50: 1003 * time.Microsecond, P99: 9 * ms, Max: 9 * ms},
		Errors: []loadtest.ErrorClass{{Class: "reset", Count: 10}},
	}
	near := cmp.Comparer(func(a, b time.Duration) bool { return (a - b).Abs() <= max(a, b)/100 })
	if diff := cmp.Diff(want, r.Live(4400*ms, 3500*ms), near); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	if got := r.Live(5500*ms, 3500*ms); got.Last != (record.Moment{At: 4 * time.Second}) || got.Gap != 1501*ms {
		t.Errorf("nothing ended in the last second, and it shows %+v and a gap of %s", got.Last, got.Gap)
	}
	if got := r.Live(5500*ms, 0); got.Gap != 0 {
		t.Errorf("nothing is under way, and there is a gap of %s", got.Gap)
	}
}

func TestLiveIsSafeBesideTake(t *testing.T) {
	t.Parallel()
	r := record.New(scenario())
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			live := r.Live(time.Hour, 0)
			if live.Sent < live.Done {
				t.Error("more was answered than sent")
			}
			r.Series()
			r.Errors()
			if _, err := r.Traffic(); err != nil {
				t.Error(err)
			}
		}
	})
	for i := range 20_000 {
		s := answer(time.Duration(1+i)*ms, ms)
		r.Take(&s)
	}
	close(stop)
	wg.Wait()
}

// A million results take no more memory than a thousand, whatever they say.
// Not parallel: it looks at the heap.
func TestMillionResultsTakeFiveMebibytesAtMost(t *testing.T) {
	results := 1_000_000
	if testing.Short() {
		results = 100_000
	}
	lengthy := strings.Repeat("x", 1000)
	texts := map[string]func(int) string{
		"all well":                func(int) string { return "" },
		"a million texts":         func(i int) string { return fmt.Sprintf("read: something went wrong (%d)", i) },
		"a million lengthy texts": func(i int) string { return fmt.Sprintf("%d %s", i, lengthy) },
	}
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			before := heap()
			r := record.New(scenario())
			for i := range results {
				s := answer(2*time.Second+time.Duration(i)*ms/10, time.Duration(i%5000)*time.Microsecond)
				if s.Class = text(i); s.Class != "" {
					s.Outcome = loadtest.Outcome(1 + i%(loadtest.Outcomes-1))
				}
				r.Take(&s)
			}
			if grown := heap() - before; grown > 5<<20 {
				t.Errorf("the heap grew by %.1f MiB", float64(grown)/(1<<20))
			} else {
				t.Logf("the heap grew by %.1f MiB", float64(grown)/(1<<20))
			}
			runtime.KeepAlive(r)
		})
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func BenchmarkTake(b *testing.B) {
	for name, every := range map[string]time.Duration{"30,000 a second": time.Second / 30_000, "1,000 a second": ms} {
		b.Run(name, func(b *testing.B) {
			r := record.New(scenario())
			samples := make([]loadtest.Sample, 1<<12)
			for i := range samples {
				took := time.Duration(200+i*7919%3000) * time.Microsecond
				samples[i] = answer(0, took)
				samples[i].Traffic, samples[i].Phase = i%2, 1
			}
			at := 3 * time.Second
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				s := samples[i&(1<<12-1)]
				at += every
				took := s.Done
				s.Done, s.Due, s.Ready, s.Slot, s.Sent, s.First = at, at-took, at-took, at-took, at-took, at-took/2
				r.Take(&s)
			}
		})
	}
}
