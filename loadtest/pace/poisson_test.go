package pace_test

import (
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest"
)

func poisson(rate float64) loadtest.Pacing {
	return loadtest.Pacing{Kind: loadtest.Poisson, Rate: rate}
}

// Gaps between arrivals are exponential: the largest distance between their
// distribution and the law stays below the Kolmogorov-Smirnov bound at 0.1 %.
// The seeds are fixed, so the test does not depend on luck. Gaps over the seams
// of blocks are among them.
func TestGapsOfPoissonAreExponential(t *testing.T) {
	t.Parallel()
	for _, rate := range []float64{0.5, 40, 5000} {
		for seed := range uint64(5) {
			length := time.Duration(20_000 / rate * 1e9)
			all := due(schedule(t, poisson(rate), 1, length, seed))
			gaps := make([]float64, 0, len(all))
			last := time.Duration(0)
			for _, at := range all {
				gaps = append(gaps, 1-math.Exp(-(at-last).Seconds()*rate))
				last = at
			}
			if d, bound := distance(gaps), 1.95/math.Sqrt(float64(len(gaps))); d > bound {
				t.Errorf("%g/s, seed %d: distance %.4f is above %.4f", rate, seed, d, bound)
			}
		}
	}
}

// distance is the Kolmogorov-Smirnov distance between values and the uniform law.
func distance(values []float64) float64 {
	const bins = 1000 // as good as sorting, for 20,000 values
	counts := make([]int, bins+1)
	for _, v := range values {
		counts[int(v*bins)]++
	}
	sum, most := 0, 0.0
	for i, c := range counts[:bins] {
		sum += c
		most = max(most, math.Abs(float64(sum)/float64(len(values))-float64(i+1)/bins))
	}
	return most
}

// Counts of arrivals in windows have the variance of their mean: chi-square of
// 1,000 windows is within five standard deviations of 1,000.
func TestCountsOfPoissonVaryLikeTheirMean(t *testing.T) {
	t.Parallel()
	const windows = 1000
	for _, rate := range []float64{3, 200} {
		for seed := range uint64(5) {
			s := schedule(t, poisson(rate), 1, windows*time.Second, seed)
			chi := 0.0
			for i := range windows {
				from := time.Duration(i) * time.Second
				n := float64(s.Planned(from+time.Second) - s.Planned(from))
				chi += (n - rate) * (n - rate) / rate
			}
			if off := math.Abs(chi-windows) / math.Sqrt(2*windows); off > 5 {
				t.Errorf("%g/s, seed %d: chi-square %.0f of %d windows", rate, seed, chi, windows)
			}
		}
	}
}

func TestPoissonOfEightHoursNeedsLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("28.8 million arrivals")
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s := schedule(t, poisson(1000), 1, 8*time.Hour, 42)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 1<<20 {
		t.Errorf("8 h at 1,000/s keep %d KiB", grown>>10)
	}
	n := float64(s.Planned(8 * time.Hour))
	if mean := 8 * 3600 * 1000.0; math.Abs(n-mean) > 5*math.Sqrt(mean) {
		t.Errorf("%g arrivals, want about %g", n, mean)
	}
	if at, ok := s.At(20_000_000); !ok || math.Abs(at.Seconds()-20_000) > 5*math.Sqrt(20_000_000)/1000 {
		t.Errorf("hit 20,000,000 is due at %s", at)
	}
}

func BenchmarkAt(b *testing.B) {
	for name, p := range map[string]loadtest.Pacing{
		"constant": constant(1000), "poisson": poisson(1000),
		"ramp": {Kind: loadtest.Ramp, From: 500, To: 1500}, "sine": {Kind: loadtest.Sine, Mean: 1000, Amplitude: 500, Period: time.Minute},
	} {
		b.Run(name, func(b *testing.B) {
			s := schedule(b, p, 1, time.Hour, 1)
			total := s.Planned(time.Hour)
			for n := uint64(0); b.Loop(); n++ {
				s.At(n % total)
			}
		})
	}
}

func BenchmarkNewPoisson(b *testing.B) {
	for b.Loop() {
		schedule(b, poisson(1000), 1, 1000*time.Second, 1)
	}
}
