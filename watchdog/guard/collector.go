package guard

import (
	"math"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

const (
	// collectAge is the age of a request from which on it may be in a loop that
	// cannot be preempted.
	collectAge = 200 * time.Millisecond
	lookEvery  = 250 * time.Millisecond
	// looks at threads, and the time between them.
	looks    = 5
	lookStep = 12 * time.Millisecond
	// headroom is how much the process may grow without garbage collection if
	// it has no limit of its own.
	headroom = 256 << 20

	metricTotal = "/memory/classes/total:bytes"
)

// collector keeps the garbage collector from stopping the world while a thread
// may be in a loop that cannot be preempted: the world would not stop, and the
// whole process would stand still. The limit of memory goes on to hold; a
// process without one gets one for that time.
type collector struct {
	busy      atomic.Bool // looking
	suspended atomic.Bool
	looked    int64

	// Only the goroutine of the chores touches these, and release after it.
	percent int
	limit   int64
}

// judge has the threads looked at while a request is old, and lets garbage be
// collected again when none is.
func (c *collector) judge(g *Guard, now int64, s *survey) {
	old := now-s.oldest >= int64(collectAge)
	if c.busy.Load() || !old && !c.suspended.Load() || old && now-c.looked < int64(lookEvery) {
		return
	}
	c.looked = now
	c.busy.Store(true)
	work := func() {
		defer c.busy.Store(false)
		switch spins := old && spinning(); {
		case spins && !c.suspended.Load():
			c.suspend()
			g.log.Warn("garbage collection suspended: a thread spins while a request is overdue")
		case !spins && c.suspended.Load():
			c.release()
			g.log.Info("garbage collection resumed")
		}
	}
	if !g.chores.do(work) {
		c.busy.Store(false)
	}
}

// suspend may wait for a collection that is under way.
func (c *collector) suspend() {
	if c.limit = debug.SetMemoryLimit(-1); c.limit == math.MaxInt64 {
		sample := []metrics.Sample{{Name: metricTotal}}
		metrics.Read(sample)
		debug.SetMemoryLimit(int64(sample[0].Value.Uint64()) + headroom)
	}
	c.suspended.Store(true)
	c.percent = debug.SetGCPercent(-1)
}

// release lets garbage be collected again.
func (c *collector) release() {
	if c.suspended.Swap(false) {
		debug.SetMemoryLimit(c.limit)
		debug.SetGCPercent(c.percent)
	}
}
