package deadlock

import "github.com/seadog/seadog/watchdog/stackdump"

// dump takes stacks of all goroutines. whole is false if they are a profile,
// of which more than one is of no use.
func (d *Detector) dump(q *inquiry) (dump *stackdump.Dump, whole bool) {
	taken := d.config.Taker.Take()
	q.note("stacks of %d goroutines taken in %.1f ms", taken.Total(), taken.Took.Seconds()*1e3)
	return taken.Dump, taken.Whole
}
