package pace

import (
	"fmt"
	"sort"
	"time"
)

// replay is a list that was recorded, faster or slower. When it is through,
// nothing more is due: what is not recorded cannot be replayed.
type replay struct {
	offsets []time.Duration
	speed   float64
	length  time.Duration
	total   uint64
}

func checkReplay(o order) error {
	switch {
	case !(o.Speed >= 0.001 && o.Speed <= 1000):
		return &Problem{"speed", fmt.Sprintf("%g is no speed", o.Speed), "write how many times as fast, from 0.001 to 1000; 1 is as it was"}
	case len(o.Offsets) == 0:
		return &Problem{"file", "no request is recorded in it", "record some, or use another kind of pacing"}
	}
	for i, at := range o.Offsets {
		if at < 0 || i > 0 && at < o.Offsets[i-1] {
			return &Problem{"file", fmt.Sprintf("request %d is due at %s, before the one above it", i+1, at), "sort it by time"}
		}
	}
	return nil
}

func newReplay(o order) Schedule {
	r := &replay{offsets: o.Offsets, speed: o.Speed * o.scale, length: o.length}
	r.total = r.Planned(o.length)
	return r
}

func (r *replay) due(i int) time.Duration {
	due := float64(r.offsets[i]) / r.speed
	return time.Duration(min(due, float64(2*MaxLength))) // a slow replay must not overflow
}

func (r *replay) Planned(t time.Duration) uint64 {
	t = min(t, r.length)
	return uint64(sort.Search(len(r.offsets), func(i int) bool { return r.due(i) >= t }))
}

func (r *replay) At(n uint64) (time.Duration, bool) {
	if n >= r.total {
		return 0, false
	}
	return r.due(int(n)), true
}
