package pace

import (
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seadog/seadog/loadtest"
)

// Schedule is when the hits of one traffic are due in one phase. Times count
// from the start of the phase.
type Schedule interface {
	// At returns when hit n, counted from 0, is due. It is not ok if the phase
	// ends before. Due times never decrease with n.
	At(n uint64) (due time.Duration, ok bool)
	// Planned returns how many hits are due before t.
	Planned(t time.Duration) uint64
}

// Limits of what a schedule may be. They catch a rate in the wrong unit before
// it becomes a run that cannot be.
const (
	MaxRate   = 1e6                 // per second: more than one machine sends
	MinRate   = 1.0 / 3600          // one an hour
	MaxLength = 90 * 24 * time.Hour // of a phase
)

// Problem is what is wrong with a pacing, and with which of its fields: Key is
// the field's name in scenario files.
type Problem struct{ Key, What, Do string }

func (p *Problem) Error() string { return p.Key + ": " + p.What + "; " + p.Do }

// New returns the schedule of p over a phase of that length, all rates
// multiplied by scale. With scale 0 it is empty. Only poisson depends on seed.
// The error is a [*Problem].
func New(p loadtest.Pacing, scale float64, length time.Duration, seed uint64) (Schedule, error) {
	switch {
	case length <= 0 || length > MaxLength:
		return nil, &Problem{"for", fmt.Sprintf("a phase of %s cannot be scheduled", length), "write a duration of at most 2160h"}
	case !(scale >= 0 && scale <= 1000):
		return nil, &Problem{"scale", fmt.Sprintf("%v is no scale of rates", scale), "write a number from 0 to 1000"}
	}
	s, ok := shapes()[p.Kind]
	if !ok {
		return nil, &Problem{"kind", fmt.Sprintf("%q is not a kind of pacing", p.Kind), "write one of " + strings.Join(Kinds(), ", ")}
	}
	o := order{p, scale, length, seed}
	if err := s.check(o); err != nil {
		return nil, err
	}
	if scale == 0 {
		return empty{}, nil
	}
	return s.build(o), nil
}

// order is what a schedule is made of.
type order struct {
	loadtest.Pacing
	scale  float64
	length time.Duration
	seed   uint64
}

// shape is one kind of pacing. What passes check can be built.
type shape struct {
	check func(order) error
	build func(order) Schedule
}

func shapes() map[loadtest.PacingKind]shape {
	return map[loadtest.PacingKind]shape{
		loadtest.Constant: {checkConstant, newConstant},
		loadtest.Ramp:     {checkRamp, newRamp},
		loadtest.Steps:    {checkSteps, newSteps},
		loadtest.Sine:     {checkSine, newSine},
		loadtest.Spike:    {checkSpike, newSpike},
		loadtest.Burst:    {checkBurst, newBurst},
		loadtest.Poisson:  {checkPoisson, newPoisson},
		loadtest.Replayed: {checkReplay, newReplay},
		loadtest.Search:   {checkSearch, newSearch},
	}
}

// Kinds returns the names of all kinds of pacing, sorted.
func Kinds() []string {
	var names []string
	for k := range shapes() {
		names = append(names, string(k))
	}
	slices.Sort(names)
	return names
}

// In returns the schedule of traffic i in phase j of s, which is empty if it is
// not sent there. It is the one place that says which seed a schedule has, so
// that what was planned is what is sent.
func In(s *loadtest.Scenario, i, j int) (Schedule, error) {
	traffic, phase := &s.Traffic[i], &s.Phases[j]
	if phase.Scale == 0 || traffic.Phases != nil && !slices.Contains(traffic.Phases, phase.Name) {
		return empty{}, nil
	}
	h := fnv.New64a()
	h.Write([]byte(strconv.Quote(traffic.Name) + strconv.Quote(phase.Name)))
	return New(traffic.Pacing, phase.Scale, phase.For, s.Seed^h.Sum64())
}

// Peak returns the highest rate of s within length, per second. Where hits
// come one by one, by chance or all at once, it is the most that fall into one
// second; of a long phase, a second is looked at in 20,000 places.
func Peak(s Schedule, length time.Duration) float64 {
	if shape, ok := s.(interface {
		peak(length time.Duration) float64
	}); ok {
		return shape.peak(length)
	}
	window := min(time.Second, length)
	most := uint64(0)
	for t := time.Duration(0); t <= length-window; t += max(100*time.Millisecond, length/20_000) {
		most = max(most, s.Planned(t+window)-s.Planned(t))
	}
	return float64(most) / window.Seconds()
}

// empty has no hits.
type empty struct{}

func (empty) At(uint64) (time.Duration, bool) { return 0, false }

func (empty) Planned(time.Duration) uint64 { return 0 }

// rate refuses what is no rate, in words of the file. A rate of nothing is
// allowed in shapes that have others.
func (o order) rate(key string, rate float64, zero bool) error {
	shown := strconv.FormatFloat(rate, 'g', 6, 64) + "/s"
	switch {
	case math.IsNaN(rate) || math.IsInf(rate, 0) || rate < 0:
		return &Problem{key, shown + " is not a rate", "write how many in what time, like 400/s or 30/min"}
	case rate == 0 && !zero:
		return &Problem{key, "a rate of 0 sends nothing", "write a rate above 0; a phase without load says load: none"}
	case rate > 0 && rate < MinRate:
		return &Problem{key, shown + " is less than one an hour", "write at least 1/h"}
	case rate > MaxRate:
		return &Problem{key, shown + " is more than can be planned", "write at most 1000000/s"}
	case rate*o.scale > MaxRate:
		return &Problem{key, fmt.Sprintf("%s at scale %g is more than can be planned", shown, o.scale), "lower one of the two; together they may be 1000000/s"}
	}
	return nil
}

// within refuses durations that a shape cannot have.
func within(key string, d, least, most time.Duration) error {
	if d < least || d > most {
		return &Problem{key, fmt.Sprintf("%s is not between %s and %s", d, least, most), "write a duration like 10s"}
	}
	return nil
}

// first returns the first error that is one.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
