package loadtest_test

import (
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest"
)

func TestPhasesFollowEachOther(t *testing.T) {
	t.Parallel()
	s := loadtest.Scenario{
		Phases:  []loadtest.Phase{{Name: "warmup", For: 20 * time.Second}, {Name: "steady", For: 2 * time.Minute}, {Name: "drain", For: 30 * time.Second}},
		Traffic: []loadtest.Traffic{{Name: "hooks"}, {Name: "health"}},
	}
	for i, want := range []time.Duration{0, 20 * time.Second, 140 * time.Second, 170 * time.Second} {
		if got := s.Begins(i); got != want {
			t.Errorf("phase %d begins at %s, want %s", i, got, want)
		}
	}
	if got := s.Length(); got != 170*time.Second {
		t.Errorf("it is %s long", got)
	}
	for name, want := range map[string]int{"warmup": 0, "drain": 2, "hooks": -1, "": -1} {
		if got := s.PhaseIndex(name); got != want {
			t.Errorf("phase %q is number %d, want %d", name, got, want)
		}
	}
	for name, want := range map[string]int{"hooks": 0, "health": 1, "steady": -1} {
		if got := s.TrafficIndex(name); got != want {
			t.Errorf("traffic %q is number %d, want %d", name, got, want)
		}
	}
}

func TestPercentileThatIsNotThereIsNotZero(t *testing.T) {
	t.Parallel()
	p := loadtest.Percentiles{Points: []loadtest.Percentile{{Q: 0.5, Value: 0}, {Q: 0.99, Value: time.Second}}}
	for q, want := range map[float64]time.Duration{0.5: 0, 0.99: time.Second} {
		if got, ok := p.At(q); !ok || got != want {
			t.Errorf("at %g: %s, %v", q, got, ok)
		}
	}
	if got, ok := p.At(0.999); ok {
		t.Errorf("at 0.999: %s", got)
	}
}
