package attack_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/attack"
)

const usual = 100 * time.Microsecond // that an answer takes

// never is how late a dispatcher wakes up, or how long it works, at best.
func never(time.Duration) time.Duration { return 0 }

// between returns a function that is d from one time to another, and usually otherwise.
func between(from, to time.Duration, d, otherwise time.Duration) func(time.Duration) time.Duration {
	return func(at time.Duration) time.Duration {
		if at >= from && at < to {
			return d
		}
		return otherwise
	}
}

// standstill is a target that answers nothing from one time to another.
func standstill(from, to time.Duration) func(time.Duration) time.Duration {
	return func(sent time.Duration) time.Duration {
		if sent >= from && sent < to {
			return to - sent + usual
		}
		return usual
	}
}

// slow is a scenario of 1,000 hits a second with ten slots.
func slow(length time.Duration) *loadtest.Scenario {
	s := scenario("127.0.0.1:1", 1000, length)
	s.Client.MaxInflight = 10
	s.Client.LateLimit = 10 * time.Second
	return s
}

// account fails unless each of the hits that were planned is in one sample, and
// each sample's times add up.
func account(t *testing.T, all []loadtest.Sample, planned int) {
	t.Helper()
	seen := make([]bool, planned)
	for i := range all {
		s := &all[i]
		if s.Seq >= uint64(planned) || seen[s.Seq] {
			t.Fatalf("hit %d of %d is not one that was planned, or is there twice", s.Seq, planned)
		}
		seen[s.Seq] = true
		if s.Ready < s.Due || s.Slot < s.Ready || s.Done < s.Slot || s.Outcome != loadtest.Dropped && s.Sent < s.Slot {
			t.Fatalf("hit %d: due %s, ready %s, slot %s, sent %s, done %s", s.Seq, s.Due, s.Ready, s.Slot, s.Sent, s.Done)
		}
		late := s.Sent - s.Due
		if s.Outcome == loadtest.Dropped {
			late = s.Done - s.Due
		}
		if s.SelfLag()+s.SlotWait() != late {
			t.Fatalf("hit %d: %s late, self_lag %s, slot_wait %s", s.Seq, late, s.SelfLag(), s.SlotWait())
		}
	}
	if i := slices.Index(seen, false); i >= 0 {
		t.Fatalf("hit %d of %d is in no sample; there are %d", i, planned, len(all))
	}
}

// most returns the most that were sent within a tenth of a second.
func most(all []loadtest.Sample) int {
	var sent []time.Duration
	for i := range all {
		if all[i].Outcome != loadtest.Dropped {
			sent = append(sent, all[i].Sent)
		}
	}
	slices.Sort(sent)
	most, first := 0, 0
	for i, at := range sent {
		for sent[first] <= at-100*time.Millisecond {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

func p99(all []loadtest.Sample, of func(*loadtest.Sample) time.Duration) time.Duration {
	var values []time.Duration
	for i := range all {
		values = append(values, of(&all[i]))
	}
	slices.Sort(values)
	return values[len(values)*99/100]
}

func TestAStalledTargetIsTheTargetsFault(t *testing.T) {
	t.Parallel()
	sim := attack.Simulate(slow(8*time.Second), between(0, time.Hour, 50*time.Microsecond, 0), standstill(3*time.Second, 5*time.Second))
	sim.Run(between(0, time.Hour, 2*time.Microsecond, 0))
	account(t, sim.All, 8000)
	if got := most(sim.All); got > 220 {
		t.Errorf("%d were sent within a tenth of a second, of 100 nominal", got)
	}
	if sim.Peak > 10 {
		t.Errorf("%d were in flight, with ten slots", sim.Peak)
	}
	truth := p99(sim.All, func(s *loadtest.Sample) time.Duration { return standstill(3*time.Second, 5*time.Second)(s.Due) })
	if got := p99(sim.All, (*loadtest.Sample).Response); float64(got) < 0.95*float64(truth) || float64(got) > 1.05*float64(truth) {
		t.Errorf("p99 of response is %s, by the schedule %s", got, truth)
	}
	for i := range sim.All {
		s := &sim.All[i]
		if s.SelfLag() > 250*time.Microsecond {
			t.Fatalf("hit due %s: self_lag %s, slot_wait %s", s.Due, s.SelfLag(), s.SlotWait())
		}
	}
}

func TestAStarvedGeneratorIsItsOwnFault(t *testing.T) {
	t.Parallel()
	for name, spec := range map[string]struct {
		wakeUp, work func(time.Duration) time.Duration
	}{
		"woken late":      {between(3*time.Second, 3500*time.Millisecond, 500*time.Millisecond, 300*time.Microsecond), never},
		"slow to build":   {never, between(3*time.Second, 3500*time.Millisecond, 500*time.Millisecond, 0)},
		"short of cycles": {never, between(3*time.Second, 4*time.Second, 1500*time.Microsecond, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := attack.Simulate(slow(8*time.Second), spec.wakeUp, standstill(0, 0))
			sim.Run(spec.work)
			account(t, sim.All, 8000)
			if got := most(sim.All); got > 220 {
				t.Errorf("%d were sent within a tenth of a second, of 100 nominal", got)
			}
			if lag := p99(sim.All, (*loadtest.Sample).SelfLag); lag < 300*time.Millisecond {
				t.Errorf("p99 of self_lag is %s", lag)
			}
			for i := range sim.All {
				if s := &sim.All[i]; s.SlotWait() > usual {
					t.Fatalf("hit due %s: self_lag %s, slot_wait %s", s.Due, s.SelfLag(), s.SlotWait())
				}
			}
		})
	}
}

func TestEachIsBlamedForItsOwn(t *testing.T) {
	t.Parallel()
	sim := attack.Simulate(slow(10*time.Second),
		between(6*time.Second, 6300*time.Millisecond, 300*time.Millisecond, 0), standstill(2*time.Second, 3*time.Second))
	sim.Run(never)
	account(t, sim.All, 10_000)
	for i := range sim.All {
		s := &sim.All[i]
		switch {
		case s.Due < 6*time.Second && s.SelfLag() > 0:
			t.Fatalf("hit due %s: self_lag %s though only the target was slow", s.Due, s.SelfLag())
		case s.Due >= 6*time.Second && s.SlotWait() > usual:
			t.Fatalf("hit due %s: slot_wait %s though only the generator was slow", s.Due, s.SlotWait())
		}
	}
}

// TestAnOldFaultIsNotHeldAgainstTheGenerator: it was frozen for long, dropped
// what it could not send and caught up. What the target does then is its own.
func TestAnOldFaultIsNotHeldAgainstTheGenerator(t *testing.T) {
	t.Parallel()
	s := slow(16 * time.Second)
	s.Client.LateLimit = time.Second
	sim := attack.Simulate(s, between(time.Second, 2*time.Second, 8*time.Second, 0), standstill(12*time.Second, 13*time.Second))
	sim.Run(never)
	account(t, sim.All, 16_000)
	for i := range sim.All {
		if s := &sim.All[i]; s.Due >= 12*time.Second && s.SelfLag() > 0 {
			t.Fatalf("hit due %s: self_lag %s", s.Due, s.SelfLag())
		}
	}
}

// TestBothAtOnceAreBothBlamed: while the target stalls, the generator is frozen
// as well. It would have been late without the stall, and is blamed for that.
func TestBothAtOnceAreBothBlamed(t *testing.T) {
	t.Parallel()
	frozen := false
	work := func(at time.Duration) time.Duration {
		if at < 2*time.Second || frozen {
			return 0
		}
		frozen = true
		return 500 * time.Millisecond
	}
	sim := attack.Simulate(slow(6*time.Second), never, standstill(2*time.Second, 3*time.Second))
	sim.Run(work)
	account(t, sim.All, 6000)
	self := p99(sim.All, (*loadtest.Sample).SelfLag)
	slot := p99(sim.All, (*loadtest.Sample).SlotWait)
	if self < 400*time.Millisecond || self > 500*time.Millisecond || slot < 400*time.Millisecond || slot > time.Second {
		t.Errorf("self_lag %s, slot_wait %s", self, slot)
	}
}

func TestWhatCannotBeSentInTimeIsDroppedAtItsAge(t *testing.T) {
	t.Parallel()
	s := slow(8 * time.Second)
	s.Client.LateLimit = time.Second
	sim := attack.Simulate(s, never, standstill(2*time.Second, 5*time.Second))
	sim.Run(never)
	account(t, sim.All, 8000)
	dropped := 0
	for i := range sim.All {
		s := &sim.All[i]
		if s.Outcome != loadtest.Dropped {
			if late := s.Sent - s.Due; late > time.Second {
				t.Fatalf("hit due %s was sent %s late", s.Due, late)
			}
			continue
		}
		dropped++
		if age := s.Response(); age < time.Second || age > time.Second+time.Millisecond || s.Class != "not sent: all slots were busy" || s.Sent != 0 {
			t.Fatalf("hit due %s was dropped at %s: %q, sent %s", s.Due, age, s.Class, s.Sent)
		}
	}
	if rule := sim.Generator().Rules[1]; !rule.OK {
		t.Errorf("the generator blames itself: %+v", rule)
	}
	if dropped < 1900 || dropped > 2100 { // those due in the first two of three seconds
		t.Errorf("%d were dropped", dropped)
	}
}

func TestAGeneratorThatIsTooLateSaysSo(t *testing.T) {
	t.Parallel()
	s := slow(8 * time.Second)
	s.Client.LateLimit = time.Second
	sim := attack.Simulate(s, between(2*time.Second, 3*time.Second, 4*time.Second, 0), standstill(0, 0))
	sim.Run(never)
	account(t, sim.All, 8000)
	late := 0
	for i := range sim.All {
		if s := &sim.All[i]; s.Outcome == loadtest.Dropped {
			if late++; s.Class != "not sent: the generator was late" || s.SlotWait() > 0 {
				t.Fatalf("hit due %s: %q, slot_wait %s", s.Due, s.Class, s.SlotWait())
			}
		}
	}
	if rule := sim.Generator().Rules[1]; rule.OK {
		t.Errorf("the generator does not blame itself: %+v", rule)
	}
	if late < 2900 || late > 3100 {
		t.Errorf("%d were dropped", late)
	}
}

func TestCatchingUpIsBounded(t *testing.T) {
	t.Parallel()
	for factor, want := range map[float64]struct{ least, most, dropped int }{
		0:   {1500, 2200, 0},
		1:   {100, 125, 1900},
		1.5: {150, 165, 0},
		2:   {200, 220, 0},
		4:   {400, 420, 0},
	} {
		s := slow(20 * time.Second)
		s.Client.CatchUp = factor
		sim := attack.Simulate(s, never, standstill(3*time.Second, 5*time.Second))
		sim.Run(never)
		account(t, sim.All, 20_000)
		dropped := 0
		for i := range sim.All {
			if sim.All[i].Outcome == loadtest.Dropped {
				dropped++
			}
		}
		if got := most(sim.All); got < want.least || got > want.most || dropped < want.dropped || want.dropped == 0 && dropped > 0 {
			t.Errorf("%vx: %d within a tenth of a second, want %d to %d; %d dropped", factor, got, want.least, want.most, dropped)
		}
	}
}

// TestASlotThatComesWithTheDeadlineIsNotLost: who has just given up waiting for
// it has it all the same.
func TestASlotThatComesWithTheDeadlineIsNotLost(t *testing.T) {
	t.Parallel()
	s := slow(4 * time.Second)
	s.Client.LateLimit = 10 * time.Millisecond
	sim := attack.Simulate(s, never, func(time.Duration) time.Duration { return 20 * time.Millisecond })
	sim.Run(never)
	account(t, sim.All, 4000)
	sent := 0
	for i := range sim.All {
		if sim.All[i].Outcome != loadtest.Dropped {
			sent++
		}
	}
	if sent < 1900 || sim.Peak > 10 { // ten slots for 20 ms each, for four seconds
		t.Errorf("%d were sent, %d at once", sent, sim.Peak)
	}
}

// TestASlotThatIsGivenBackLateIsOurFault: it was free when the answer had come.
func TestASlotThatIsGivenBackLateIsOurFault(t *testing.T) {
	t.Parallel()
	s := slow(2 * time.Second)
	s.Client.MaxInflight = 1
	sim := attack.Simulate(s, never, standstill(0, 0))
	sim.Slow = 5 * time.Millisecond // the answer takes a fiftieth of that
	sim.Run(never)
	account(t, sim.All, 2000)
	if self, slot := lateness(sim.All); slot > self/20 {
		t.Errorf("self_lag %s, slot_wait %s", self, slot)
	}
}

func TestWhenTheRunEndsWhatWasDueIsInASample(t *testing.T) {
	t.Parallel()
	for _, end := range []time.Duration{time.Second, 3 * time.Second, 4*time.Second + 500*time.Microsecond, 7 * time.Second} {
		sim := attack.Simulate(slow(8*time.Second), never, standstill(3*time.Second, 6*time.Second))
		sim.End(end)
		sim.Run(never)
		account(t, sim.All, int(end/time.Millisecond)+1)
		for i := range sim.All {
			s := &sim.All[i]
			if s.Outcome == loadtest.Dropped && (s.Done != end || s.Class != "not sent: the run ended") {
				t.Fatalf("ended at %s: hit due %s was dropped at %s, %q", end, s.Due, s.Done, s.Class)
			}
			if s.Sent > end {
				t.Fatalf("ended at %s: a hit was sent at %s", end, s.Sent)
			}
		}
	}
}

func TestPhasesFollowEachOther(t *testing.T) {
	t.Parallel()
	s := slow(0)
	s.Phases = []loadtest.Phase{
		{Name: "a", For: 2 * time.Second, Scale: 1},
		{Name: "b", For: time.Second, Scale: 0},
		{Name: "c", For: 2 * time.Second, Scale: 0.5},
		{Name: "d", For: time.Second, Scale: 1},
	}
	// The last requests of a are answered when c has long begun.
	sim := attack.Simulate(s, never, func(sent time.Duration) time.Duration {
		if sent >= 1999*time.Millisecond && sent < 2*time.Second {
			return 10 * time.Second
		}
		return usual
	})
	sim.Run(never)
	account(t, sim.All, 2000+1000+1000)
	begins := []time.Duration{0, 2 * time.Second, 3 * time.Second, 5 * time.Second}
	counts := make([]int, 4)
	for i := range sim.All {
		x := &sim.All[i]
		counts[x.Phase]++
		if x.Due < begins[x.Phase] || x.Due >= begins[x.Phase]+s.Phases[x.Phase].For {
			t.Fatalf("phase %d: hit due %s", x.Phase, x.Due)
		}
		if x.Sent != x.Due {
			t.Fatalf("hit due %s was sent at %s", x.Due, x.Sent)
		}
	}
	if !slices.Equal(counts, []int{2000, 0, 1000, 1000}) {
		t.Errorf("got %v", counts)
	}
}

// TestABacklogGoesBeforeTheNextPhase: hits are sent in the order in which they
// are due, at no more than twice the rate, whichever phase they belong to.
func TestABacklogGoesBeforeTheNextPhase(t *testing.T) {
	t.Parallel()
	s := slow(0)
	s.Phases = []loadtest.Phase{{Name: "a", For: 2 * time.Second, Scale: 1}, {Name: "b", For: 4 * time.Second, Scale: 1}}
	sim := attack.Simulate(s, never, standstill(time.Second, 3*time.Second))
	sim.Run(never)
	account(t, sim.All, 6000)
	if got := most(sim.All); got > 220 {
		t.Errorf("%d within a tenth of a second", got)
	}
	bySeq := slices.SortedFunc(slices.Values(sim.All), func(a, b loadtest.Sample) int { return int(a.Seq) - int(b.Seq) })
	for i := 1; i < len(bySeq); i++ {
		if bySeq[i].Sent < bySeq[i-1].Sent {
			t.Fatalf("hit %d was sent before the one before it", i)
		}
	}
}

func TestWhateverHappensEveryHitIsInOneSample(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		s := slow(4 * time.Second)
		s.Traffic[0].Pacing = []loadtest.Pacing{
			{Kind: loadtest.Constant, Rate: 1000},
			{Kind: loadtest.Poisson, Rate: 800},
			{Kind: loadtest.Burst, Size: 300, Every: 500 * time.Millisecond},
			{Kind: loadtest.Ramp, From: 0, To: 2000},
		}[r.IntN(4)]
		s.Client.MaxInflight = 1 + r.IntN(30)
		s.Client.LateLimit = time.Duration(1 + r.IntN(int(3*time.Second)))
		s.Client.CatchUp = []float64{0, 1, 2, 3.5}[r.IntN(4)]
		rare := func(most time.Duration) func(time.Duration) time.Duration {
			return func(time.Duration) time.Duration {
				if r.IntN(200) == 0 {
					return time.Duration(r.Int64N(int64(most)))
				}
				return time.Duration(r.Int64N(int64(50 * time.Microsecond)))
			}
		}
		sim := attack.Simulate(s, rare(200*time.Millisecond), rare(2*time.Second))
		end := 4 * time.Second
		if r.IntN(3) == 0 {
			end = time.Duration(r.Int64N(int64(end)))
			sim.End(end)
		}
		sim.Run(rare(100 * time.Millisecond))
		// When it ends early, what becomes due until it notices is there as well.
		due := max(planned(t, s, end), len(sim.All))
		if account(t, sim.All, due); end == 4*time.Second && due != planned(t, s, end) {
			t.Fatalf("seed %d: %d samples of %d hits", seed, len(sim.All), planned(t, s, end))
		}
		if sim.Peak > s.Client.MaxInflight {
			t.Fatalf("seed %d: %d in flight, %d slots", seed, sim.Peak, s.Client.MaxInflight)
		}
	}
}
