// Package process runs one command so that nothing of it can outlive its deadline.
package process

import (
	"context"
	"time"

	"github.com/seadog/seadog/deployer"
)

// MarkerVariable is the environment variable that every process of a
// deployment carries. It survives setsid, double forks and reparenting, so it
// is what is killed by; a process group id would not be enough.
const MarkerVariable = "SEADOG_STEP"

// Stream tells the two outputs of a command apart.
type Stream byte

const (
	Stdout Stream = 'o'
	Stderr Stream = 'e'
)

// Command is one supervised command. Arguments are never seen by a shell.
type Command struct {
	Path   string // resolved through PATH of Env if it has no slash
	Args   []string
	Dir    string
	Env    []string // complete environment; Marker is added
	Marker string   // value of MarkerVariable; required

	Timeout deployer.Timeout
	Grace   time.Duration // TERM → KILL; 10 s if 0

	// Line receives every line of output without its end, from one goroutine
	// at a time, and must not keep the slice. Lines longer than 64 KiB arrive in pieces. May be nil.
	Line func(s Stream, line []byte)
	// Stalled is called with true when half the silence limit has passed
	// without output, and with false when the command is heard again. May be nil.
	Stalled func(stalled bool)
}

// Exit is how a command ended.
type Exit struct {
	Code     int            // exit code, -1 if killed by a signal
	Cause    deployer.Cause // empty on success
	Reason   string         // one sentence; empty on success
	Killed   int            // processes that had to be ended, the command's own included
	Tail     []string       // last lines of output, at most 20
	Duration time.Duration
}

// Exec is the shape of [Run]. Packages that build commands take one, so that
// the runner can add marker, bounds and output.
type Exec func(ctx context.Context, c Command) (Exit, error)
