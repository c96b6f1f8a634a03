package watchdog_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/watchdog"
)

// anySight returns a pool in any state, likely or not.
func anySight(r *rand.Rand) watchdog.Sight {
	age := func(most time.Duration) time.Duration { return time.Duration(r.Int64N(int64(most))) }
	s := watchdog.Sight{Places: 1 + r.IntN(9), Replaceable: r.IntN(2) == 0, Recycling: r.IntN(4) == 0}
	if r.IntN(4) == 0 {
		s.Late = age(3 * time.Second)
	}
	s.Policy = watchdog.Policy{Unavailable: 0.05 + 0.95*r.Float64(), Recycle: watchdog.Recycle{
		Requests: 1000, Lifetime: time.Hour, Memory: 100 << 20, MemoryHard: 200 << 20, Goroutines: 1000, Descriptors: 1000,
	}}
	calm := r.IntN(2) == 0 // else nothing would ever be recycled
	for i := range s.Places + r.IntN(3) {
		w := ready(i % s.Places)
		w.Incarnation = uint64(i) + 1
		w.Age, w.Requests, w.RSS, w.Heavy, w.Goroutines = age(2*time.Hour), r.Uint64N(2000), r.Int64N(300<<20), r.IntN(3), r.IntN(1200)
		if !calm {
			w.State, w.Ruled = watchdog.State(r.IntN(9)), watchdog.Reason(r.IntN(int(watchdog.Reasons)))
			if r.IntN(2) == 0 {
				w.State, w.Ruled = watchdog.Ready, watchdog.None
			}
			w.Accepting, w.Stopped, w.Deadlock = r.IntN(4) > 0, r.IntN(9) == 0, r.IntN(9) == 0
			w.Beat, w.Runnable, w.Latency = age(2500*time.Millisecond), r.IntN(40), age(time.Second)
			for range r.IntN(3) {
				w.Busy = append(w.Busy, watchdog.Task{
					Slot: r.IntN(9), Stream: r.IntN(3) == 0, Overdue: age(40*time.Second) - 20*time.Second,
					Abandoned: max(0, age(40*time.Second)-20*time.Second), Waiting: []string{"", "", "db", "api"}[r.IntN(4)],
				})
			}
		}
		s.Workers = append(s.Workers, w)
	}
	return s
}

func TestJudgeNeverGoesTooFar(t *testing.T) {
	t.Parallel()
	seen := map[watchdog.Reason]int{}
	for seed := range uint64(8_000) {
		s := anySight(rand.New(rand.NewPCG(seed, 1)))
		rulings := s.Judge()
		if fault := tooFar(s, rulings); fault != "" {
			t.Fatalf("seed %d: %s\n%+v\n%+v", seed, fault, rulings, s)
		}
		if diff := cmp.Diff(rulings, s.Judge()); diff != "" {
			t.Fatalf("seed %d: the same sight, other rulings:\n%s", seed, diff)
		}
		for _, r := range rulings {
			seen[r.Reason]++
		}
	}
	for _, r := range []watchdog.Reason{
		watchdog.Wedged, watchdog.Overdue, watchdog.Frozen, watchdog.Stopped, watchdog.Deadlock,
		watchdog.Requests, watchdog.Lifetime, watchdog.Memory, watchdog.MemoryHard, watchdog.Goroutines,
	} {
		if seen[r] < 20 {
			t.Errorf("%s was ruled %d times only: the test shows little", r, seen[r])
		}
	}
}

// tooFar says which promise the rulings break.
func tooFar(s watchdog.Sight, rulings []watchdog.Ruling) string {
	if s.Late > time.Second && len(rulings) > 0 {
		return "ruled after a late pass"
	}
	gone, condemned, recycled := map[uint64]bool{}, 0, 0
	for _, r := range rulings {
		if gone[r.Incarnation] {
			return "two rulings for one worker"
		}
		gone[r.Incarnation] = true
		switch {
		case r.Reason.Recycles():
			recycled++
		case r.Reason != watchdog.Frozen && r.Reason != watchdog.Stopped:
			condemned++
			delete(gone, r.Incarnation) // it works on until its replacement accepts
		}
	}
	accepted, accepts := 0, 0
	waiting := max(1, int(s.Policy.Unavailable*float64(s.Places)+1e-9))
	for _, w := range s.Workers {
		if w.State == watchdog.Quarantined || w.State == watchdog.Dumping || w.State == watchdog.Draining && w.Ruled.Kills() {
			waiting--
		}
		if w.Accepting && w.State == watchdog.Ready && w.Beat <= 250*time.Millisecond {
			accepted++
			if !gone[w.Incarnation] {
				accepts++
			}
		}
	}
	switch {
	case condemned > max(0, waiting):
		return "ruled beyond the budget"
	case recycled > 1 || recycled == 1 && (s.Recycling || len(rulings) > 1):
		return "two recycles"
	case recycled == 0 && accepted > 0 && accepts == 0:
		return "nobody accepts any more"
	case recycled == 1 && accepts < s.Places-1:
		return "recycled while another place does not accept"
	}
	return ""
}
