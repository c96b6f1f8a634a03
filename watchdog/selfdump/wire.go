package selfdump

import "time"

// A process that is asked, by nothing but a connection, answers with two lines of
// JSON, a greeting at once and a reply when it knows more, and then the dump.

// protocol changes when an older program could not understand the answer.
const protocol = 1

type greeting struct {
	Protocol int    `json:"protocol"`
	Name     string `json:"name"`
}

type reply struct {
	// Stranger: who asks is neither root nor the process's own user.
	Stranger bool `json:"stranger,omitempty"`
	// Computing are the threads because of which the world was not stopped, and
	// Problem is why nothing is known about threads.
	Computing []int     `json:"computing,omitempty"`
	Problem   string    `json:"problem,omitempty"`
	Requests  []Request `json:"requests,omitempty"` // then, the oldest

	Bytes   int           `json:"bytes"` // of the dump
	Dropped int           `json:"dropped,omitempty"`
	Took    time.Duration `json:"took"` // ns
}

// Request is one that a process works on.
type Request struct {
	Slot  int           `json:"slot"`
	ID    string        `json:"id"`
	Route string        `json:"route,omitempty"` // "" if it is not known yet
	Age   time.Duration `json:"age"`             // ns
}

// Bounds of one answer.
const (
	mostLine     = 64 << 10
	mostRequests = 5
)
