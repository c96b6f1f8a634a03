package hang

import (
	"time"

	"github.com/seadog/seadog/loadtest"
)

// Request is one that is out, as the sender knows it. Times count from the
// start of the run.
type Request struct {
	Traffic string
	Seq     uint64
	Sent    time.Duration
	First   time.Duration // byte of the answer; 0: there was none yet
}

// facts are what one look shows.
type facts struct {
	at   time.Duration
	woke time.Duration // since when this machine has been on time; nothing before it counts

	inflight  []Request // oldest first
	completed uint64    // requests that the service ended
	abandoned uint64    // requests that were given up without a first byte
	last      Request   // of them

	probe probeState

	queue    level
	progress level
}

// level is a value of the service, if it is known and fresh.
type level struct {
	loadtest.Point
	known bool
}

// age is how long something has lasted, as far as that can be held against the service.
func (f *facts) age(since time.Duration) time.Duration { return f.at - max(since, f.woke) }

// mood is how a rule sees the service.
type mood int

const (
	calm   mood = iota
	unsure      // a stretch that has begun is not over yet
	stuck
)

// finding is what a rule says at one look.
type finding struct {
	mood  mood
	since time.Duration // stuck: since then
	text  string        // stuck: one sentence
}

// rule looks at facts, one look after the other.
type rule interface {
	name() string
	look(f *facts) finding
}
