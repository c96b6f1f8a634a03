package observe

import "time"

// mostGaps are kept one by one; what comes after them lengthens the last.
const mostGaps = 200

// Source is where points come from.
type Source string

const (
	Metrics Source = "metrics"
	Process Source = "process"
)

// Gap is a stretch in which a source gave nothing. Times count from the start of the run.
type Gap struct {
	Source Source
	From   time.Duration // the first attempt that failed
	To     time.Duration // the first that worked again, or the last that failed
	Missed int           // attempts
	Open   bool          // it goes on
	Why    string        // the last error
}

// gaps of one source.
type gaps struct {
	list []Gap
}

func (g *gaps) missed(s Source, at time.Duration, err error) {
	n := len(g.list)
	if n == 0 || !g.list[n-1].Open && n < mostGaps {
		g.list = append(g.list, Gap{Source: s, From: at})
		n++
	}
	last := &g.list[n-1]
	last.Open = true
	last.To = at
	last.Missed++
	last.Why = err.Error()
}

func (g *gaps) worked(at time.Duration) {
	if n := len(g.list); n > 0 && g.list[n-1].Open {
		g.list[n-1].Open = false
		g.list[n-1].To = at
	}
}
