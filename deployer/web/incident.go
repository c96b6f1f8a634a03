package web

import (
	"context"
	"io"
	"time"
)

// Incidents are what the watchdog wrote down. Errors are [deployer.Error];
// CodeNotFound for what is not there (any more).
type Incidents interface {
	// List returns incidents, newest first; those of one pool, or of all for "".
	List(ctx context.Context, pool string, limit int) ([]Incident, error)
	// Load returns one by its id, the beginning of it, or the id of a request that it hurt.
	Load(ctx context.Context, name string) (Incident, error)
	// Dump returns what the goroutine dump of an incident shows.
	Dump(ctx context.Context, id string) (Dump, error)
	// Raw opens the dump itself.
	Raw(ctx context.Context, id string) (io.ReadCloser, error)
}

// Incident is something that was stuck, and what was done about it.
type Incident struct {
	ID          string
	Time        time.Time
	Killing     bool // a worker was killed, or died; else it survived
	Reason      string
	Verdict     string // one sentence
	Worker      string // "http/0"
	Pool        string
	PID         int
	Incarnation uint64
	Stuck       []Victim // the offenders
	Lost        []Victim // requests beside them that got no answer
	Timeline    []Moment
	Locks       []HeldLock
	Stacks      []Stack
	Threads     []Thread
	Process     Process
	DumpBytes   int64 // 0: there is no dump
}

// Victim is a request, or a step of a deployment, that did not end.
type Victim struct {
	Request, Route, Client string
	Slot                   int
	Age                    time.Duration
	Outcome                string // what its client got
}

// Moment is one line of a timeline.
type Moment struct {
	After time.Duration // since the incident was noticed; may be negative
	What  string
}

// HeldLock is a lock that somebody waits for.
type HeldLock struct {
	Name    string
	Holder  string
	Guess   bool // the holder is a guess
	Waiters []string
	Proven  bool // part of a cycle
}

// Stack is the stack of one goroutine.
type Stack struct {
	Goroutine             int64
	Request, Route, State string
	Frames                []string // innermost first
	Own                   int      // how many of the first Frames are of libraries
}

// Thread is one thread as the kernel saw it.
type Thread struct {
	TID   int
	State string
	Where string
	CPU   time.Duration
}

// Process is what the worker used.
type Process struct {
	RSS                                        int64
	Descriptors, Goroutines, Runnable, Backlog int
}

// Dump is a goroutine dump, grouped.
type Dump struct {
	Verdict string
	Total   int
	Locks   []DumpLock
	Groups  []DumpGroup
}

// DumpLock is a lock that goroutines of a dump wait for.
type DumpLock struct {
	Name    string // kind and address
	Count   int
	Where   []string // distinct places where they wait, the most frequent first
	Holders []string // who may hold it, and why
}

// DumpGroup is goroutines in the same state at the same place.
type DumpGroup struct {
	State, Where, Creator string
	Runtime               bool
	Count, Minutes        int
	Frames                []string // of one of them
	Requests              []string // that they work for
}
