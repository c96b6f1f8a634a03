package fault

import (
	"context"
	"time"
)

// Which way the bytes go that a fault of the network is about.
const (
	Downstream = "downstream" // from the upstream to its client: answers
	Upstream   = "upstream"   // to it: requests
	Both       = "both"
)

// Network is what faults of the network need: proxies by name, which the
// service talks through. See package proxy.
type Network interface {
	// Names returns the names of the proxies.
	Names() []string
	// Disturb begins to disturb the connections through a proxy, those that are
	// there and those that come.
	Disturb(ctx context.Context, name string, d Disturbance) (Handle, error)
}

// Disturbance is what is done to connections. Of the fields, those of Kind are set.
type Disturbance struct {
	Kind      string  // one of the kinds of the network
	Direction string  // Downstream, Upstream, Both
	Share     float64 // of the connections, 0 … 1
	Seed      uint64  // of which ones, and of everything else that is random

	Latency, Jitter time.Duration // latency: each byte comes so much later, ± Jitter
	Rate            int64         // bandwidth: bytes per second
	Delay           time.Duration // slow_close; slicer: between pieces
	After           time.Duration // timeout: the connection is closed, 0: it is not
	Bytes           int64         // limit_data; slicer: of a piece
	Vary            int64         // slicer: ±
}

// Handle is a fault that is on.
type Handle interface {
	// Undo ends it, within some seconds; everything is then as it was. A second
	// time it does nothing and returns what the first one did.
	Undo() error
	// Effects returns what has come of it so far, counted by name; nil if there
	// is nothing to count.
	Effects() map[string]uint64
}
