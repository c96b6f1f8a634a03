package process_test

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog/process"
)

// TestLookingLeavesLittleGarbage: a collection that begins while a thread cannot
// be stopped ends the process, so looking for one must not bring it about.
func TestLookingLeavesLittleGarbage(t *testing.T) {
	var end atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for !end.Load() { //nolint:revive // the loop is what is looked at
		}
	}()
	const most = 32 << 10
	deadline := time.Now().Add(20 * time.Second)
	for seen := false; !seen; {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		used, err := process.Computing(t.Context(), 5, time.Millisecond)
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatal(err)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > most {
			t.Errorf("%d bytes were allocated, %d threads found", got, len(used))
			break
		}
		if seen = len(used) > 0; !seen && time.Now().After(deadline) {
			t.Error("the loop was not seen")
			break
		}
	}
	end.Store(true)
	<-done
}

func TestAnIdleProcessCanBeStopped(t *testing.T) {
	for range 20 {
		if tids, err := process.Unstoppable(t.Context()); err != nil || len(tids) > 0 {
			t.Errorf("threads %v, %v", tids, err)
		}
	}
}

func TestLinesOfAThreadAreRead(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]struct {
		cpu  time.Duration
		runs bool
	}{
		"12 (a) R 1) R 1 12 12 0 -1 4 0 0 0 0 7 5 0 0 20 0 9 0 4711": {120 * time.Millisecond, true},
		"12 (R) S 1 12 12 0 -1 4 0 0 0 0 7 5 0 0 20 0 9 0 4711":      {0, false},
		"12 (x) R 1 12": {0, false},
		"":              {0, false},
	} {
		if cpu, runs := process.ParseRunning([]byte(line)); cpu != want.cpu || runs != want.runs {
			t.Errorf("%q: %s, %v", line, cpu, runs)
		}
	}
	const status = "Name:\tx\nvoluntary_ctxt_switches:\t150\nnonvoluntary_ctxt_switches:\t7\n"
	if n := process.ParseWaits([]byte(status)); n != 150 {
		t.Errorf("it waited %d times", n)
	}
}
