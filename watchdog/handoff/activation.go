package handoff

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// activation is the list of sockets that systemd passed, as in sd_listen_fds(3).
type activation struct {
	names []string // of descriptor 3 and up
}

// activationVariables must not reach children: they would take the numbers for
// their own descriptors.
var activationVariables = []string{"LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS", "LISTEN_FDNAMES"}

// takeActivation reads systemd's variables, removes them, and marks the
// sockets close-on-exec.
func takeActivation() (activation, error) {
	a, err := parseActivation(os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS"), os.Getenv("LISTEN_FDNAMES"), os.Getpid())
	if err != nil {
		return activation{}, err
	}
	for _, v := range activationVariables {
		if err := os.Unsetenv(v); err != nil {
			return activation{}, fmt.Errorf("remove %s from environment: %w", v, err)
		}
	}
	for i := range a.names {
		unix.CloseOnExec(firstInherited + i)
	}
	return a, nil
}

// maxActivated bounds LISTEN_FDS.
const maxActivated = 1024

// parseActivation returns nothing if the variables are for another process.
func parseActivation(pid, count, names string, self int) (activation, error) {
	if p, err := strconv.Atoi(pid); err != nil || p != self {
		return activation{}, nil
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 || n > maxActivated {
		return activation{}, fmt.Errorf("LISTEN_FDS is %q", count)
	}
	a := activation{names: make([]string, n)}
	if names != "" {
		copy(a.names, strings.Split(names, ":"))
	}
	return a, nil
}

// socket returns the first socket of that name.
func (a activation) socket(name string) (Held, error) {
	i := slices.Index(a.names, name)
	if i < 0 || name == "" {
		return Held{}, fmt.Errorf("systemd passed no socket of the name %q (it passed %q): set FileDescriptorName=%s in the socket unit", name, a.names, name)
	}
	fd := firstInherited + i
	listening, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if err != nil {
		return Held{}, fmt.Errorf("look at socket of systemd: %w", err)
	}
	if listening == 0 {
		return Held{}, fmt.Errorf("the socket that systemd passed as %q does not listen: it must be a ListenStream with Accept=no", name)
	}
	return Held{fd}, nil
}
