package leak_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/leak"
)

const mib = 1 << 20

// steps is a series of a point a second that holds each value for 15 s, after a
// warm-up of a quarter that is far off.
func steps(values ...float64) []loadtest.Point {
	const each = 15
	var out []loadtest.Point
	for i := range len(values) * each * 4 / 3 {
		v := 1e9 * float64(1+i)
		if i -= len(values) * each / 3; i >= 0 {
			v = values[i/each]
		}
		out = append(out, loadtest.Point{At: time.Duration(len(out)) * time.Second, Value: v})
	}
	return out
}

func near(a, b, relative float64) bool {
	return math.Abs(a-b) <= relative*max(math.Abs(a), math.Abs(b))
}

func TestRuleGivesWhatPaperAndPencilGive(t *testing.T) {
	t.Parallel()
	rising := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}
	// 190 pairs, all rising: the variance is 20 × 19 × 45 ÷ 18 = 950, z = 189 ÷ 30.82 = 6.132.
	// One a window is 240 an hour.
	got := leak.Test(steps(rising...), leak.Options{WarmUp: time.Second})
	if !near(got.P, 4.34e-10, 0.01) || !near(got.Slope, 240, 0.01) || !near(got.Lower, 240, 0.01) || got.Windows != 20 {
		t.Errorf("rising: %+v", got)
	}
	// Two levels of ten: 100 pairs rise and 90 are equal. The variance is
	// (17100 − 2 × 10 × 9 × 25) ÷ 18 = 700, z = 99 ÷ 26.46 = 3.742. Of the slopes more
	// than half are above 0; the lower end is the ⌊(190 − 1.96 × 26.46) ÷ 2⌋ = 69th, a 0.
	got = leak.Test(steps(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2), leak.Options{WarmUp: time.Second})
	if !near(got.P, 9.13e-5, 0.01) || got.Lower != 0 || got.Slope <= 0 || got.Verdict != loadtest.Pass {
		t.Errorf("two levels: %+v", got)
	}
	// Ten that rise and ten that stay: 135 pairs rise, eleven values are equal. The
	// variance is (17100 − 11 × 10 × 27) ÷ 18 = 785, z = 134 ÷ 28.02 = 4.783. The lower
	// end is the ⌊(190 − 1.96 × 28.02) ÷ 2⌋ = 67th slope, after 55 zeros the 12th of
	// (9−i) ÷ (j−i) for i < 9 < j, which is 3 ÷ 13; the median is between 4 ÷ 9 and 5 ÷ 11.
	for i := range rising {
		rising[i] = float64(min(i, 9))
	}
	got = leak.Test(steps(rising...), leak.Options{WarmUp: time.Second})
	if !near(got.P, 8.65e-7, 0.01) || !near(got.Lower, 240.0*3/13, 0.005) || !near(got.Slope, 120*(4.0/9+5.0/11), 0.005) {
		t.Errorf("half rising: %+v", got)
	}
	falling := []float64{20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1}
	got = leak.Test(steps(falling...), leak.Options{WarmUp: time.Second})
	if got.P < 0.999 || !near(got.Slope, -240, 0.01) || got.Verdict != loadtest.Pass {
		t.Errorf("falling: %+v", got)
	}
}

func TestLeakIsATrendAboveTheTolerance(t *testing.T) {
	t.Parallel()
	rising := func(each float64) []loadtest.Point {
		values := make([]float64, 20)
		for i := range values {
			values[i] = 1000 + each*float64(i)
		}
		return steps(values...)
	}
	late := make([]float64, 20)
	for i := range late {
		late[i] = 50
	}
	flat := steps(late...)
	late[19] = 51
	short := rising(2)[:100]
	tests := map[string]struct {
		points  []loadtest.Point
		options leak.Options
		want    loadtest.Verdict
		why     string
	}{
		"two more a window":      {rising(2), leak.Options{}, loadtest.Leaking, "it grew by 48"},
		"tolerated":              {rising(2), leak.Options{Tolerance: 500}, loadtest.Pass, "within the tolerance of 500/h"},
		"not certainly too much": {steps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9), leak.Options{Tolerance: 60}, loadtest.Pass, "not certain"},
		// 60 of 190 pairs fall: z = 69 ÷ 30.82, p = 0.0126, and the 64th slope is above 0.
		"chance could have done it": {
			steps(11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 14, 13, 12, 16, 15, 18, 17, 19, 20),
			leak.Options{Tolerance: 1e-3},
			loadtest.Pass, "there is no trend",
		},
		"memory":                  {rising(mib), leak.Options{Unit: loadtest.Bytes}, loadtest.Leaking, "4MiB/h is tolerated"},
		"memory, tolerated":       {rising(10_000), leak.Options{Unit: loadtest.Bytes}, loadtest.Pass, "within the tolerance of 4MiB/h"},
		"descriptors":             {rising(0.035), leak.Options{Series: "fds"}, loadtest.Leaking, ""}, // 8.4 an hour
		"as many goroutines":      {rising(0.035), leak.Options{Series: "goroutines"}, loadtest.Pass, "within"},
		"one more at the end":     {steps(late...), leak.Options{}, loadtest.Pass, "there is no trend"},
		"nothing happens":         {flat, leak.Options{}, loadtest.Pass, "there is no trend; a leak of"},
		"too short to exclude it": {flat[:140], leak.Options{}, loadtest.Inconclusive, "too short to exclude a leak"},
		"short, and it leaks":     {short, leak.Options{WarmUp: time.Second, Tolerance: 1}, loadtest.Leaking, ""},
		"no points":               {nil, leak.Options{}, loadtest.Inconclusive, "nothing was measured"},
		"one point":               {flat[:1], leak.Options{}, loadtest.Inconclusive, "0 of 20 windows"},
		"nine points":             {flat[300:309], leak.Options{WarmUp: 1}, loadtest.Inconclusive, "of 8s only"},
		"points at one time":      {make([]loadtest.Point, 30), leak.Options{}, loadtest.Inconclusive, "0 of 20"},
		"no numbers": {[]loadtest.Point{
			{At: time.Second, Value: math.NaN()}, {At: 2 * time.Second, Value: math.Inf(1)},
		}, leak.Options{}, loadtest.Inconclusive, "nothing was measured"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.options.WarmUp = max(test.options.WarmUp, time.Second)
			if strings.HasPrefix(name, "too short") {
				test.options.WarmUp = time.Minute
			}
			got := leak.Test(test.points, test.options)
			if got.Verdict != test.want || !strings.Contains(got.Why, test.why) {
				t.Errorf("got %s, %q; want %s, %q", got.Verdict, got.Why, test.want, test.why)
			}
			for _, v := range []float64{got.Slope, got.Lower, got.P, got.Detectable} {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Errorf("no number: %+v", got)
				}
			}
		})
	}
}

func TestWarmUpIsLeftOut(t *testing.T) {
	t.Parallel()
	grows := func(seconds int, until time.Duration) []loadtest.Point {
		var out []loadtest.Point
		for i := range seconds {
			at := time.Duration(i) * time.Second
			out = append(out, loadtest.Point{At: time.Hour + at, Value: min(at, until).Seconds() * mib})
		}
		return out
	}
	for name, test := range map[string]struct {
		points []loadtest.Point
		warmUp time.Duration
		want   loadtest.Verdict
	}{
		"a quarter of a long run":     {grows(1200, 5*time.Minute), 0, loadtest.Pass},
		"and no more":                 {grows(1200, 20*time.Minute), 0, loadtest.Leaking},
		"a minute of a short one":     {grows(200, time.Minute), 0, loadtest.Pass},
		"a short one, not shortened":  {grows(200, 50*time.Second), 10 * time.Second, loadtest.Pass},
		"a minute after it has begun": {grows(200, 3*time.Minute), 0, loadtest.Leaking},
	} {
		if got := leak.Test(test.points, leak.Options{Unit: loadtest.Bytes, WarmUp: test.warmUp}); got.Verdict != test.want {
			t.Errorf("%s: %s, %s", name, got.Verdict, got.Why)
		}
	}
}

func TestWarmUpOfAMinuteCanBeShortened(t *testing.T) {
	t.Parallel()
	flat := steps(make([]float64, 20)...)[100 : 100+165] // of which a minute leaves 105 s, a quarter 124 s
	for warmUp, want := range map[time.Duration]loadtest.Verdict{0: loadtest.Inconclusive, time.Second: loadtest.Pass} {
		if got := leak.Test(flat, leak.Options{WarmUp: warmUp}); got.Verdict != want {
			t.Errorf("warm-up %s: %s, %s", warmUp, got.Verdict, got.Why)
		}
	}
}

// Whole numbers hide what is less than one.
func TestDetectableLeakOfCountsKnowsThatTheyAreWhole(t *testing.T) {
	t.Parallel()
	planted := func(perHour float64) (hits int, r loadtest.LeakReport) {
		for phase := range 20 {
			values := make([]float64, 20)
			for i := range values {
				values[i] = math.Floor(50 + float64(phase)/20 + perHour*(float64(i)+0.5)*15/3600)
			}
			if r = leak.Test(steps(values...), leak.Options{WarmUp: time.Second}); r.Verdict == loadtest.Leaking {
				hits++
			}
		}
		return hits, r
	}
	_, flat := planted(0)
	if flat.Detectable <= flat.Tolerance*1.5 {
		t.Errorf("%.1f an hour would be seen in five minutes, it says; that is one goroutine", flat.Detectable)
	}
	if hits, _ := planted(flat.Detectable); hits < 16 {
		t.Errorf("%.1f an hour is found %d times of 20", flat.Detectable, hits)
	}
	if hits, _ := planted(flat.Detectable / 2); hits > 10 {
		t.Errorf("half of %.1f an hour is found %d times of 20", flat.Detectable, hits)
	}
}

func TestPointsThatAreNoNumbersAreLeftOut(t *testing.T) {
	t.Parallel()
	values := make([]float64, 20)
	for i := range values {
		values[i] = float64(10 * i)
	}
	clean := leak.Test(steps(values...), leak.Options{})
	dirty := steps(values...)
	for i := 7; i < len(dirty); i += 31 {
		dirty[i].Value = math.NaN()
	}
	got := leak.Test(dirty, leak.Options{})
	if got.Verdict != loadtest.Leaking || !near(got.Slope, clean.Slope, 0.01) {
		t.Errorf("got %+v, want about %+v", got, clean)
	}
	if !math.IsNaN(dirty[7].Value) {
		t.Error("the points were changed")
	}
}

func TestIdleGrowthIsForAMillionRequests(t *testing.T) {
	t.Parallel()
	idle := func(values ...float64) []loadtest.Point {
		var out []loadtest.Point
		for _, v := range values {
			out = append(out, loadtest.Point{Value: v})
		}
		return out
	}
	want := func(v float64) *float64 { return &v }
	for name, test := range map[string]struct {
		before, after []loadtest.Point
		unit          loadtest.Unit
		requests      uint64
		want          *float64
	}{
		"of bytes the least":   {idle(12, 10, 50), idle(90, 30), loadtest.Bytes, 500_000, want(40)},
		"of counts the median": {idle(10, 12, 50), idle(30, 90), "", 2_000_000, want(24)},
		"nothing before":       {nil, idle(30), "", 5, nil},
		"nothing after":        {idle(30, math.NaN()), idle(math.NaN()), "", 5, nil},
		"no requests":          {idle(30), idle(50), "", 0, nil},
	} {
		got := leak.Idle(test.before, test.after, test.unit, test.requests)
		if (got == nil) != (test.want == nil) || got != nil && *got != *test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
