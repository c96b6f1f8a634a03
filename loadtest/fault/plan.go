package fault

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/seadog/seadog/loadtest"
)

// mostOccurrences bounds the plan of a scenario, and with it what its reports hold.
const mostOccurrences = 10_000

// Occurrence is one time that a fault comes.
type Occurrence struct {
	Fault      int           // index in Scenario.Faults
	N          int           // the how manieth time, from 0
	Begin, End time.Duration // since the start of the run
	Seed       uint64        // of what is random in it
}

// Plan returns when the faults of a scenario come, in order of their beginning.
// A fault that comes again does so as long as its phase lasts. One that has
// begun may outlast its phase, but not the run. The error names the fault that
// is wrong; it is [Problems] of [Check], or that a phase does not exist, a name
// is taken, or two faults are in each other's way.
func Plan(s *loadtest.Scenario) ([]Occurrence, error) {
	var plan []Occurrence
	names := map[string]bool{}
	for i, f := range s.Faults {
		if err := Check(f); err != nil {
			return nil, fmt.Errorf("fault %q: %w", f.Name, err)
		}
		if names[f.Name] {
			return nil, fmt.Errorf("fault %q: %w", f.Name, Problem{"name", "is taken by another fault"})
		}
		names[f.Name] = true
		times, err := occurrences(s, i)
		if err != nil {
			return nil, fmt.Errorf("fault %q: %w", f.Name, err)
		}
		plan = append(plan, times...)
		if len(plan) > mostOccurrences {
			return nil, fmt.Errorf("fault %q: %w", f.Name, Problem{"every", fmt.Sprintf("makes the faults come more than %d times", mostOccurrences)})
		}
	}
	slices.SortStableFunc(plan, func(a, b Occurrence) int { return cmp.Compare(a.Begin, b.Begin) })
	if err := apart(s, plan); err != nil {
		return nil, err
	}
	return plan, nil
}

// occurrences of fault i, one more than there may be at most.
func occurrences(s *loadtest.Scenario, i int) ([]Occurrence, error) {
	f := s.Faults[i]
	phase := s.PhaseIndex(f.Phase)
	if phase < 0 {
		return nil, Problem{"phase", fmt.Sprintf("is %q, which is none of the scenario's", f.Phase)}
	}
	from, length := s.Begins(phase), s.Phases[phase].For
	if f.At >= length {
		return nil, Problem{"at", fmt.Sprintf("is %s, but phase %s is over after %s", f.At, f.Phase, length)}
	}
	var times []Occurrence
	for at := f.At; at < length && len(times) <= mostOccurrences; at += f.Every {
		begin := from + at
		times = append(times, Occurrence{
			Fault: i, N: len(times), Begin: begin, End: min(begin+f.For, s.Length()),
			Seed: seedOf(s.Seed, f.Name, len(times)),
		})
		if f.Every == 0 {
			break
		}
	}
	return times, nil
}

// seedOf depends on the name, so that a fault keeps its fate when others are
// added to the file.
func seedOf(seed uint64, name string, n int) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewPCG(seed, h.Sum64()+uint64(n))).Uint64()
}

// apart looks for two faults that do the same to the same target at the same
// time: the end of one would end the other.
func apart(s *loadtest.Scenario, plan []Occurrence) error {
	type what struct{ kind, target string }
	last := map[what]Occurrence{}
	for _, o := range plan {
		f := s.Faults[o.Fault]
		if k, _ := kindOf(f.Do.Kind); !k.alone {
			continue
		}
		w := what{f.Do.Kind, f.Do.Target}
		if l, ok := last[w]; ok && o.Begin < l.End {
			return fmt.Errorf("fault %q: %w", f.Name, Problem{"at", fmt.Sprintf(
				"is %s, while fault %q does the same to the same target until %s of the run", f.At, s.Faults[l.Fault].Name, l.End)})
		}
		last[w] = o
	}
	return nil
}
