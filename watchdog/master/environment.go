package master

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/handoff"
)

// mastersOwn are variables that mean this process, not its children.
var mastersOwn = []string{
	"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "MAINPID",
	"LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS", "LISTEN_FDNAMES",
	"GOMAXPROCS", "GOTRACEBACK", handoff.Variable, handoff.EstateVariable,
}

// environment returns the environment of one worker. Its last words are the
// stacks of all goroutines, and their labels tell which request each works for.
func environment(shared []string, p watchdog.Pool, manifest string) []string {
	const debug, labels = "GODEBUG=", "tracebacklabels=1"
	env := []string{manifest, fmt.Sprintf("GOMAXPROCS=%d", p.GOMAXPROCS), "GOTRACEBACK=all"}
	settings := labels
	for _, e := range slices.Concat(shared, p.Env) {
		key, _, _ := strings.Cut(e, "=")
		if value, ok := strings.CutPrefix(e, debug); ok && value != "" {
			settings = value + "," + labels
		} else if !slices.Contains(mastersOwn, key) && key != "GODEBUG" {
			env = append(env, e)
		}
	}
	if soft := p.Policy.Recycle.Memory; soft > 0 {
		// The collector works before recycling does. Of two values of a
		// variable the first counts: the pool's own, if it has one.
		env = append(env, fmt.Sprintf("GOMEMLIMIT=%d", soft/5*4))
	}
	return append(env, debug+settings)
}
