package leak

import (
	"math"
	"slices"
	"time"

	"github.com/seadog/seadog/loadtest"
)

const (
	standardWarmUp = time.Minute
	warmUpShare    = 0.25
	leastLength    = 2 * time.Minute // that can show that there is no leak
	windows        = 20
	leastWindows   = 10 // with points in them
	significance   = 0.01
	confidence     = 1.959963985 // of the 95 % interval, in standard deviations
)

// Options say what a series is. Zero fields are defaults.
type Options struct {
	Series string        // its name: "rss", "goroutines", …
	Unit   loadtest.Unit // Bytes, or a count
	// Tolerance is the growth per hour that is no leak: 4 MiB of bytes, 5
	// descriptors or threads, 10 of any other count.
	Tolerance float64
	// WarmUp is the least that is left out at the start, one minute. Profiles of a few
	// minutes shorten it; a quarter is always left out.
	WarmUp time.Duration
}

func (o Options) withDefaults() Options {
	if o.WarmUp == 0 {
		o.WarmUp = standardWarmUp
	}
	if o.Tolerance == 0 {
		o.Tolerance = Tolerance(o.Series, o.Unit)
	}
	return o
}

// Tolerance returns the growth per hour of a series that is no leak.
func Tolerance(series string, unit loadtest.Unit) float64 {
	switch {
	case unit == loadtest.Bytes:
		return 4 << 20
	case series == string(loadtest.MetricFDs), series == string(loadtest.MetricThreads):
		return 5
	}
	return 10
}

// Test judges a series by the rule of the package. Points are in order of time;
// those that are no number are left out.
func Test(points []loadtest.Point, o Options) loadtest.LeakReport {
	o = o.withDefaults()
	r := loadtest.LeakReport{Series: o.Series, Unit: o.Unit, Tolerance: o.Tolerance, P: 1, Verdict: loadtest.Inconclusive}
	points = numbers(points)
	rest := afterWarmUp(points, o.WarmUp)
	t := o.trend(rest)
	r.Windows = len(t.values)
	if r.Windows < leastWindows {
		r.Why = o.tooFew(points, r.Windows)
		return r
	}
	r.Slope, r.Lower, r.P = t.slope(), t.lower(), t.p()
	r.Detectable = t.detectable(o)
	length := rest[len(rest)-1].At - rest[0].At
	trend := r.P < significance
	switch {
	case trend && r.Lower > o.Tolerance:
		r.Verdict = loadtest.Leaking
	case length < leastLength:
	default:
		r.Verdict = loadtest.Pass
	}
	r.Why = o.why(r, trend, length)
	return r
}

// Detectable returns the smallest growth per hour that [Test] would call a leak
// in nine of ten runs that fluctuate as this one did, 0 if there are too few points
// to say. It takes the trend out of the windows, shuffles what remains, adds a
// leak, and looks from which size on it is found.
func Detectable(points []loadtest.Point, o Options) float64 {
	o = o.withDefaults()
	t := o.trend(afterWarmUp(numbers(points), o.WarmUp))
	if len(t.values) < leastWindows {
		return 0
	}
	return t.detectable(o)
}

// numbers returns the points without those that are none. A series is written by
// a service that may be sick.
func numbers(points []loadtest.Point) []loadtest.Point {
	bad := func(p loadtest.Point) bool { return math.IsNaN(p.Value) || math.IsInf(p.Value, 0) }
	if !slices.ContainsFunc(points, bad) {
		return points
	}
	return slices.DeleteFunc(slices.Clone(points), bad)
}

func afterWarmUp(points []loadtest.Point, least time.Duration) []loadtest.Point {
	if len(points) == 0 {
		return nil
	}
	first, last := points[0].At, points[len(points)-1].At
	cut := first + max(least, time.Duration(warmUpShare*float64(last-first)))
	for len(points) > 0 && points[0].At < cut {
		points = points[1:]
	}
	return points
}

// trend cuts points into windows and takes one value of each that has points.
func (o Options) trend(points []loadtest.Point) trend {
	t := trend{}
	if len(points) == 0 {
		return t
	}
	first := points[0].At
	width := float64(points[len(points)-1].At-first) / windows
	if width <= 0 {
		return t
	}
	for i := range windows {
		end := first + time.Duration(float64(i+1)*width)
		n := 0
		for n < len(points) && (points[n].At < end || i == windows-1) {
			n++
		}
		if n == 0 {
			continue
		}
		t.hours = append(t.hours, (float64(i)+0.5)*width/float64(time.Hour))
		t.values = append(t.values, o.level(points[:n]))
		points = points[n:]
	}
	return t
}

// level is the one value that stands for points: of bytes the least, of counts
// the median. 0 if there is none.
func (o Options) level(points []loadtest.Point) float64 {
	if len(points) == 0 {
		return 0
	}
	values := make([]float64, len(points))
	for i, p := range points {
		values[i] = p.Value
	}
	if o.Unit == loadtest.Bytes {
		return slices.Min(values)
	}
	return median(values)
}

// Idle is a second test, that only reports: by how much a series of the idle
// service grew from before the load to after it, for a million requests. It is
// nil if the service was not seen idle, or nothing was sent.
func Idle(before, after []loadtest.Point, unit loadtest.Unit, requests uint64) *float64 {
	o := Options{Unit: unit}
	before, after = numbers(before), numbers(after)
	if len(before) == 0 || len(after) == 0 || requests == 0 {
		return nil
	}
	growth := (o.level(after) - o.level(before)) * 1e6 / float64(requests)
	return &growth
}

func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	if n == 0 {
		return 0
	}
	return (values[(n-1)/2] + values[n/2]) / 2
}
