package pace_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/pace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func schedule(t testing.TB, p loadtest.Pacing, scale float64, length time.Duration, seed uint64) pace.Schedule {
	t.Helper()
	s, err := pace.New(p, scale, length, seed)
	if err != nil {
		t.Fatalf("New(%+v, %g, %s): %v", p, scale, length, err)
	}
	return s
}

// due lists all hits of s.
func due(s pace.Schedule) []time.Duration {
	var all []time.Duration
	for n := uint64(0); ; n++ {
		at, ok := s.At(n)
		if !ok {
			return all
		}
		all = append(all, at)
	}
}

func constant(rate float64) loadtest.Pacing {
	return loadtest.Pacing{Kind: loadtest.Constant, Rate: rate}
}

func step(rate float64, length time.Duration) loadtest.Step {
	return loadtest.Step{Rate: rate, For: length}
}
