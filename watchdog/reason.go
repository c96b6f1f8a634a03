package watchdog

// Reason is why a request was killed or a worker replaced. It is a label in
// metrics, so the list is short and only grows.
type Reason uint32

const (
	None Reason = iota

	// Hard harakiri: the worker is killed.
	Wedged   // a request outlived its 504 by the mercy
	Overdue  // a request passed its hard deadline, the worker did not answer it
	Frozen   // no heartbeat
	Stopped  // a signal stopped the process
	Deadlock // a proven cycle of locks
	Silent   // it did not become ready, or did not end, in time

	// Recycling: the worker finishes and goes.
	Requests
	Lifetime
	Memory // more than the soft limit, twice
	MemoryHard
	Goroutines
	Descriptors

	// Neither.
	Reload
	Shutdown
	Crash // it ended by itself

	// What a worker survives, and what is nevertheless an incident.
	Harakiri // a request was given up at its deadline
	Stalled  // a request was given up behind a lock that nobody leaves

	Reasons // how many there are
)

var reasonNames = [Reasons]string{
	"none", "wedged", "overdue", "frozen", "stopped", "deadlock", "silent",
	"requests", "lifetime", "memory", "memory_hard", "goroutines", "descriptors",
	"reload", "shutdown", "crash", "harakiri", "stalled",
}

func (r Reason) String() string {
	if r < Reasons {
		return reasonNames[r]
	}
	return "unknown"
}

// Kills reports whether a worker is killed for this reason, not recycled.
func (r Reason) Kills() bool { return r >= Wedged && r <= Silent }

// Ends reports whether workers end for this reason.
func (r Reason) Ends() bool { return r >= Wedged && r <= Crash }

// Incident reports whether there are incidents for this reason.
func (r Reason) Incident() bool { return r.Kills() || r >= Crash && r <= Stalled }

// Recycles reports whether a worker is replaced in order for this reason.
func (r Reason) Recycles() bool { return r >= Requests && r <= Descriptors }
