package guard

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/sched"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// Guard watches over the requests of one process. Its methods may be called by
// any number of goroutines.
type Guard struct {
	region    *scoreboard.Region
	slots     []scoreboard.Slot
	policy    watchdog.Policy
	routes    []string
	log       *slog.Logger
	killed    func(watchdog.Kill)
	taskGrace time.Duration
	clock     clock

	table    []atomic.Pointer[Conn]   // by slot
	labels   []context.Context        // of goroutines, by slot; made when the slot is first used
	base     atomic.Pointer[connBase] // of new connections' contexts
	wakeAt   atomic.Int64             // when the next pass is planned
	kick     chan struct{}            // makes it come now
	quiet    atomic.Bool              // there was no connection in the last pass
	awake    chan struct{}
	draining atomic.Bool
	gated    atomic.Bool  // by itself; see suspect
	bounded  atomic.Bool  // see admission
	room     atomic.Int64 // for requests that begin until the next pass
	chores   chores
	writers  sync.WaitGroup // of 504 that may block

	// What only the goroutine of Run touches.
	watches   []watch // by slot
	suspect   suspect
	load      sched.Reader
	admission admission
	served    uint64 // by the region, up to the last pass
	shed      uint64
	collector collector
	episode   episode

	mu        sync.Mutex
	listeners []*listener
	adopted   []net.Conn
	free      []int         // slots; the next to be used is the last
	waiting   int           // goroutines in Accept that wait for change
	change    chan struct{} // closed and replaced when there is something to look at
	probes    int           // connections that may come in although the guard is gated
	lingering []linger
	tasks     []task // process groups that were told to end
}

// connBase is what contexts of connections are derived from.
type connBase struct{ ctx context.Context } //nolint:containedctx // an atomic pointer needs a struct

// New returns a guard that watches when it runs. Connections can be accepted
// and served before.
func New(c Config) (*Guard, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.TaskGrace == 0 {
		c.TaskGrace = defaultTaskGrace
	}
	if c.Killed == nil {
		c.Killed = func(watchdog.Kill) {}
	}
	slots := c.Region.Slots()
	g := &Guard{
		region: c.Region, slots: slots, policy: c.Policy.WithDefaults(), routes: c.Routes,
		log: c.Log, killed: c.Killed, taskGrace: c.TaskGrace, clock: newClock(),
		table:   make([]atomic.Pointer[Conn], len(slots)),
		labels:  make([]context.Context, len(slots)),
		watches: make([]watch, len(slots)),
		kick:    make(chan struct{}, 1),
		awake:   make(chan struct{}, 1),
		change:  make(chan struct{}),
		free:    make([]int, len(slots)),
		chores:  newChores(),
	}
	for i := range g.free {
		g.free[i] = len(slots) - 1 - i // low numbers first: readers look at no higher one than was used
	}
	g.base.Store(&connBase{context.Background()})
	return g, nil
}

// Wake makes the guard look at its region: whether it may accept has changed,
// or may have.
func (g *Guard) Wake() {
	g.mu.Lock()
	g.interrupt()
	g.mu.Unlock()
	g.hurry()
}

// Adopt takes over a connection that another process accepted and on which no
// request has begun. The next Accept of any listener returns it, whether the
// process accepts or not. A guard that drains closes it.
func (g *Guard) Adopt(nc net.Conn) {
	g.mu.Lock()
	refuse := g.draining.Load()
	if !refuse {
		g.adopted = append(g.adopted, nc)
		g.interrupt()
	}
	g.mu.Unlock()
	if refuse {
		g.closeAdopted([]net.Conn{nc})
	}
}

// Drain lets the process finish: every answer from now on ends its connection,
// and connections that have been idle for a second are closed. It does not
// wait for that.
func (g *Guard) Drain() {
	g.mu.Lock()
	g.draining.Store(true)
	adopted := g.adopted
	g.adopted = nil
	g.mu.Unlock()
	g.closeAdopted(adopted)
	g.Wake()
}

func (g *Guard) closeAdopted(conns []net.Conn) {
	for _, nc := range conns {
		if err := nc.Close(); err != nil {
			g.log.Debug("a connection that was handed over was not closed", watchdog.KeyError, err)
		}
	}
}

// Quiet reports whether there was no connection when the guard last looked.
func (g *Guard) Quiet() bool { return g.quiet.Load() }

// Awake receives when there is a connection again.
func (g *Guard) Awake() <-chan struct{} { return g.awake }

// stir notes whether there are connections.
func (g *Guard) stir(quiet bool) {
	if was := g.quiet.Swap(quiet); was && !quiet {
		select {
		case g.awake <- struct{}{}:
		default: // it has not been heard yet
		}
	}
}

// hurry makes the next pass come at once.
func (g *Guard) hurry() {
	select {
	case g.kick <- struct{}{}:
	default: // it is coming
	}
}

// routeName returns the name of a route; "" if it has none.
func (g *Guard) routeName(i int) string {
	if i < 0 || i >= len(g.routes) {
		return ""
	}
	return g.routes[i]
}
