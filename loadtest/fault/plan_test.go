package fault_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/fault"
)

const s = time.Second

// scenario has phases "warmup" of 10 s and "steady" of 20 s, and faults made of
// lines like "name: warmup stop worker for=2s".
func scenario(lines ...string) *loadtest.Scenario {
	sc := &loadtest.Scenario{Seed: 42, Phases: []loadtest.Phase{{Name: "warmup", For: 10 * s}, {Name: "steady", For: 20 * s}}}
	for _, line := range lines {
		name, rest, _ := strings.Cut(line, ": ")
		phase, rest, _ := strings.Cut(rest, " ")
		f := of(rest)
		f.Name, f.Phase = name, phase
		sc.Faults = append(sc.Faults, f)
	}
	return sc
}

func TestPlanIsInOrderAndSaysWhenFaultsComeAndEnd(t *testing.T) {
	t.Parallel()
	plan, err := fault.Plan(scenario(
		"late: steady stop worker at=19s for=5s",
		"again: warmup reset db at=1s for=2s every=4s",
		"kill: steady kill worker",
		"long: warmup down engine at=9s for=3s",
	))
	if err != nil {
		t.Fatal(err)
	}
	want := []fault.Occurrence{
		{Fault: 1, N: 0, Begin: 1 * s, End: 3 * s},
		{Fault: 1, N: 1, Begin: 5 * s, End: 7 * s},
		{Fault: 1, N: 2, Begin: 9 * s, End: 11 * s}, // it has begun in its phase
		{Fault: 3, N: 0, Begin: 9 * s, End: 12 * s},
		{Fault: 2, N: 0, Begin: 10 * s, End: 10 * s},
		{Fault: 0, N: 0, Begin: 29 * s, End: 30 * s}, // the run is over
	}
	if diff := cmp.Diff(want, plan, cmpopts.IgnoreFields(fault.Occurrence{}, "Seed")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSeedsAreOfTheScenarioTheNameAndTheTime(t *testing.T) {
	t.Parallel()
	seeds := func(seed uint64, lines ...string) map[string][]uint64 {
		sc := scenario(lines...)
		sc.Seed = seed
		plan, err := fault.Plan(sc)
		if err != nil {
			t.Fatal(err)
		}
		found := map[string][]uint64{}
		for _, o := range plan {
			name := sc.Faults[o.Fault].Name
			found[name] = append(found[name], o.Seed)
		}
		return found
	}
	const a, b = "a: warmup reset db for=1s every=2s", "b: warmup reset engine for=1s every=2s"
	first, more, other := seeds(1, a), seeds(1, b, a), seeds(2, a)
	if diff := cmp.Diff(first["a"], more["a"]); diff != "" {
		t.Errorf("a has another fate beside b (-alone +beside):\n%s", diff)
	}
	seen := map[uint64]bool{}
	for _, list := range [][]uint64{more["a"], more["b"], other["a"]} {
		for _, one := range list {
			if seen[one] {
				t.Errorf("seed %d twice", one)
			}
			seen[one] = true
		}
	}
}

func TestPlansThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	for want, lines := range map[string][]string{
		`fault "a": for is missing: how long stop lasts, like 2s`:                                    {"a: warmup stop worker"},
		`fault "a": phase is "cooldown", which is none of the scenario's`:                            {"a: cooldown stop worker for=1s"},
		`fault "a": at is 10s, but phase warmup is over after 10s`:                                   {"a: warmup stop worker at=10s for=1s"},
		`fault "a": name is taken by another fault`:                                                  {"a: warmup kill worker", "a: steady kill worker"},
		`fault "b": at is 2s, while fault "a" does the same to the same target until 3s of the run`:  {"a: warmup stop worker for=3s", "b: warmup stop worker at=2s for=3s"},
		`fault "a": at is 0s, while fault "b" does the same to the same target until 12s of the run`: {"a: warmup full data for=1s every=9s", "b: warmup full data at=2s for=10s"},
		`fault "a": every makes the faults come more than 10000 times`:                               {"a: warmup kill worker every=1us"},
	} {
		if _, err := fault.Plan(scenario(lines...)); err == nil || err.Error() != want {
			t.Errorf("%q\n got %v\nwant %s", lines, err, want)
		}
	}
	if _, err := fault.Plan(scenario(
		"a: warmup stop worker for=3s", "b: warmup stop worker at=3s for=3s", "c: warmup stop runner for=3s",
		"d: warmup latency db for=9s latency=1s", "e: warmup latency db for=9s latency=1s", "f: warmup idle for=9s", "g: warmup idle for=9s",
	)); err != nil {
		t.Errorf("faults that are not in each other's way: %v", err)
	}
}
