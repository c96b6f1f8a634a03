package scoreboard

import (
	"bytes"
	"encoding/binary"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog"
)

// Region is the part of one worker.
type Region struct {
	id       watchdog.ID
	words    []uint64
	counters []uint64
}

func newRegion(words []uint64, counters int) *Region {
	name := make([]byte, 0, maxName)
	for _, w := range words[wordPool:wordIndex] {
		name = binary.NativeEndian.AppendUint64(name, w)
	}
	return &Region{
		id:       watchdog.ID{Pool: string(bytes.TrimRight(name, "\x00")), Index: int(words[wordIndex])},
		words:    words,
		counters: words[wordFirstCounter : wordFirstCounter+counters],
	}
}

func encodeID(id watchdog.ID) []byte {
	b := make([]byte, (wordIndex+1)*8)
	copy(b[:maxName], id.Pool)
	binary.NativeEndian.PutUint64(b[wordIndex*8:], uint64(id.Index))
	return b
}

// ID returns the worker's place.
func (r *Region) ID() watchdog.ID { return r.id }

// Add counts n more on counter i. It panics if there is no such counter.
func (r *Region) Add(i int, n uint64) { atomic.AddUint64(&r.counters[i], n) }

// Value returns counter i.
func (r *Region) Value(i int) uint64 { return atomic.LoadUint64(&r.counters[i]) }

// Beat says that the incarnation is alive. It is without effect while the
// region names another one.
func (r *Region) Beat(incarnation uint64) {
	if r.load(wordIncarnation) == incarnation {
		r.store(wordHeartbeat, uint64(Now()))
	}
}

// Begin names the incarnation that the region shows from now on. Only the
// master calls it, and the two below.
func (r *Region) Begin(incarnation uint64, pid int, s watchdog.State) {
	r.store(wordHeartbeat, 0)
	r.store(wordIncarnation, incarnation)
	r.store(wordPID, uint64(pid))
	r.store(wordStarted, uint64(Now()))
	r.store(wordState, uint64(s))
}

// SetState shows the state of the incarnation, if the region names it.
func (r *Region) SetState(incarnation uint64, s watchdog.State) {
	if r.load(wordIncarnation) != incarnation {
		return
	}
	r.store(wordState, uint64(s))
	if s == watchdog.Absent {
		r.store(wordPID, 0)
	}
}

// CountDeath counts one unexpected end.
func (r *Region) CountDeath() { atomic.AddUint64(&r.words[wordDeaths], 1) }

func (r *Region) load(word int) uint64     { return atomic.LoadUint64(&r.words[word]) }
func (r *Region) store(word int, v uint64) { atomic.StoreUint64(&r.words[word], v) }

// Now returns CLOCK_MONOTONIC in nanoseconds.
func Now() int64 {
	var ts unix.Timespec
	// Fails only for clocks that do not exist.
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return ts.Nano()
}
