package pace_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/pace"
)

func search(from, to, step float64) loadtest.Pacing {
	return loadtest.Pacing{Kind: loadtest.Search, From: from, To: to, Step: step, For: time.Second}
}

// run searches against a service that can do so much.
func run(t *testing.T, p loadtest.Pacing, holds func(rate float64) bool) []pace.Trial {
	t.Helper()
	var trials []pace.Trial
	for {
		rate, ok := pace.Next(p, trials)
		if !ok {
			return trials
		}
		trials = append(trials, pace.Trial{Rate: rate, Held: holds(rate)})
		if len(trials) > 1100 {
			t.Fatalf("the search does not end: %v", trials[:20])
		}
	}
}

func TestASearchClimbsThenHalvesTheGap(t *testing.T) {
	t.Parallel()
	got := run(t, search(100, 1000, 100), func(rate float64) bool { return rate <= 370 })
	want := []pace.Trial{{100, true}, {200, true}, {300, true}, {400, false}, {350, true}, {375, false}, {362.5, true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if held, failed := pace.Capacity(got); held != 362.5 || failed != 375 {
		t.Errorf("Capacity = %g, %g", held, failed)
	}
}

func TestASearchFindsWhatTheServiceCanDo(t *testing.T) {
	t.Parallel()
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 3))
		from := 1 + 100*r.Float64()
		p := search(from, from*(2+50*r.Float64()), from*(0.1+3*r.Float64()))
		capacity := from/8 + r.Float64()*p.To*1.2
		held, failed := pace.Capacity(run(t, p, func(rate float64) bool { return rate <= capacity }))
		switch {
		case failed == 0:
			if held != p.To || capacity < p.To {
				t.Errorf("seed %d: of %g nothing failed, and %g held", seed, capacity, held)
			}
		case held > capacity || failed <= capacity || failed > held*1.05:
			t.Errorf("seed %d: of %g, %g held and %g failed", seed, capacity, held, failed)
		}
	}
}

func TestASearchEndsWithAServiceThatCanDoNothing(t *testing.T) {
	t.Parallel()
	trials := run(t, search(160, 1000, 100), func(float64) bool { return false })
	if held, failed := pace.Capacity(trials); held != 0 || failed != 10 || len(trials) != 5 {
		t.Errorf("after %v: %g held, %g failed", trials, held, failed)
	}
}

func TestASearchEndsWithAServiceThatIsOfTwoMinds(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 4))
		trials := run(t, search(100, 2000, 50), func(rate float64) bool { return r.Float64() > rate/1500 })
		held, failed := pace.Capacity(trials)
		if failed != 0 && held >= failed || math.IsNaN(held) {
			t.Errorf("seed %d: %g held, %g failed", seed, held, failed)
		}
	}
}

func TestWhatHeldAboveAFailureWasLuck(t *testing.T) {
	t.Parallel()
	held, failed := pace.Capacity([]pace.Trial{{100, true}, {200, false}, {300, true}})
	if held != 100 || failed != 200 {
		t.Errorf("Capacity = %g, %g", held, failed)
	}
	if rate, ok := pace.Next(search(100, 500, 100), []pace.Trial{{100, true}, {200, false}, {300, true}}); rate != 150 || !ok {
		t.Errorf("Next = %g, %t", rate, ok)
	}
}
