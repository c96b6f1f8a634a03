package selfdump

import (
	"bytes"
	"runtime"
	"runtime/pprof"
	"sync"
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

// Taker takes dumps of this process, one at a time, and shows on the scoreboard
// that it does. A process is to have one. It does not ask whether the world can
// be stopped: see [process.Unstoppable].
type Taker struct {
	region *scoreboard.Region // nil: there is no scoreboard

	mu   sync.Mutex
	size int // of the last dump, in bytes
}

// NewTaker returns a taker for the process that has this region; it may be nil.
func NewTaker(r *scoreboard.Region) *Taker { return &Taker{region: r} }

// Taken is a dump as the process took it, with everything that is in it.
type Taken struct {
	*stackdump.Dump
	// Whole is false if it is a profile, which does not tell what goroutines
	// wait for.
	Whole bool
	Began int64         // in the time of [scoreboard.Now]
	Took  time.Duration // the process stood still for at most that
}

// Take takes one. Who calls it is not in it, unless it is a profile.
func (t *Taker) Take() Taken {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := runtime.NumGoroutine()
	taken := Taken{Whole: n <= mostStopped, Began: scoreboard.Now()}
	var text []byte
	self := 0
	if taken.Whole {
		text, self = t.stop(n), 1
	} else {
		text = t.profile()
	}
	taken.Took = time.Duration(scoreboard.Now() - taken.Began)
	taken.Dump, _ = stackdump.Parse(bytes.NewReader(text), 0) // a reader of bytes has no errors
	// Who takes a dump is the first in it, and no suspect.
	taken.Goroutines = taken.Goroutines[min(self, len(taken.Goroutines)):]
	return taken
}

// stop stops the world and prints it.
func (t *Taker) stop(goroutines int) []byte {
	size := max(t.size+t.size/2, goroutines*perGoroutine, leastDump)
	buf := make([]byte, min(size, mostDump))
	clear(buf) // the kernel gives the memory now, not while the world stands still
	defer t.show()()
	n := runtime.Stack(buf, true)
	t.size = n
	return buf[:n]
}

func (t *Taker) profile() []byte {
	var text bytes.Buffer
	defer t.show()()
	_ = pprof.Lookup("goroutine").WriteTo(&text, 1) // a buffer has no errors
	return text.Bytes()
}

// show tells the master that the process stands still, until over is called.
func (t *Taker) show() (over func()) {
	if t.region == nil {
		return func() {}
	}
	begin := scoreboard.Now()
	t.region.SetDumping(begin)
	return func() {
		t.region.SetDumping(0)
		t.region.ObserveDump(time.Duration(scoreboard.Now() - begin))
	}
}
