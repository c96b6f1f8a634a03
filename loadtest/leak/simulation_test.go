package leak_test

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/leak"
)

// service is one whose memory is simulated, a point a second: the sawtooth of a
// garbage collector of 8 MiB that comes about every six seconds, noise of 0.4 MiB,
// and what grows.
type service struct {
	length time.Duration // after the warm-up, which is a third of it
	grows  float64       // MiB an hour
	sticky float64       // how much of its deviation it keeps from one second to the next
	warm   float64       // MiB more in the beginning, which goes on through the warm-up
}

func (s service) points(seed uint64) []loadtest.Point {
	const deviation, tooth, period = 0.4, 8, 6
	r := rand.New(rand.NewPCG(seed, 3))
	noise, since := deviation*r.NormFloat64(), r.Float64()
	fresh := deviation * math.Sqrt(1-s.sticky*s.sticky)
	var out []loadtest.Point
	for at := time.Duration(0); at < s.length*4/3; at += time.Second {
		noise = s.sticky*noise + fresh*r.NormFloat64()
		since += (0.5 + r.Float64()) / period
		since -= math.Floor(since)
		value := 100 + tooth*since + noise + s.grows*at.Hours() + s.warm*(1-math.Exp(-at.Seconds()/60))
		out = append(out, loadtest.Point{At: at, Value: value * mib})
	}
	return out
}

// share returns in how many of a hundred runs a leak is found, and the mean of
// what would have been detectable.
func (s service) share(trials uint64) (leaks, detectable float64) {
	for seed := range trials {
		r := leak.Test(s.points(seed), leak.Options{Unit: loadtest.Bytes, WarmUp: time.Second})
		if r.Verdict == loadtest.Leaking {
			leaks += 100 / float64(trials)
		}
		detectable += r.Detectable / mib / float64(trials)
	}
	return leaks, detectable
}

func trials() uint64 {
	if testing.Short() {
		return 30
	}
	return 100
}

// The table of the design, reproduced: how often the rule cries, by what there is to find.
func TestRuleFindsLeaksAndNothingElse(t *testing.T) {
	t.Parallel()
	const minutes = time.Minute
	tests := map[string]struct {
		service     service
		least, most float64 // per cent of runs
	}{
		"no leak":                      {service{length: 10 * minutes}, 0, 1},
		"no leak, sticky noise":        {service{length: 10 * minutes, sticky: 0.98}, 0, 3},
		"no leak, warm-up left out":    {service{length: 10 * minutes, warm: 10}, 0, 2},
		"6 MiB/h in 10 min":            {service{length: 10 * minutes, grows: 6}, 5, 40},
		"30 MiB/h in 10 min":           {service{length: 10 * minutes, grows: 30}, 100, 100},
		"60 MiB/h in 10 min":           {service{length: 10 * minutes, grows: 60}, 100, 100},
		"60 MiB/h in 10 min, sticky":   {service{length: 10 * minutes, grows: 60, sticky: 0.98}, 99, 100},
		"no leak in 1 min":             {service{length: 1 * minutes}, 0, 2},
		"64 MiB/h in 1 min":            {service{length: 1 * minutes, grows: 64}, 0, 20},
		"256 MiB/h in 1 min":           {service{length: 1 * minutes, grows: 256}, 40, 90},
		"512 MiB/h in 1 min":           {service{length: 1 * minutes, grows: 512}, 98, 100},
		"16 MiB/h in 2 min":            {service{length: 2 * minutes, grows: 16}, 0, 20},
		"128 MiB/h in 2 min":           {service{length: 2 * minutes, grows: 128}, 98, 100},
		"16 MiB/h in 5 min":            {service{length: 5 * minutes, grows: 16}, 50, 85},
		"32 MiB/h in 5 min":            {service{length: 5 * minutes, grows: 32}, 98, 100},
		"16 MiB/h in 10 min":           {service{length: 10 * minutes, grows: 16}, 98, 100},
		"8 MiB/h in 30 min":            {service{length: 30 * minutes, grows: 8}, 98, 100},
		"no leak in 30 min":            {service{length: 30 * minutes}, 0, 1},
		"no leak in 30 min, sticky":    {service{length: 30 * minutes, sticky: 0.98}, 0, 1},
		"within tolerance in 30 min":   {service{length: 30 * minutes, grows: 3}, 0, 0},
		"a slow warm-up is no service": {service{length: 10 * minutes, warm: -40}, 0, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, detectable := test.service.share(trials())
			t.Logf("%.1f %% of runs; detectable %.1f MiB/h", got, detectable)
			if got < test.least-0.01 || got > test.most+0.01 {
				t.Errorf("a leak in %.1f %% of runs, want %g … %g %%", got, test.least, test.most)
			}
		})
	}
}

// What the harness must find in five minutes with its own warm-up rule, and what it must not.
func TestPlantedLeakIsFoundInFiveMinutesAndNoneOtherwise(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for seed := range uint64(20) {
		wg.Go(func() {
			o := leak.Options{Series: "heap_live", Unit: loadtest.Bytes}
			planted := service{length: 225 * time.Second, grows: 64}.points(seed)
			if got := leak.Test(planted, o); got.Verdict != loadtest.Leaking {
				t.Errorf("seed %d: 64 MiB/h: %s, %s", seed, got.Verdict, got.Why)
			}
			healthy := service{length: 225 * time.Second}.points(seed)
			if got := leak.Test(healthy, o); got.Verdict != loadtest.Pass {
				t.Errorf("seed %d: no leak: %s, %s", seed, got.Verdict, got.Why)
			}
		})
	}
	wg.Wait()
}

// What a run says that it could have found is found in about nine of ten runs
// like it, and half of that mostly is not.
func TestDetectableLeakIsDetected(t *testing.T) {
	t.Parallel()
	for _, s := range []service{
		{length: time.Minute},
		{length: 225 * time.Second},
		{length: 10 * time.Minute},
		{length: 30 * time.Minute},
		{length: 225 * time.Second, sticky: 0.9},
	} {
		t.Run(s.length.String(), func(t *testing.T) {
			t.Parallel()
			_, s.grows = s.share(trials())
			got, _ := s.share(trials())
			half := s
			half.grows = 2 + (s.grows-4)/2 // of what is above the tolerance
			less, _ := half.share(trials())
			t.Logf("%.1f MiB/h: %.1f %%, %.1f MiB/h: %.1f %%", s.grows, got, half.grows, less)
			if got < 75 || less > 60 {
				t.Errorf("%.1f MiB/h is found in %.1f %%, %.1f MiB/h in %.1f %% of runs", s.grows, got, half.grows, less)
			}
		})
	}
}

func TestDetectableIsThatOfTheReport(t *testing.T) {
	t.Parallel()
	points, o := service{length: 5 * time.Minute}.points(1), leak.Options{Unit: loadtest.Bytes}
	want := leak.Test(points, o).Detectable
	if got := leak.Detectable(points, o); got != want || got == 0 {
		t.Errorf("%g, and the report has %g", got, want)
	}
	leaking := leak.Detectable(service{length: 5 * time.Minute, grows: 64}.points(1), o)
	if !near(leaking, want, 0.1) { // the same noise, and a leak in it
		t.Errorf("%g with a leak, %g without", leaking, want)
	}
	if got := leak.Detectable(nil, o); got != 0 {
		t.Errorf("of nothing: %g", got)
	}
}

func BenchmarkTest(b *testing.B) {
	points := service{length: 30 * time.Minute}.points(1)
	for b.Loop() {
		leak.Test(points, leak.Options{Unit: loadtest.Bytes})
	}
}
