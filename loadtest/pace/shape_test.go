package pace_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/pace"
)

func TestHitAHundredMillionIsExact(t *testing.T) {
	t.Parallel()
	const n = 100_000_000
	for name, c := range map[string]struct {
		pacing loadtest.Pacing
		want   time.Duration
	}{
		"1000/s":    {constant(1000), 100_000 * time.Second},
		"700/s":     {constant(700), time.Duration(n) * time.Second / 700},
		"7777/min":  {constant(7777.0 / 60), 771_505_722_000_771}, // 10⁸ · 60 s / 7777, rounded down
		"steps":     {loadtest.Pacing{Kind: loadtest.Steps, Steps: []loadtest.Step{{Rate: 333, For: time.Hour}, {For: time.Minute}, {Rate: 1000, For: time.Second}}}, 3660*time.Second + (n-333*3600)*time.Millisecond},
		"burst":     {loadtest.Pacing{Kind: loadtest.Burst, Size: 100, Every: 100 * time.Millisecond}, 100_000 * time.Second},
		"ramp":      {loadtest.Pacing{Kind: loadtest.Ramp, From: 500, To: 1500}, 100_000 * time.Second},
		"ramp down": {loadtest.Pacing{Kind: loadtest.Ramp, From: 1500, To: 500}, 100_000 * time.Second},
		"sine":      {loadtest.Pacing{Kind: loadtest.Sine, Mean: 1000, Amplitude: 1000, Period: 100 * time.Second}, 100_000 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			length := 80 * 24 * time.Hour
			if c.pacing.Kind == loadtest.Ramp {
				length = 100_000 * time.Second
			}
			s := schedule(t, c.pacing, 1, length, 0)
			if got := s.Planned(c.want); got != n {
				t.Errorf("Planned(%s) = %d, want %d", c.want, got, n)
			}
			if c.pacing.Kind == loadtest.Ramp {
				if _, ok := s.At(n); ok {
					t.Errorf("hit %d is due in a phase that ends when it would be", n)
				}
				return
			}
			got, ok := s.At(n)
			tolerance := time.Duration(0)
			if c.pacing.Kind == loadtest.Sine {
				tolerance = 1
			}
			if off := got - c.want; !ok || off > tolerance || off < -tolerance {
				t.Errorf("At(%d) = %s (off by %d ns), %t, want %s", n, got, off, ok, c.want)
			}
		})
	}
}

func TestShapesOfAFewHits(t *testing.T) {
	t.Parallel()
	ms := func(all ...float64) []time.Duration {
		var list []time.Duration
		for _, x := range all {
			list = append(list, time.Duration(x*1e6))
		}
		return list
	}
	for name, c := range map[string]struct {
		pacing loadtest.Pacing
		scale  float64
		length time.Duration
		want   []time.Duration
	}{
		"constant":                            {constant(4), 1, time.Second, ms(0, 250, 500, 750)},
		"scaled":                              {constant(8), 0.5, time.Second, ms(0, 250, 500, 750)},
		"one a minute":                        {constant(1.0 / 60), 1, 3 * time.Minute, ms(0, 60_000, 120_000)},
		"no load":                             {constant(8), 0, time.Second, nil},
		"a ramp has few hits where it is low": {loadtest.Pacing{Kind: loadtest.Ramp, To: 4}, 1, 2 * time.Second, ms(0, 1000, math.Sqrt2*1000, math.Sqrt(3)*1000)},
		"a ramp down":                         {loadtest.Pacing{Kind: loadtest.Ramp, From: 4}, 1, 2 * time.Second, ms(0, 2000-math.Sqrt(3)*1000, 2000-math.Sqrt2*1000, 1000)},
		"steps with a rest": {
			loadtest.Pacing{Kind: loadtest.Steps, Steps: []loadtest.Step{step(2, time.Second), step(0, time.Second), step(4, time.Second)}},
			1, 3 * time.Second, ms(0, 500, 2000, 2250, 2500, 2750),
		},
		"steps that begin with a rest": {
			loadtest.Pacing{Kind: loadtest.Steps, Steps: []loadtest.Step{step(0, time.Second), step(2, time.Second)}}, 1, 2 * time.Second, ms(1000, 1500),
		},
		"the last step goes on": {
			loadtest.Pacing{Kind: loadtest.Steps, Steps: []loadtest.Step{step(1, time.Second), step(2, time.Second)}}, 1, 3 * time.Second, ms(0, 1000, 1500, 2000, 2500),
		},
		"spike": {
			loadtest.Pacing{Kind: loadtest.Spike, Base: 1, Peak: 4, At: time.Second, For: time.Second}, 1, 3 * time.Second, ms(0, 1000, 1250, 1500, 1750, 2000),
		},
		"spike at once":               {loadtest.Pacing{Kind: loadtest.Spike, Peak: 2, For: time.Second}, 1, 3 * time.Second, ms(0, 500)},
		"no spike in a short phase":   {loadtest.Pacing{Kind: loadtest.Spike, Base: 1, Peak: 9, At: 2 * time.Second, For: time.Second}, 1, 2 * time.Second, ms(0, 1000)},
		"burst":                       {loadtest.Pacing{Kind: loadtest.Burst, Size: 2, Every: time.Second}, 1, 2500 * time.Millisecond, ms(0, 0, 1000, 1000, 2000, 2000)},
		"bursts of one and a half":    {loadtest.Pacing{Kind: loadtest.Burst, Size: 3, Every: time.Second}, 0.5, 4 * time.Second, ms(0, 0, 1000, 2000, 2000, 3000)},
		"replay":                      {loadtest.Pacing{Kind: loadtest.Replayed, Speed: 1, Offsets: ms(0, 10, 10, 70)}, 1, time.Second, ms(0, 10, 10, 70)},
		"replay, twice as fast":       {loadtest.Pacing{Kind: loadtest.Replayed, Speed: 2, Offsets: ms(0, 10, 10, 70)}, 1, time.Second, ms(0, 5, 5, 35)},
		"replay, cut":                 {loadtest.Pacing{Kind: loadtest.Replayed, Speed: 1, Offsets: ms(0, 10, 10, 70)}, 1, 70 * time.Millisecond, ms(0, 10, 10)},
		"search":                      {loadtest.Pacing{Kind: loadtest.Search, From: 1, To: 3, Step: 1, For: time.Second}, 1, 3 * time.Second, ms(0, 1000, 1500, 2000, 2000+1000/3., 2000+2000/3.)},
		"a search's last step is its": {loadtest.Pacing{Kind: loadtest.Search, From: 1, To: 2, Step: 5, For: time.Second}, 1, 2 * time.Second, ms(0, 1000, 1500)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := due(schedule(t, c.pacing, c.scale, c.length, 0))
			near := cmp.Comparer(func(a, b time.Duration) bool { return a-b < 2 && b-a < 2 })
			if diff := cmp.Diff(c.want, got, near); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// Where a rate touches 0, areas hardly grow for milliseconds, and a formula in
// floating point may fall by its last digit: a hit would be due, and then not.
func TestPlannedDoesNotFallWhereTheRateTouchesZero(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		pacing loadtest.Pacing
		zero   time.Duration
	}{
		"sine":      {loadtest.Pacing{Kind: loadtest.Sine, Mean: 1000, Amplitude: 1000, Period: time.Minute, Shift: 0.75}, 100 * time.Minute},
		"begin":     {loadtest.Pacing{Kind: loadtest.Sine, Mean: 1000, Amplitude: 1000, Period: time.Minute, Shift: 0.75}, 0},
		"ramp down": {loadtest.Pacing{Kind: loadtest.Ramp, From: 1000}, 200 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := schedule(t, c.pacing, 1, 200*time.Minute, 0)
			last := uint64(0)
			for _, step := range []time.Duration{1, 17, 1009, 100_003} {
				last = s.Planned(c.zero - 100_000*step)
				for i := range time.Duration(200_000) {
					at := c.zero + (i-100_000)*step
					got := s.Planned(at)
					if got < last {
						t.Fatalf("Planned(%d) = %d after %d", at, got, last)
					}
					last = got
				}
			}
		})
	}
}

// These ramps end at areas that are whole but for their last digits, where a
// formula that adds and subtracts was seen to fall.
func TestPlannedDoesNotFallAtTheEndsOfThreeThousandRamps(t *testing.T) {
	t.Parallel()
	length := 200 * time.Minute
	for i := range 3000 {
		p := loadtest.Pacing{Kind: loadtest.Ramp, From: 1000 + float64(i)*1.2e-13}
		s := schedule(t, p, 1, length, 0)
		last := uint64(0)
		for k := time.Duration(400); k >= 0; k-- {
			got := s.Planned(length - 997*k)
			if got < last {
				t.Fatalf("from %v: Planned(%d) = %d after %d", p.From, length-997*k, got, last)
			}
			last = got
		}
	}
}

func TestTheFirstHitOfARateThatBeginsAtZeroIsDueAtOnce(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]loadtest.Pacing{
		"ramp": {Kind: loadtest.Ramp, To: 1},
		"sine": {Kind: loadtest.Sine, Mean: 1, Amplitude: 1, Period: 24 * time.Hour, Shift: 0.75},
	} {
		if at, ok := schedule(t, p, 1, time.Hour, 0).At(0); at != 0 || !ok {
			t.Errorf("%s: hit 0 is due at %s, %t", name, at, ok)
		}
	}
}

// A few last digits above a whole number are no hit more.
func TestWholeAreasAreWholeHits(t *testing.T) {
	t.Parallel()
	for i := range 2000 {
		length := time.Duration(i+1) * 60 * time.Second
		for _, p := range []loadtest.Pacing{
			{Kind: loadtest.Ramp, From: 0.1, To: 2.1},
			{Kind: loadtest.Sine, Mean: 1.1, Amplitude: 0.1, Period: 10 * time.Second, Shift: 0.1},
		} {
			mean := p.Mean + (p.From+p.To)/2
			if got, want := schedule(t, p, 1, length, 0).Planned(length), uint64(math.Round(mean*length.Seconds())); got != want {
				t.Fatalf("%s over %s: %d hits, want %d", p.Kind, length, got, want)
			}
		}
	}
}

func TestAReplayEndsWithItsFile(t *testing.T) {
	t.Parallel()
	p := loadtest.Pacing{Kind: loadtest.Replayed, Speed: 1, Offsets: []time.Duration{0, time.Second, 2 * time.Second}}
	for _, scale := range []float64{1, 2} {
		if got := schedule(t, p, scale, time.Hour, 0).Planned(time.Hour); got != 3 {
			t.Errorf("at scale %g: %d hits of a file of 3", scale, got)
		}
	}
	if at, ok := schedule(t, p, 0.001, 2*time.Hour, 0).At(2); !ok || at != 2000*time.Second {
		t.Errorf("a thousandth as fast: %s, %t", at, ok)
	}
}

func TestPeakIsTheHighestRateOfThePhase(t *testing.T) {
	t.Parallel()
	second := time.Second
	for name, c := range map[string]struct {
		pacing loadtest.Pacing
		length time.Duration
		want   float64
	}{
		"constant":                  {constant(400), 10 * second, 400},
		"ramp up":                   {loadtest.Pacing{Kind: loadtest.Ramp, From: 10, To: 90}, 10 * second, 90},
		"ramp down":                 {loadtest.Pacing{Kind: loadtest.Ramp, From: 90, To: 10}, 10 * second, 90},
		"steps":                     {loadtest.Pacing{Kind: loadtest.Steps, Steps: []loadtest.Step{step(10, second), step(50, second), step(20, second)}}, 10 * second, 50},
		"a step that does not come": {loadtest.Pacing{Kind: loadtest.Steps, Steps: []loadtest.Step{step(10, 10*second), step(50, second)}}, 10 * second, 10},
		"sine":                      {loadtest.Pacing{Kind: loadtest.Sine, Mean: 100, Amplitude: 50, Period: 10 * second}, 10 * second, 150},
		"a sine before its crest":   {loadtest.Pacing{Kind: loadtest.Sine, Mean: 100, Amplitude: 50, Period: 120 * second}, 10 * second, 125},
		"a sine after its crest":    {loadtest.Pacing{Kind: loadtest.Sine, Mean: 100, Amplitude: 50, Period: 120 * second, Shift: 0.5}, 10 * second, 100},
		"a sine at its crest":       {loadtest.Pacing{Kind: loadtest.Sine, Mean: 100, Amplitude: 50, Period: 120 * second, Shift: 0.25}, 10 * second, 150},
		"a short spike":             {loadtest.Pacing{Kind: loadtest.Spike, Base: 10, Peak: 500, At: second, For: 10 * time.Millisecond}, 10 * second, 500},
		"burst":                     {loadtest.Pacing{Kind: loadtest.Burst, Size: 70, Every: 10 * second}, 30 * second, 70},
		"bursts within a second":    {loadtest.Pacing{Kind: loadtest.Burst, Size: 70, Every: second / 10}, 30 * second, 700},
		"a phase of half a second":  {loadtest.Pacing{Kind: loadtest.Burst, Size: 70, Every: second / 10}, second / 2, 700},
		"search":                    {loadtest.Pacing{Kind: loadtest.Search, From: 10, To: 40, Step: 10, For: second}, 3 * second, 30},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := schedule(t, c.pacing, 1, c.length, 0)
			if got := pace.Peak(s, c.length); math.Abs(got-c.want) > 1e-6 {
				t.Errorf("Peak = %g, want %g", got, c.want)
			}
		})
	}
	p := schedule(t, loadtest.Pacing{Kind: loadtest.Poisson, Rate: 100}, 1, 100*second, 1)
	if got := pace.Peak(p, 100*second); got < 105 || got > 150 {
		t.Errorf("Peak of poisson at 100/s = %g: the most of 100 seconds is some standard deviations above the mean", got)
	}
	none := schedule(t, constant(100), 0, second, 1)
	if got := pace.Peak(none, second); got != 0 {
		t.Errorf("Peak without load = %g", got)
	}
}

func TestTheScheduleOfAScenarioIsEmptyWhereTheTrafficIsNotSent(t *testing.T) {
	t.Parallel()
	s := &loadtest.Scenario{
		Seed:   1,
		Phases: []loadtest.Phase{{Name: "warm", For: time.Second, Scale: 0.5}, {Name: "steady", For: 2 * time.Second, Scale: 1}, {Name: "drain", For: time.Second}, {Name: "again", For: 2 * time.Second, Scale: 1}},
		Traffic: []loadtest.Traffic{
			{Name: "all", Pacing: constant(100)},
			{Name: "some", Pacing: constant(10), Phases: []string{"steady"}},
			{Name: "chance", Pacing: loadtest.Pacing{Kind: loadtest.Poisson, Rate: 1000}},
			{Name: "luck", Pacing: loadtest.Pacing{Kind: loadtest.Poisson, Rate: 1000}},
		},
	}
	for i, want := range [][]uint64{{50, 200, 0, 200}, {0, 20, 0, 0}} {
		for j := range s.Phases {
			p, err := pace.In(s, i, j)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Planned(s.Phases[j].For); got != want[j] {
				t.Errorf("%s in %s: %d hits, want %d", s.Traffic[i].Name, s.Phases[j].Name, got, want[j])
			}
		}
	}
	a, _ := pace.In(s, 2, 1)
	b, _ := pace.In(s, 3, 1)
	c, _ := pace.In(s, 2, 3)
	x, _ := a.At(3)
	y, _ := b.At(3)
	z, _ := c.At(3)
	if x == y || x == z {
		t.Errorf("traffic and phases draw the same arrivals: %s, %s, %s", x, y, z)
	}
}
