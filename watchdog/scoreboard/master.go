package scoreboard

import (
	"sync/atomic"
	"time"
)

// Words of the master's page. Only the master writes them.
const (
	wordMasterBegun = iota // wall clock, ns: for people, and the same for all who read it
	wordMasterPass         // CLOCK_MONOTONIC, ns
	wordMasterPasses
	wordMasterLate // ns
	wordMasterLost
	masterWords
)

// Master is what the master says of itself.
type Master struct{ words []uint64 }

// Begin says when the service was started.
func (m *Master) Begin(at time.Time) {
	atomic.StoreUint64(&m.words[wordMasterBegun], uint64(at.UnixNano()))
}

// Pass says that the master has looked at everything once more. It does so
// several times a second as long as a pool is guarded, and else when it is due.
func (m *Master) Pass() {
	atomic.StoreUint64(&m.words[wordMasterPass], uint64(Now()))
	atomic.AddUint64(&m.words[wordMasterPasses], 1)
}

// Overslept adds time in which nobody watched.
func (m *Master) Overslept(d time.Duration) { atomic.AddUint64(&m.words[wordMasterLate], uint64(d)) }

// SetLost says how many lines of the master's log were ever lost.
func (m *Master) SetLost(lines uint64) { atomic.StoreUint64(&m.words[wordMasterLost], lines) }

// MasterState is the master in a snapshot.
type MasterState struct {
	Begun     time.Time // zero: it has not said
	Pass      int64     // when it last looked at everything; CLOCK_MONOTONIC, ns
	Passes    uint64
	Overslept time.Duration // in which nobody watched, ever
	Lost      uint64        // lines of its log, ever
}

func (m *Master) state() MasterState {
	load := func(word int) uint64 { return atomic.LoadUint64(&m.words[word]) }
	s := MasterState{
		Pass: int64(load(wordMasterPass)), Passes: load(wordMasterPasses),
		Overslept: time.Duration(load(wordMasterLate)), Lost: load(wordMasterLost),
	}
	if begun := load(wordMasterBegun); begun != 0 {
		s.Begun = time.Unix(0, int64(begun))
	}
	return s
}
