package web

import (
	"fmt"
	"time"
)

// Workers looks at the scoreboard. It does not block.
type Workers interface {
	Look() (Scoreboard, error)
}

// Scoreboard is what all processes of the service are busy with, at one moment.
type Scoreboard struct {
	Pools []Pool
}

// Pool is the processes that do the same work.
type Pool struct {
	Name       string
	Places     int // workers that there should be
	Accepting  int // workers that take new work
	Backlog    int // connections that wait to be accepted
	BacklogMax int
	// Ever, of all processes that there were.
	Requests, SoftKills, Kills, Lost, Answered, Moved, Gates, Shed, HangUps uint64
	Workers                                                                 []Worker
}

// short reports whether the pool has fewer workers than it should have.
func (p Pool) short() (Notice, bool) {
	if p.Accepting >= p.Places || p.Places == 0 {
		return Notice{}, false
	}
	return Notice{
		Tone: "warn", What: fmt.Sprintf("%d of %d workers of pool %s take work", p.Accepting, p.Places, p.Name),
		Why: "the others start, end, or are suspected of being stuck", Link: "/workers",
	}, true
}

// Worker is one process.
type Worker struct {
	Name        string // "http/0", "http/spare"
	Incarnation uint64
	PID         int
	State       string
	Accepting   bool
	Spare       bool
	Age         time.Duration
	Heartbeat   time.Duration // since the last one
	Requests    uint64
	Connections int
	Abandoned   int // requests that were given up and go on
	Goroutines  int
	Runnable    int
	Latency     time.Duration // of the scheduler
	Procs       int
	Dumping     time.Duration // 0: it does not
	Deadlock    bool
	Busy        []Slot
}

// Slot is one request, or one step of a deployment, that is under way.
type Slot struct {
	Number    int
	Phase     string
	Request   string
	Route     string
	Client    string
	Stream    bool
	Age       time.Duration
	Silent    time.Duration  // of a stream
	SoftLeft  *time.Duration // until it is given up; negative: passed; nil: never
	HardLeft  *time.Duration
	Abandoned time.Duration // since it was given up; 0: it was not
}
