package watchdog

import "time"

// Severity orders incidents by how long they are kept.
type Severity string

const (
	Warning Severity = "warning" // a request was given up, a lock stalls; the worker lives
	Killing Severity = "killing" // a worker was killed, or died by itself
)

// Incident is what the watchdog writes down when something was stuck: what,
// since when, why it thinks so, and what it did. Nothing in it is secret:
// requests are named by id, route and client address, never by their content.
type Incident struct {
	ID       string    `json:"id"`   // see [NewIncidentID]
	Time     time.Time `json:"time"` // when it was noticed
	Severity Severity  `json:"severity"`
	Reason   string    `json:"reason"`  // a [Reason] that is an incident's
	Verdict  string    `json:"verdict"` // one sentence

	Pool        string `json:"pool"`
	Index       int    `json:"index"`
	Incarnation uint64 `json:"incarnation"`
	PID         int    `json:"pid"`

	Stuck []Stuck `json:"stuck,omitempty"` // the offenders
	Lost  []Stuck `json:"lost,omitempty"`  // requests that were under way beside them and got no answer

	Evidence Evidence `json:"evidence,omitzero"`
	Timeline []Moment `json:"timeline,omitempty"`
}

// Stuck is one request, or one step of a deployment, that did not end.
type Stuck struct {
	Request string `json:"request,omitempty"` // its id
	Route   string `json:"route"`
	Client  string `json:"client,omitempty"`
	Slot    int    `json:"slot"`
	AgeMS   int64  `json:"age_ms"`
	Outcome string `json:"outcome"` // "504 from the worker", "504 from the watchdog", "closed", …
}

// Moment is one line of an incident's timeline.
type Moment struct {
	AfterMS int64  `json:"after_ms"` // since the incident's Time; may be negative
	What    string `json:"what"`
}

// Evidence is what was seen before anything was killed.
type Evidence struct {
	Threads []Thread    `json:"threads,omitempty"` // of the process, from /proc
	Locks   []LockState `json:"locks,omitempty"`
	Stacks  []Stack     `json:"stacks,omitempty"` // the interesting ones; all are in the dump
	Dump    string      `json:"dump,omitempty"`   // name of the file beside the record
	Process Process     `json:"process,omitzero"`
}

// Thread is one thread as the kernel sees it.
type Thread struct {
	TID     int    `json:"tid"`
	State   string `json:"state"`             // R, S, D, T, …
	Wait    string `json:"wait,omitempty"`    // the kernel function that it sleeps in
	Syscall string `json:"syscall,omitempty"` // number and arguments, as /proc prints them; "running" if in none
	CPUMS   int64  `json:"cpu_ms"`
}

// LockState is one lock that somebody waits for.
type LockState struct {
	Name    string   `json:"name"`             // of a tracked lock; else kind and address
	Holder  string   `json:"holder,omitempty"` // proven for tracked locks, "perhaps …" for others
	Waiters []string `json:"waiters"`
	Proven  bool     `json:"proven,omitempty"` // part of a cycle of tracked locks
}

// Stack is the stack of one goroutine.
type Stack struct {
	Goroutine int64    `json:"goroutine"`
	Request   string   `json:"request,omitempty"`
	Route     string   `json:"route,omitempty"`
	State     string   `json:"state"`
	Frames    []string `json:"frames"` // innermost first
}

// Process is what a worker used when the incident was noticed.
type Process struct {
	RSSBytes    int64 `json:"rss_bytes"`
	Descriptors int   `json:"descriptors"`
	Goroutines  int   `json:"goroutines"`
	Runnable    int   `json:"runnable"`
	Backlog     int   `json:"backlog"` // connections that waited to be accepted
}
