package deadlock

import (
	"hash/fnv"
	"time"

	"github.com/seadog/seadog/watchdog/stackdump"
)

// waitBelieved is how long requests of a route are taken to wait for I/O at the
// place where one of them was seen to.
const waitBelieved = time.Minute

// wait is the place where requests of a route wait for I/O; 0 if they do not.
type wait struct {
	place uint64
	seen  time.Time
}

// publishWaiting tells the master where the requests that were given up wait
// for I/O. Workers that are stuck at the same place have the same dependency
// down, and killing them would help nobody. Those of which no stack was taken
// are taken to be where the last one of their route was.
func (d *Detector) publishWaiting(q *inquiry, who *people) {
	for slot, kill := range who.offenders {
		if g := who.main(slot); g != nil {
			d.waits[kill.Route] = wait{waitingAt(g), time.Now()}
		}
	}
	slots := d.config.Region.Slots()
	for _, kill := range q.kills {
		w := d.waits[kill.Route]
		if w.place == 0 || time.Since(w.seen) > waitBelieved || !d.goesOn(kill) || kill.Slot < 0 || kill.Slot >= len(slots) {
			continue
		}
		slots[kill.Slot].SetWaiting(w.place)
	}
}

// waitingAt is a number for the place in the program, the same in all workers.
func waitingAt(g *stackdump.Goroutine) uint64 {
	if g.State != "IO wait" && g.State != "syscall" {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(place(g).Func)) // never fails
	return h.Sum64()
}
