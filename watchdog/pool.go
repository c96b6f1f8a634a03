package watchdog

import (
	"errors"
	"fmt"
	"regexp"
	"syscall"
	"time"
)

// Pool describes processes that do the same work. The master runs Count of
// them and knows nothing about them but what stands here.
type Pool struct {
	Name  string
	Count int // at most 256

	Args []string // arguments of the executable, without its name
	Env  []string // "KEY=value", added to the environment that all workers share

	Listeners []string // listening sockets that it inherits, by name
	Doorbells []string // doorbells that it may ring and hear, by name

	// GOMAXPROCS of each worker; [DefaultProcs] of the machine if 0.
	GOMAXPROCS int

	// ReadyWithin is how long a worker may take from its start to its report
	// that it is ready. Then it is killed. 30 s if 0.
	ReadyWithin time.Duration
	// StopGrace is how long a worker may finish what it has begun after it
	// was told to drain. Then it is told to stop. 30 s if 0.
	StopGrace time.Duration
	// KillGrace is how long it may take to give up what it was doing after it
	// was told to stop. Then it is killed. 5 s if 0.
	KillGrace time.Duration
	// Patient workers that were replaced finish their work however long it
	// takes; StopGrace then only counts when the whole service stops.
	Patient bool

	// StopStage orders the end of the service: pools of stage 0 drain first,
	// all at once, those of stage 1 when the last of them is gone.
	StopStage int

	// Slots is how many requests one worker can have under way, each on a
	// connection of its own. A pool with slots is guarded: its workers accept
	// only when they are told to, and Policy is enforced. At most 8,192; a
	// guarded pool has at most 20 workers.
	Slots int
	// Spare keeps one more worker, initialised but not accepting, that takes
	// the place of one that is stuck or dead at once. Only for guarded pools.
	Spare  bool
	Policy Policy

	// DeathSignal is what the kernel sends a worker whose master died.
	// SIGKILL if 0; a worker that has children of its own to end wants SIGTERM.
	DeathSignal syscall.Signal
}

// ID names one place in a pool. Successive processes, its incarnations, fill
// it. The spare's has the index -1.
type ID struct {
	Pool  string
	Index int
}

func (id ID) String() string {
	if id.Index < 0 {
		return id.Pool + "/spare"
	}
	return fmt.Sprintf("%s/%d", id.Pool, id.Index)
}

const (
	maxWorkers         = 256
	maxGuarded         = 20
	maxSlots           = 8192
	defaultReadyWithin = 30 * time.Second
	defaultStopGrace   = 30 * time.Second
	defaultKillGrace   = 5 * time.Second
)

var poolName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)

// WithDefaults returns p with its zero fields filled; cores is the number of
// the machine's processors.
func (p Pool) WithDefaults(cores int) Pool {
	if p.GOMAXPROCS == 0 {
		p.GOMAXPROCS = DefaultProcs(cores)
	}
	if p.ReadyWithin == 0 {
		p.ReadyWithin = defaultReadyWithin
	}
	if p.StopGrace == 0 {
		p.StopGrace = defaultStopGrace
	}
	if p.KillGrace == 0 {
		p.KillGrace = defaultKillGrace
	}
	if p.DeathSignal == 0 {
		p.DeathSignal = syscall.SIGKILL
	}
	p.Policy = p.Policy.WithDefaults()
	return p
}

// Regions is how many processes of the pool can exist at once, and so how many
// regions of a scoreboard it needs: workers, their replacements, a spare, and
// predecessors that take their time. One that finds none free is started later.
func (p Pool) Regions() int {
	const most = 64
	return min(most, 3*p.Count+8)
}

// Validate reports everything that is wrong with p.
func (p Pool) Validate() error {
	var errs []error
	if !poolName.MatchString(p.Name) {
		errs = append(errs, fmt.Errorf("pool %q: the name must be a lower-case word of at most 31 letters, digits and dashes", p.Name))
	}
	if p.Count < 1 || p.Count > maxWorkers {
		errs = append(errs, fmt.Errorf("pool %s: %d workers: must be between 1 and %d", p.Name, p.Count, maxWorkers))
	}
	if p.Slots < 0 || p.Slots > maxSlots {
		errs = append(errs, fmt.Errorf("pool %s: %d slots: at most %d", p.Name, p.Slots, maxSlots))
	}
	if p.Slots > 0 && p.Count > maxGuarded {
		errs = append(errs, fmt.Errorf("pool %s: %d guarded workers: at most %d", p.Name, p.Count, maxGuarded))
	}
	if p.Spare && p.Slots == 0 {
		errs = append(errs, fmt.Errorf("pool %s: a spare, but no slots: only a guarded pool can have one", p.Name))
	}
	for _, err := range p.Policy.Check() {
		errs = append(errs, fmt.Errorf("pool %s: %w", p.Name, err))
	}
	if p.GOMAXPROCS < 0 || p.ReadyWithin < 0 || p.StopGrace < 0 || p.KillGrace < 0 {
		errs = append(errs, fmt.Errorf("pool %s: negative limit", p.Name))
	}
	return errors.Join(errs...)
}

// DefaultProcs is the GOMAXPROCS of a worker on a machine with that many
// cores: more than the share of one worker, because a worker whose sibling is
// being replaced serves for both.
func DefaultProcs(cores int) int { return max(4, 2*cores) }
