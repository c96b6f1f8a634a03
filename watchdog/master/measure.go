package master

import (
	"os"
	"time"

	"github.com/seadog/seadog/watchdog/process"
)

const (
	measureEvery   = 5 * time.Second
	measureQuickly = time.Second // where memory is limited
)

// measures is what was measured of one process.
type measures struct {
	jitter      float64 // drawn when it was started
	rss         int64   // bytes
	news        bool    // rss was not judged yet
	heavy       int     // times in a row that it was above the soft limit
	descriptors int
}

// takeRSS returns what was measured since the last call, 0 if nothing was.
func (m *measures) takeRSS() int64 {
	if !m.news {
		return 0
	}
	m.news = false
	return m.rss
}

// measurement is what a goroutine found out about one process.
type measurement struct {
	child       *child
	pid         int
	stderr      string
	rss         int64
	descriptors int
}

// measure has the guarded pools measured when that is due, by a goroutine: to
// read /proc can take longer than the owner loop may.
func (m *master) measure() {
	now := time.Now()
	if m.measuring || now.Before(m.measureDue) {
		return
	}
	every := measureEvery
	var list []measurement
	for _, p := range m.pools {
		if !p.guarded() {
			continue
		}
		if p.Policy.Recycle.Memory > 0 || p.Policy.Recycle.MemoryHard > 0 {
			every = measureQuickly
		}
		for _, at := range p.all() {
			at.children(func(c *child) {
				if c.state.Serves() && c.process != nil {
					list = append(list, measurement{child: c, pid: c.pid(), stderr: c.stderr})
				}
			})
		}
	}
	m.measuring, m.measureDue = true, now.Add(every)
	m.attended.Go(func() {
		for i := range list {
			list[i].take()
		}
		m.events <- func() { m.measured(list) }
	})
}

// take measures one process. Of one that ends meanwhile nothing is known. What
// it writes to its stderr has a limit as well.
func (x *measurement) take() {
	x.rss, _ = process.RSS(x.pid)
	x.descriptors, _ = process.Descriptors(x.pid)
	if info, err := os.Stat(x.stderr); err == nil && info.Size() > stderrLimit {
		_ = os.Truncate(x.stderr, 0)
	}
}

func (m *master) measured(list []measurement) {
	m.measuring = false
	for _, x := range list {
		to, limit := &x.child.measures, x.child.place.pool.Policy.Recycle.Memory
		to.rss, to.news, to.descriptors = x.rss, true, x.descriptors
		if limit > 0 && x.rss > limit {
			to.heavy++
		} else {
			to.heavy = 0
		}
	}
}
