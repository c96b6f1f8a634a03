package attack_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest/attack"
)

func TestTheCanaryIsOverdueWhileItIsNotHeard(t *testing.T) {
	t.Parallel()
	c := attack.NewCanary(time.Second, 10*time.Second) // overdue for 1 s before, due at 10 s
	for at, want := range map[time.Duration]time.Duration{
		9 * time.Second: time.Second, 10 * time.Second: time.Second, 12 * time.Second: 3 * time.Second,
	} {
		if got := c.Overdue(at); got != want {
			t.Errorf("at %s: overdue for %s, want %s", at, got, want)
		}
	}
	if got := attack.NewCanary(0, 0).Overdue(0); got != 0 {
		t.Errorf("one that never sang is overdue for %s", got)
	}
}

func TestTheCanaryCountsWhatItIsLate(t *testing.T) {
	t.Parallel()
	start := time.Now()
	ctx, stop := context.WithCancel(context.Background())
	var c attack.Canary
	var run sync.WaitGroup
	run.Go(func() {
		if err := c.Run(ctx, func() time.Duration { return time.Since(start) }); err != nil {
			t.Error(err)
		}
	})
	for c.Overdue(0) == 0 { // before its first song it is not overdue at all
		<-time.After(time.Millisecond)
	}
	stop()
	run.Wait()
	if late := c.Overdue(0); late > time.Since(start) {
		t.Errorf("it was late for %s of %s", late, time.Since(start))
	}
}

func TestAWaitIsOursIfTheCanaryWasOverdueForMostOfIt(t *testing.T) {
	t.Parallel()
	for overdue, want := range map[time.Duration]time.Duration{0: 0, 49: 0, 50: 0, 51: 100, 100: 100} {
		if got := attack.OurFault(100, overdue); got != want {
			t.Errorf("overdue for %d of 100: got %d, want %d", overdue, got, want)
		}
	}
}

// TestSlotsThatWeHoldOurselvesAreOurFault: answers come, and nobody looks at
// them for a second.
func TestSlotsThatWeHoldOurselvesAreOurFault(t *testing.T) {
	t.Parallel()
	for _, frozen := range []bool{false, true} {
		sim := attack.Simulate(slow(4*time.Second), never, standstill(time.Second, 2*time.Second))
		if frozen {
			sim.Freeze(1010*time.Millisecond, 2*time.Second)
		}
		sim.Run(never)
		account(t, sim.All, 4000)
		self, slot := lateness(sim.All)
		if frozen && slot > self/100 || !frozen && self > slot/100 {
			t.Errorf("frozen %v: self_lag %s, slot_wait %s", frozen, self, slot)
		}
	}
}

func TestAnAlarmDoesNotRingEarlyAndEndsWithItsContext(t *testing.T) {
	t.Parallel()
	a, err := attack.NewAlarm()
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for _, d := range []time.Duration{-1, 0, time.Microsecond, time.Millisecond, 1500 * time.Microsecond, 20 * time.Millisecond} {
		began := time.Now()
		a.Sleep(context.Background(), d)
		if slept := time.Since(began); slept < d {
			t.Errorf("slept for %s, asked for %s", slept, d)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	a.Sleep(ctx, time.Hour)
}
