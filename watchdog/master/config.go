package master

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/handoff"
)

// Config is what the master must know.
type Config struct {
	// Executable is the absolute path of the binary that all workers run. It
	// is looked up at every start: what lies there then is what runs.
	Executable string
	// Env is the environment of all workers; nothing else of the master's own
	// reaches them. Variables that belong to the master alone are removed.
	Env   []string
	Pools []watchdog.Pool // replaced in this order on SIGHUP

	Sockets   *handoff.Sockets // may be nil if no pool lists a listener
	Doorbells []*handoff.Doorbell
	Counters  []string // names of the scoreboard's counters
	Routes    []string // names of what it records latencies for

	// Stderr is the directory in which every worker gets a file of its own for
	// what it writes to descriptor 2: its stacks, when it is killed. "": they
	// share the master's, and are killed without a word.
	Stderr string

	// Place is the file in which the scoreboard is published, for who wants to
	// look at it from outside; see package locate. "": it is not.
	Place string

	// Record writes a death down. It is called from one goroutine at a time. May be nil.
	Record func(watchdog.Death) error
	// Incident writes down what was stuck, or what crashed, with what the
	// process wrote at its end; nil if that is nothing. It is called from the
	// same goroutine as Record. May be nil.
	Incident func(i watchdog.Incident, dump []byte) error
	Log      *slog.Logger // required
	// LogLost returns how many lines of the log were ever lost, to be shown on the
	// scoreboard. It must not block. May be nil.
	LogLost func() uint64

	Backoff watchdog.Backoff
	// BootDeaths is how often in a row one worker may die early while no worker of
	// its pool was ever ready. Then the service gives up. 5 if 0.
	BootDeaths int

	// Protocol asks the executable for the protocol that it speaks. It is called
	// before all workers are replaced, by a goroutine of its own. Nil: the same
	// as this process.
	Protocol func(context.Context) (int, error)
	// Self are the arguments, without the name, with which this process runs
	// the executable in its own place when that speaks another protocol: the
	// sockets and the workers stay. Nil: it does not, and needs a restart.
	Self []string

	// Signals delivers SIGTERM or SIGINT (finish; the second time: now; the
	// third: kill) and SIGHUP (replace all workers). Nil: those of the process.
	Signals <-chan os.Signal
	// ReapOrphans makes this process reap children that are not its workers. It
	// must not be set in a process that waits for other children itself.
	ReapOrphans bool

	// Notify tells the service manager, as in sd_notify(3). Nil: systemd, if it
	// asked for it.
	Notify func(state string)
	// WatchdogEvery is how often Notify must hear WATCHDOG=1. 0: half of what
	// systemd asked for; nothing if it did not.
	WatchdogEvery time.Duration
}

const defaultBootDeaths = 5

// Validate reports everything that is wrong with c.
func (c Config) Validate() error {
	var errs []error
	if !filepath.IsAbs(c.Executable) {
		errs = append(errs, fmt.Errorf("executable %q is not an absolute path", c.Executable))
	}
	if c.Log == nil {
		errs = append(errs, errors.New("no logger"))
	}
	if len(c.Pools) == 0 {
		errs = append(errs, errors.New("no pools"))
	}
	names := map[string]bool{}
	for _, p := range c.Pools {
		errs = append(errs, p.Validate())
		if names[p.Name] {
			errs = append(errs, fmt.Errorf("two pools are called %s", p.Name))
		}
		names[p.Name] = true
		errs = append(errs, c.checkNames(p))
	}
	return errors.Join(errs...)
}

func (c Config) checkNames(p watchdog.Pool) error {
	for _, l := range p.Listeners {
		if c.Sockets == nil {
			return fmt.Errorf("pool %s: there is no listener %q", p.Name, l)
		}
		if _, ok := c.Sockets.Held(l); !ok {
			return fmt.Errorf("pool %s: there is no listener %q", p.Name, l)
		}
	}
	for _, d := range p.Doorbells {
		if c.doorbell(d) == nil {
			return fmt.Errorf("pool %s: there is no doorbell %q", p.Name, d)
		}
	}
	return nil
}

func (c Config) doorbell(name string) *handoff.Doorbell {
	i := slices.IndexFunc(c.Doorbells, func(d *handoff.Doorbell) bool { return d.Name() == name })
	if i < 0 {
		return nil
	}
	return c.Doorbells[i]
}

func (c Config) withDefaults() (Config, error) {
	c.Pools = slices.Clone(c.Pools)
	for i := range c.Pools {
		c.Pools[i] = c.Pools[i].WithDefaults(runtime.NumCPU())
	}
	if c.BootDeaths == 0 {
		c.BootDeaths = defaultBootDeaths
	}
	if c.Record == nil {
		c.Record = func(watchdog.Death) error { return nil }
	}
	if c.Incident == nil {
		c.Incident = func(watchdog.Incident, []byte) error { return nil }
	}
	if c.LogLost == nil {
		c.LogLost = func() uint64 { return 0 }
	}
	if c.Notify != nil {
		return c, nil
	}
	c.Notify = func(state string) {
		if _, err := daemon.SdNotify(false, state); err != nil {
			c.Log.Warn("service manager was not told", watchdog.KeyState, state, watchdog.KeyError, err)
		}
	}
	if c.WatchdogEvery == 0 {
		within, err := daemon.SdWatchdogEnabled(false)
		if err != nil {
			return c, fmt.Errorf("ask for systemd's watchdog: %w", err)
		}
		c.WatchdogEvery = within / 2
	}
	return c, nil
}
