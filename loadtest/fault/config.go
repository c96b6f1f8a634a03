package fault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/fault/client"
	"github.com/seadog/seadog/loadtest/fault/process"
)

// Config is what a timeline needs. Beside Scenario and Log, a field is needed
// only if the scenario has a fault that does.
type Config struct {
	Scenario *loadtest.Scenario
	Start    time.Time // of the run; zero: when Run begins
	Log      *slog.Logger

	// Roots are processes that the caller knows to be the service's, or its own
	// pid if it has started the service. The process that the scenario's target
	// names is one too. Whatever descends from a root may be disturbed, and the
	// root itself if it is not this process.
	Roots []int
	// Pool returns the pids of a pool of the service ("worker", "runner", "master",
	// "admin"), in the order by which "worker:1" is counted. nil: the target's process
	// is the master, its children are the workers. It is asked each time, and must
	// return when ctx ends.
	Pool func(ctx context.Context, name string) ([]int, error)
	// Network is the proxies, running.
	Network Network
	// Disks are the directories that may be filled, by name. Each must be where a
	// filesystem is mounted that holds nothing else.
	Disks map[string]string
	// Console is what the service's output is read through.
	Console *Valve
	// Helper returns the command that starts this program so that it calls [Help]
	// with these arguments. Faults of processes, disks and processors need it.
	Helper func(args ...string) *exec.Cmd
	// Events is called when a fault has begun, has ended, or could not begin, from
	// one goroutine at a time. It must not block, nor call the timeline. May be nil.
	Events func(Event)
}

// Help is the main function of a helper process. The program must call it, and
// exit with 1 if it returns an error, when it is started by [Config.Helper].
func Help(args []string, stdin io.Reader) error { return process.Help(args, stdin) }

// need says what is missing for the faults of the scenario.
func (c *Config) need(f loadtest.Fault, k kind) error {
	switch k.of {
	case processes, machine:
		return c.needHelper(k)
	case network:
		if c.Network == nil {
			return errors.New("there are no proxies")
		}
		if names := c.Network.Names(); !slices.Contains(names, f.Do.Target) {
			return Problem{"target", fmt.Sprintf("is %q, but the proxies are %q", f.Do.Target, names)}
		}
	case disks:
		if c.Disks[f.Do.Target] == "" {
			return Problem{"target", fmt.Sprintf("is %q, which is no directory that may be filled", f.Do.Target)}
		}
		if os.Geteuid() != 0 {
			return errors.New("only root can fill a disk: the room that is reserved for root would stay free")
		}
		return c.needHelper(k)
	case console:
		if c.Console == nil {
			return errors.New("the service's console is not read through a valve")
		}
	case clients:
		return client.CheckURL(c.Scenario.Target.BaseURL)
	}
	return nil
}

func (c *Config) needHelper(k kind) error {
	if c.Helper == nil && k.name != Kill {
		return errors.New("there is no helper to start")
	}
	return nil
}
