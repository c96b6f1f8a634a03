package deadlock

import (
	"bytes"
	"runtime"
	"runtime/pprof"
	"time"

	"github.com/seadog/seadog/watchdog/scoreboard"
	"github.com/seadog/seadog/watchdog/stackdump"
)

const (
	// mostStopped is up to how many goroutines the world is stopped to print
	// stacks with what every goroutine waits for: about 11 µs for each. For more
	// there is one profile, which stops it for a tenth of that and tells less.
	mostStopped = 5000

	perGoroutine = 4 << 10 // bytes that are likely enough for the first dump
	leastDump    = 64 << 10
	mostDump     = 64 << 20
)

// dump takes stacks of all goroutines. whole is false if they are a profile,
// of which more than one is of no use.
func (d *Detector) dump(q *inquiry) (dump *stackdump.Dump, whole bool) {
	n := runtime.NumGoroutine()
	whole = n <= mostStopped
	var text []byte
	self := 0
	begin := scoreboard.Now()
	if whole {
		text, self = d.stop(n), 1
	} else {
		text = d.profile()
	}
	took := float64(scoreboard.Now()-begin) / 1e6
	dump, err := stackdump.Parse(bytes.NewReader(text), 0)
	if err != nil { // a reader of bytes has no errors
		q.note("stacks could not be read: %s", err)
		return nil, false
	}
	// Who takes a dump is the first in it, and no suspect.
	dump.Goroutines = dump.Goroutines[min(self, len(dump.Goroutines)):]
	q.note("stacks of %d goroutines taken in %.1f ms", dump.Total(), took)
	return dump, whole
}

// stop stops the world and prints it.
func (d *Detector) stop(goroutines int) []byte {
	size := max(d.dumpSize+d.dumpSize/2, goroutines*perGoroutine, leastDump)
	buf := make([]byte, min(size, mostDump))
	clear(buf) // the kernel gives the memory now, not while the world stands still
	over := d.standStill()
	n := runtime.Stack(buf, true)
	over()
	d.dumpSize = n
	return buf[:n]
}

func (d *Detector) profile() []byte {
	var text bytes.Buffer
	defer d.standStill()()
	_ = pprof.Lookup("goroutine").WriteTo(&text, 1) // a buffer has no errors
	return text.Bytes()
}

// standStill shows the master that this process dumps itself, until over.
func (d *Detector) standStill() (over func()) {
	r, begin := d.config.Region, scoreboard.Now()
	r.SetDumping(begin)
	return func() {
		r.SetDumping(0)
		r.ObserveDump(time.Duration(scoreboard.Now() - begin))
	}
}
