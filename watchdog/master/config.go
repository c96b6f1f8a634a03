package master

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
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

	// Record writes a death down. It is called from one goroutine at a time. May be nil.
	Record func(watchdog.Death) error
	Log    *slog.Logger // required

	Backoff watchdog.Backoff
	// BootDeaths is how often in a row one worker may die early while no worker of
	// its pool was ever ready. Then the service gives up. 5 if 0.
	BootDeaths int

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

// mastersOwn are variables that mean this process, not its children.
var mastersOwn = []string{
	"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "MAINPID",
	"LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS", "LISTEN_FDNAMES",
	"GOMAXPROCS", handoff.Variable,
}

// environment returns the environment of one worker. Labels in stack traces
// tell which request a goroutine works for.
func environment(shared []string, p watchdog.Pool, manifest string) []string {
	const debug, labels = "GODEBUG=", "tracebacklabels=1"
	env := []string{manifest, fmt.Sprintf("GOMAXPROCS=%d", p.GOMAXPROCS)}
	settings := labels
	for _, e := range slices.Concat(shared, p.Env) {
		key, _, _ := strings.Cut(e, "=")
		if value, ok := strings.CutPrefix(e, debug); ok && value != "" {
			settings = value + "," + labels
		} else if !slices.Contains(mastersOwn, key) && key != "GODEBUG" {
			env = append(env, e)
		}
	}
	return append(env, debug+settings)
}
