package deadlock

import (
	"context"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/lock"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

const (
	waitsLong = time.Second      // a cycle that is so old is looked into although nobody was given up yet
	heldLong  = 30 * time.Second // a lock that is held for so long is worth a line
)

// holdKey is one act of locking.
type holdKey struct {
	lock  string
	since time.Time
}

// watch looks at the tracked locks without being asked.
func (d *Detector) watch(ctx context.Context, now time.Time) {
	if d.config.Graph == nil {
		return
	}
	d.watchHeld(now)
	var fresh []lock.Cycle
	there := map[uint64]bool{}
	for _, c := range d.config.Graph.Cycles() {
		there[c.ID] = d.proven[c.ID]
		if c.Waited() >= waitsLong && !c.Ending && !d.proven[c.ID] {
			fresh = append(fresh, c)
		}
	}
	for id := range d.proven {
		if !there[id] {
			delete(d.proven, id)
		}
	}
	if len(fresh) == 0 {
		return
	}
	q := newInquiry(watchdog.NewIncidentID(now), now)
	for _, c := range fresh {
		for _, s := range c.Steps {
			q.add(watchdog.Kill{
				Incident: q.id, At: now, Slot: s.Holder.Slot, Generation: s.Holder.Generation,
				Request: s.Holder.Request, Route: s.Holder.Route, Age: s.Waited, Outcome: "still waits",
			})
		}
	}
	q.ungiven = true
	q.keep(fresh...)
	d.open = append(d.open, q)
	d.look(ctx)
}

func (d *Detector) watchHeld(now time.Time) {
	there := map[holdKey]bool{}
	for _, h := range d.config.Graph.Held(heldLong) {
		key := holdKey{h.Lock, h.Since}
		there[key] = true
		if d.warned[key] {
			continue
		}
		d.config.Region.Count(scoreboard.LockStalls, 1)
		d.config.Log.Warn("a lock is held for long", watchdog.KeyLock, h.Lock, watchdog.KeyHolder, h.Holder.String(), watchdog.KeyRequest, h.Holder.Request,
			watchdog.KeyDuration, now.Sub(h.Since).Round(time.Millisecond), watchdog.KeyWaiters, h.Waiters)
	}
	d.warned = there
}
