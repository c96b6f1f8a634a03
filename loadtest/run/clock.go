package run

import (
	"sync/atomic"
	"time"
)

// clock is the time since the start of the load. What watches the service
// begins before that: until then time counts from far below zero, and jumps to
// zero when the load starts. It never goes back.
type clock struct {
	made  time.Time
	start atomic.Pointer[time.Time]
}

// beforeStart is longer than anything takes before the load.
const beforeStart = time.Hour

func newClock() *clock { return &clock{made: time.Now()} }

func (c *clock) begin(start time.Time) { c.start.Store(&start) }

func (c *clock) since() time.Duration {
	if start := c.start.Load(); start != nil {
		return time.Since(*start)
	}
	return time.Since(c.made) - beforeStart
}
