package observe

import (
	"slices"
	"strings"

	"github.com/seadog/seadog/loadtest"
)

const (
	mostPoints = 2048 // of a series; a day has 86,400 seconds
	mostSeries = 500  // that are kept; a histogram has one for each bucket and route
)

// series keeps the points of one name. Above mostPoints, two become one.
type series struct {
	name   string
	counts bool
	points []loadtest.Point
	stride int // points that one of points stands for
	sum    float64
	n      int // points in sum
	last   loadtest.Point
}

func (s *series) add(p loadtest.Point) {
	s.stride = max(s.stride, 1)
	s.sum += p.Value
	s.n++
	s.last = p
	if s.n < s.stride {
		return
	}
	s.points = append(s.points, s.merged())
	s.sum, s.n = 0, 0
	if len(s.points) < mostPoints {
		return
	}
	for i := range len(s.points) / 2 {
		a, b := s.points[2*i], s.points[2*i+1]
		if !s.counts {
			b.Value = (a.Value + b.Value) / 2
		}
		s.points[i] = b
	}
	s.points = s.points[:len(s.points)/2]
	s.stride *= 2
}

// merged is one point for those that came since the last one: of a counter the
// last, of everything else the mean.
func (s *series) merged() loadtest.Point {
	p := s.last
	if !s.counts {
		p.Value = s.sum / float64(s.n)
	}
	return p
}

func (s *series) report() loadtest.ServerSeries {
	points := slices.Clone(s.points)
	if s.n > 0 {
		points = append(points, s.merged())
	}
	return loadtest.ServerSeries{Name: s.name, Unit: unitOf(s.name), Points: points}
}

// unitOf reads the unit from the name, as the rules for names of metrics want it.
func unitOf(name string) loadtest.Unit {
	metric, _, _ := strings.Cut(name, "{")
	for _, part := range []string{"_bucket", "_count"} {
		if strings.HasSuffix(metric, part) {
			return loadtest.NoUnit
		}
	}
	metric = strings.TrimSuffix(strings.TrimSuffix(metric, "_total"), "_sum")
	switch {
	case metric == string(loadtest.MetricRSS), metric == string(loadtest.MetricHeapLive), strings.HasSuffix(metric, "_bytes"):
		return loadtest.Bytes
	case strings.HasSuffix(metric, "_seconds"):
		return loadtest.Seconds
	}
	return loadtest.NoUnit
}
