package observe

import "github.com/seadog/seadog/loadtest"

const MostPoints = mostPoints

// Keep returns what is kept of points.
func Keep(name string, counts bool, points func(yield func(loadtest.Point) bool)) loadtest.ServerSeries {
	s := series{name: name, counts: counts}
	for p := range points {
		s.add(p)
	}
	return s.report()
}
