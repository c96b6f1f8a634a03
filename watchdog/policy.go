package watchdog

import "time"

// Policy is when requests and workers of a pool are given up. Zero fields get
// the default in their comment; [Policy.WithDefaults].
type Policy struct {
	// Harakiri is the soft deadline of a request whose route names none: its
	// client gets 504 and its context ends. 30 s.
	Harakiri time.Duration
	// Slack is how long after its soft deadline a request may stay unanswered
	// before the worker itself is thought to be stuck. 5 s.
	Slack time.Duration
	// Mercy is how long a request that was given up may go on before its
	// worker is killed. 10 s.
	Mercy time.Duration
	// Fresh is how old the last heartbeat of a worker may be while it counts as
	// one that accepts. 250 ms.
	Fresh time.Duration
	// Frozen is the age of the last heartbeat at which a worker is killed. 2 s.
	Frozen time.Duration
	// Drain is how long a worker that is to be killed may finish what is not
	// stuck. 20 s.
	Drain time.Duration
	// Dump bounds what SIGQUIT may take. 15 s.
	Dump time.Duration
	// Unavailable is the share of a pool that may be in quarantine at once; at
	// least one worker may. 0.25.
	Unavailable float64

	Recycle Recycle

	// Omit is what is left out.
	Omit Omission
}

// Omission leaves out measures of the watchdog, one by one. Nobody wants that
// but who has to prove what a measure is good for: without it, the test that is
// about it must fail.
type Omission struct {
	Gate    bool // a worker in which nothing completes accepts all the same
	Shed    bool // an overloaded worker refuses nothing
	HangUps bool // a request whose client has gone goes on
}

// Recycle is when a worker is replaced although nothing is wrong with it. Zero
// means never.
type Recycle struct {
	Requests    uint64
	Lifetime    time.Duration
	Memory      int64 // bytes of RSS, seen twice in a row
	MemoryHard  int64 // bytes of RSS, seen once; the drain is short
	Goroutines  int
	Descriptors int
	// MinLifetime is the age below which no worker is recycled, but for
	// MemoryHard. 60 s if 0.
	MinLifetime time.Duration
	// Jitter spreads Requests and Lifetime: each incarnation draws a factor
	// from [1, 1+Jitter). 0.2 if 0; negative: none.
	Jitter float64
}

// Sight is what the master saw of one pool in one pass. Durations are by the
// monotonic clock.
type Sight struct {
	Policy Policy
	Places int // workers that the pool should have
	// Late is by how much this pass came later than it should have: the
	// machine slept, or the master was stopped.
	Late time.Duration
	// Replaceable says that a replacement can accept at once: a spare is ready.
	Replaceable bool
	// Recycling says that a worker of the pool is being replaced in order.
	Recycling bool
	Workers   []Seen
}

// Seen is one worker of a [Sight].
type Seen struct {
	ID          ID
	Incarnation uint64
	State       State
	Ruled       Reason // why it is being replaced already; None if it is not
	Accepting   bool   // it takes new connections
	Stopped     bool   // by a signal
	Age         time.Duration
	Beat        time.Duration // age of the last heartbeat
	Jitter      float64       // what the incarnation drew: in [0, 1)

	Requests    uint64 // answered by this incarnation
	RSS         int64  // bytes; 0 if it was not measured in this pass
	Heavy       int    // measurements in a row above Policy.Recycle.Memory
	Goroutines  int
	Runnable    int           // goroutines that wait for a processor
	Latency     time.Duration // that they wait, 99th percentile since the last beat
	Procs       int           // GOMAXPROCS
	Descriptors int
	Deadlock    bool // it reported a proven cycle of locks
	Busy        []Task
}

// Task is a request, or a step of a deployment, that a worker is busy with.
type Task struct {
	Slot       int
	Name       string // how people call it; empty if they do not
	Generation uint64
	Stream     bool
	Age        time.Duration // since it began
	Overdue    time.Duration // since its hard deadline; negative before it; 0 if it has none
	Abandoned  time.Duration // since it was given up; 0 if it was not
	// Waiting names the place where the goroutine waits for I/O, if that is
	// known: workers that wedge at the same place have the same dependency.
	Waiting string
}

// Ruling is what is to be done about one worker.
type Ruling struct {
	ID          ID
	Incarnation uint64
	Reason      Reason
	Slots       []int // the offenders
	Why         string
}

// WithDefaults returns p with its zero fields filled.
func (p Policy) WithDefaults() Policy {
	for _, f := range []struct {
		field    *time.Duration
		standard time.Duration
	}{
		{&p.Harakiri, 30 * time.Second},
		{&p.Slack, 5 * time.Second},
		{&p.Mercy, 10 * time.Second},
		{&p.Fresh, 250 * time.Millisecond},
		{&p.Frozen, 2 * time.Second},
		{&p.Drain, 20 * time.Second},
		{&p.Dump, 15 * time.Second},
		{&p.Recycle.MinLifetime, 60 * time.Second},
	} {
		if *f.field == 0 {
			*f.field = f.standard
		}
	}
	if p.Unavailable == 0 {
		p.Unavailable = 0.25
	}
	if p.Recycle.Jitter == 0 {
		p.Recycle.Jitter = 0.2
	}
	return p
}
