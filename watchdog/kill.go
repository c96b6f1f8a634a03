package watchdog

import "time"

// Kill is one request that a worker's own watchdog gave up at its soft deadline.
type Kill struct {
	Incident   string // the id that the client was told
	At         time.Time
	Slot       int
	Generation uint64
	Request    string // its id
	Route      string
	Client     string
	Age        time.Duration
	Outcome    string // "504", or why there was none: "closed: an earlier answer was pending", …
}
