package sched_test

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog/sched"
)

func TestQueuesForProcessorsAreSeen(t *testing.T) {
	var r sched.Reader
	if l := r.Read(); l.Goroutines < 1 || l.Procs != runtime.GOMAXPROCS(0) {
		t.Errorf("at rest: %+v", l)
	}
	var end atomic.Bool
	var wg sync.WaitGroup
	for range 20 * runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for !end.Load() {
			}
		})
	}
	deadline := time.Now().Add(20 * time.Second)
	for {
		l := r.Read()
		if l.Runnable > 4*l.Procs && l.Latency > time.Millisecond && l.Goroutines > 20 {
			break
		}
		if time.Now().After(deadline) {
			t.Errorf("under load: %+v", l)
			break
		}
		runtime.Gosched()
	}
	end.Store(true)
	wg.Wait()
	r.Read()
	if l := r.Read(); l.Runnable > 4*l.Procs {
		t.Errorf("afterwards: %+v", l)
	}
}
