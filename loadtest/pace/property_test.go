package pace_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/pace"
)

// drawn is a pacing by chance.
type drawn struct {
	pacing loadtest.Pacing
	scale  float64
	length time.Duration
	seed   uint64
}

func draw(kind loadtest.PacingKind, seed uint64) drawn {
	r := rand.New(rand.NewPCG(seed, 7))
	rate := func() float64 { return math.Exp(r.Float64()*11 - 3) } // 0.05/s … 3,000/s
	span := func(least, most time.Duration) time.Duration {
		return least + time.Duration(r.Int64N(int64(most-least)))
	}
	d := drawn{seed: seed, scale: []float64{1, 1, 0.5, 2, 1.0 / 3}[r.IntN(5)], length: span(time.Second, 3*time.Minute)}
	p := loadtest.Pacing{Kind: kind, Speed: 1}
	switch kind {
	case loadtest.Constant, loadtest.Poisson:
		p.Rate = rate()
	case loadtest.Ramp:
		p.From, p.To = rate(), rate()
		if r.IntN(3) == 0 {
			p.From = 0
		} else if r.IntN(2) == 0 {
			p.To = 0
		}
	case loadtest.Steps:
		for range 1 + r.IntN(6) {
			p.Steps = append(p.Steps, loadtest.Step{Rate: rate(), For: span(time.Millisecond, time.Minute)})
		}
		if r.IntN(2) == 0 {
			p.Steps = append(p.Steps, loadtest.Step{Rate: 0, For: time.Second}, loadtest.Step{Rate: 5, For: time.Second})
		}
	case loadtest.Sine:
		p.Mean, p.Period, p.Shift = rate(), span(time.Second, 5*time.Minute), float64(r.IntN(9))/8
		p.Amplitude = p.Mean * []float64{1, 0.5, 0.1}[r.IntN(3)]
	case loadtest.Spike:
		p.Base = rate()
		p.Peak, p.At, p.For = p.Base*10, time.Duration(r.Int64N(int64(d.length))), span(time.Millisecond, time.Minute)
	case loadtest.Burst:
		p.Size, p.Every = 1+r.IntN(500), span(10*time.Millisecond, 20*time.Second)
	case loadtest.Replayed:
		p.Speed = 0.5 + 3*r.Float64()
		for at := time.Duration(0); at < time.Minute; at += span(0, time.Second) + 1 {
			p.Offsets = append(p.Offsets, at)
			if r.IntN(4) == 0 {
				p.Offsets = append(p.Offsets, at)
			}
		}
	case loadtest.Search:
		p.From, p.Step, p.For = rate(), rate(), span(time.Second, 20*time.Second)
		p.To = p.From + p.Step*(0.5+10*r.Float64())
	}
	d.pacing = p
	return d
}

// area is the integral of the rate from 0 to t, reckoned in another way than
// the package does: piece by piece, or by Simpson's rule. Of what comes all at
// once it is the sum of what came before t.
func (d drawn) area(t time.Duration) float64 {
	p := d.pacing
	pieces := func(steps []loadtest.Step) float64 {
		sum, begin := 0.0, 0.0
		for i, step := range steps {
			end := begin + step.For.Seconds()
			if i == len(steps)-1 {
				end = math.Inf(1)
			}
			sum += step.Rate * max(0, min(end, t.Seconds())-begin)
			begin = end
		}
		return sum
	}
	sum := 0.0
	switch p.Kind {
	case loadtest.Constant, loadtest.Poisson:
		sum = p.Rate * t.Seconds()
	case loadtest.Ramp:
		sum = simpson(t, 2, func(at float64) float64 { return p.From + (p.To-p.From)*at/d.length.Seconds() })
	case loadtest.Sine:
		sum = simpson(t, 200+100*int(t/p.Period), func(at float64) float64 {
			return p.Mean + p.Amplitude*math.Sin(2*math.Pi*(at/p.Period.Seconds()+p.Shift))
		})
	case loadtest.Steps:
		sum = pieces(p.Steps)
	case loadtest.Spike:
		sum = pieces([]loadtest.Step{{Rate: p.Base, For: p.At}, {Rate: p.Peak, For: p.For}, {Rate: p.Base}})
	case loadtest.Search:
		var steps []loadtest.Step
		for rate := p.From; rate < p.To; rate += p.Step {
			steps = append(steps, loadtest.Step{Rate: rate, For: p.For})
		}
		sum = pieces(append(steps, loadtest.Step{Rate: p.To, For: p.For}))
	case loadtest.Burst:
		sum = float64(p.Size) * math.Ceil(float64(t)/float64(p.Every))
	case loadtest.Replayed:
		for _, at := range p.Offsets {
			if float64(at)/(p.Speed*d.scale) < float64(t) {
				sum++
			}
		}
		return sum
	}
	return sum * d.scale
}

// simpson integrates over n (even) intervals.
func simpson(t time.Duration, n int, rate func(at float64) float64) float64 {
	h, sum := t.Seconds()/float64(n), 0.0
	for i := range n + 1 {
		weight := 2.0
		if i%2 == 1 {
			weight = 4
		} else if i == 0 || i == n {
			weight = 1
		}
		sum += weight * rate(float64(i)*h)
	}
	return sum * h / 3
}

// each runs a test for every kind and many seeds.
func each(t *testing.T, fact func(t *testing.T, d drawn, s pace.Schedule)) {
	for _, kind := range pace.Kinds() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(60) {
				d := draw(loadtest.PacingKind(kind), seed)
				fact(t, d, schedule(t, d.pacing, d.scale, d.length, d.seed))
				if t.Failed() {
					t.Fatalf("with seed %d: %+v", seed, d)
				}
			}
		})
	}
}

func TestPlannedIsTheAreaBelowTheRate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d drawn, s pace.Schedule) {
		if d.pacing.Kind == loadtest.Poisson {
			return // see TestPoisson…
		}
		for i := range 50 {
			at := d.length * time.Duration(i+1) / 50
			if off := float64(s.Planned(at)) - d.area(at); math.Abs(off) > 1+1e-6 {
				t.Fatalf("Planned(%s) = %d is off by %g", at, s.Planned(at), off)
			}
		}
	})
}

func TestPlannedNeverDecreasesAndEndsWithThePhase(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d drawn, s pace.Schedule) {
		r := rand.New(rand.NewPCG(d.seed, 1))
		last := uint64(0)
		for at := time.Duration(0); at < d.length; at += time.Duration(r.Int64N(int64(d.length) / 200)) {
			for _, step := range []time.Duration{0, 1, 1, 1000} {
				at += step
				if got := s.Planned(at); got < last {
					t.Fatalf("Planned(%d) = %d after %d", at, got, last)
				}
				last = s.Planned(at)
			}
		}
		if s.Planned(0) != 0 || s.Planned(-1) != 0 || s.Planned(2*d.length) != s.Planned(d.length) {
			t.Errorf("outside of the phase: %d before, %d at its begin, %d at its end, %d after", s.Planned(-1), s.Planned(0), s.Planned(d.length), s.Planned(2*d.length))
		}
	})
}

func TestAtAndPlannedAgree(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d drawn, s pace.Schedule) {
		r := rand.New(rand.NewPCG(d.seed, 2))
		total := s.Planned(d.length)
		if _, ok := s.At(total); ok {
			t.Fatalf("hit %d of %d is due", total, total)
		}
		for i := range min(total, 200) {
			n := i
			if total > 200 {
				n = r.Uint64N(total)
			}
			at, ok := s.At(n)
			if before, after := s.Planned(at), s.Planned(at+1); !ok || at < 0 || at >= d.length || before > n || after <= n {
				t.Fatalf("At(%d) = %d, %t: %d are due before it, %d by then, of %d", n, at, ok, before, after, total)
			}
			if next, ok := s.At(n + 1); ok && next < at {
				t.Fatalf("hit %d is due at %s, the one after it at %s", n, at, next)
			}
		}
	})
}

func TestTheSameSeedIsTheSameList(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d drawn, s pace.Schedule) {
		again := schedule(t, d.pacing, d.scale, d.length, d.seed)
		for n := range min(s.Planned(d.length), 3000) {
			a, _ := s.At(n)
			if b, ok := again.At(n); a != b || !ok {
				t.Fatalf("hit %d is due at %s, and at %s", n, a, b)
			}
		}
	})
}

func TestAShorterPhaseCutsTheList(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d drawn, s pace.Schedule) {
		if d.pacing.Kind == loadtest.Ramp {
			return // it takes as long as its phase
		}
		half := d.length/2 + 1
		shorter := schedule(t, d.pacing, d.scale, half, d.seed)
		if got, want := shorter.Planned(half), s.Planned(half); got != want {
			t.Fatalf("%d hits, want %d", got, want)
		}
		for n := range min(shorter.Planned(half), 2000) {
			a, _ := s.At(n)
			if b, _ := shorter.At(n); a != b {
				t.Fatalf("hit %d is due at %s, in a longer phase at %s", n, b, a)
			}
		}
	})
}

func TestScaleMultipliesRates(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d drawn, _ pace.Schedule) {
		length := 5 * time.Minute
		one, three := schedule(t, d.pacing, 1, length, d.seed), schedule(t, d.pacing, 3, length, d.seed)
		n := float64(one.Planned(length))
		slack := 4.0
		switch d.pacing.Kind {
		case loadtest.Poisson:
			slack = 5*math.Sqrt(3*n) + 15
		case loadtest.Replayed:
			return // the list is the same, three times as fast: see TestAReplayEndsWithItsFile
		}
		if got := float64(three.Planned(length)); math.Abs(got-3*n) > slack {
			t.Errorf("%g hits at scale 3, %g at scale 1", got, n)
		}
	})
}

func TestAScheduleMayBeSharedAndReadInAnyOrder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d drawn, s pace.Schedule) {
		if d.seed > 5 {
			return
		}
		total := min(s.Planned(d.length), 3000)
		want := make([]time.Duration, total)
		for n := range want {
			want[n], _ = s.At(uint64(n))
		}
		var all sync.WaitGroup
		lists := [3][]time.Duration{}
		for i := range lists {
			all.Go(func() {
				for n := range total {
					at, _ := s.At(total - 1 - n)
					lists[i] = append(lists[i], at)
				}
				slices.Reverse(lists[i])
			})
		}
		all.Wait()
		for _, got := range lists {
			if diff := cmp.Diff(want, got); diff != "" && total > 0 {
				t.Fatalf("-forward +backward\n%s", diff)
			}
		}
	})
}
