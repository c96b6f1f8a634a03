package pace

import (
	"fmt"
	"math"
	"sort"
	"time"

	"github.com/seadog/seadog/loadtest"
)

// staircase is a rate that is constant in pieces. All of it is whole numbers,
// so that hit 10⁸ is as exact as hit 1.
type staircase struct {
	pieces []piece // at least one; the first begins at 0
	length time.Duration
	total  uint64
}

type piece struct {
	begin time.Duration
	rate  uint64 // in units, see wide
	area  wide   // below the pieces before
}

// newStaircase puts steps one after another; the last one goes on to the end.
func newStaircase(steps []loadtest.Step, scale float64, length time.Duration) *staircase {
	s := &staircase{length: length}
	p := piece{}
	for _, step := range steps {
		if p.begin >= length {
			break
		}
		p.rate = units(step.Rate * scale)
		s.pieces = append(s.pieces, p)
		p.area = p.area.plus(product(p.rate, uint64(step.For)))
		p.begin += step.For
	}
	s.total = s.Planned(length)
	return s
}

// Planned rounds the area before t up: a hit is due where the area passes a
// whole number, so one that is due at t itself is not before t.
func (s *staircase) Planned(t time.Duration) uint64 {
	t = min(t, s.length)
	if t <= 0 {
		return 0
	}
	i := sort.Search(len(s.pieces), func(i int) bool { return s.pieces[i].begin >= t }) - 1
	p := s.pieces[i]
	return p.area.plus(product(p.rate, uint64(t-p.begin))).overUp(perHit)
}

// At returns the last moment at which the area is not yet above n.
func (s *staircase) At(n uint64) (time.Duration, bool) {
	if n >= s.total {
		return 0, false
	}
	area := product(n, perHit)
	// The piece in which n is passed is the last one that begins at or below
	// it: pieces without a rate share their area with the one that follows.
	i := sort.Search(len(s.pieces), func(i int) bool { return area.less(s.pieces[i].area) }) - 1
	p := s.pieces[i]
	return p.begin + time.Duration(area.minus(p.area).over(p.rate)), true
}

func (s *staircase) peak(length time.Duration) float64 {
	most := uint64(0)
	for _, p := range s.pieces {
		if p.begin < length {
			most = max(most, p.rate)
		}
	}
	return float64(most) / unitsPerSecond
}

func checkConstant(o order) error { return o.rate("rate", o.Rate, false) }

func newConstant(o order) Schedule {
	return newStaircase([]loadtest.Step{{Rate: o.Rate}}, o.scale, o.length)
}

func checkSteps(o order) error {
	if len(o.Steps) == 0 || len(o.Steps) > maxSteps {
		return &Problem{"steps", fmt.Sprintf("there are %d of them", len(o.Steps)), fmt.Sprintf("list up to %d: [{rate: 100/s, for: 10s}, {rate: 200/s, for: 10s}]", maxSteps)}
	}
	sum := 0.0
	for i, step := range o.Steps {
		key := fmt.Sprintf("steps[%d]", i)
		if err := first(o.rate(key+".rate", step.Rate, true), within(key+".for", step.For, time.Millisecond, MaxLength)); err != nil {
			return err
		}
		sum += step.Rate
	}
	if sum == 0 {
		return &Problem{"steps", "every rate is 0", "give at least one step a rate; a phase without load says load: none"}
	}
	return nil
}

const maxSteps = 1000

func newSteps(o order) Schedule { return newStaircase(o.Steps, o.scale, o.length) }

func checkSpike(o order) error {
	err := first(
		o.rate("base", o.Base, true), o.rate("peak", o.Peak, false),
		within("at", o.At, 0, MaxLength), within("for", o.For, time.Millisecond, MaxLength),
	)
	switch {
	case err != nil:
		return err
	case o.Peak <= o.Base:
		return &Problem{"peak", "is not above base", "write a peak above base, or use kind: steps"}
	}
	return nil
}

// newSpike plans a base rate, and a peak out of nowhere, unless the phase ends
// before it:
//
//	peak        ┌──┐
//	            │  │ for
//	base ───────┘  └───────
//	            at
func newSpike(o order) Schedule {
	steps := []loadtest.Step{{Rate: o.Base, For: o.At}, {Rate: o.Peak, For: o.For}, {Rate: o.Base}}
	if o.At == 0 {
		steps = steps[1:]
	}
	return newStaircase(steps, o.scale, o.length)
}

func checkSearch(o order) error {
	err := first(
		o.rate("from", o.From, false), o.rate("to", o.To, false), o.rate("step", o.Step, false),
		within("for", o.For, time.Second, MaxLength),
	)
	switch {
	case err != nil:
		return err
	case o.To <= o.From:
		return &Problem{"to", "is not above from", "write the highest rate that is worth trying"}
	case rungs(o.Pacing) > maxSteps:
		return &Problem{"step", fmt.Sprintf("from %g/s to %g/s are %d steps of %g/s", o.From, o.To, rungs(o.Pacing), o.Step), fmt.Sprintf("write a larger step: %d are allowed", maxSteps)}
	}
	return nil
}

// newSearch climbs from From to To, whatever comes of it. Who sees what comes
// of it asks [Next].
func newSearch(o order) Schedule {
	var steps []loadtest.Step
	for i := range rungs(o.Pacing) {
		steps = append(steps, loadtest.Step{Rate: rung(o.Pacing, i), For: o.For})
	}
	return newStaircase(steps, o.scale, o.length)
}

// rungs returns how many rates a search climbs; the last is To, however far
// above the one before.
func rungs(p loadtest.Pacing) int { return int(math.Ceil((p.To-p.From)/p.Step-1e-9)) + 1 }

func rung(p loadtest.Pacing, i int) float64 { return min(p.From+float64(i)*p.Step, p.To) }
