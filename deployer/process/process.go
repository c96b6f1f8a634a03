// Package process runs one command so that nothing of it can outlive its deadline.
//
// It owns starting a command, its two pipes, its bounds (deadline and
// silence), and the end of everything that the command left behind. It refuses
// shells, terminals and inherited environments: a command gets exactly the
// environment it is given, /dev/null as standard input and a session of its
// own, so that nothing can ask a question.
//
// What is ended is found in three ways, because each alone has a hole: the
// session and process group of the command (left by setsid), the descendants
// by parent pid (lost when a parent dies first), and the environment variable
// [MarkerVariable] in /proc/<pid>/environ, which survives setsid, double forks
// and reparenting. Signals go through pidfds whose start time was verified, so
// a pid that was used again is never hit; the group is signalled only while its leader is not
// yet reaped.
//
// Known limits: a process that overwrites its own environment, leaves the
// session, and whose parents were gone before the first look is not found.
// Nor is one in another pid namespace (a container belongs to the engine, not
// to the command that asked for it). A process in uninterruptible sleep dies
// when the kernel lets it; Run does not wait for it longer than a few seconds
// and says so. Delegated cgroups are not used.
//
// Goroutines: [Run] has one per pipe and one that waits for the exit; all are
// gone when it returns. Linux 5.4 or later.
package process

import (
	"context"
	"fmt"
	"time"

	"github.com/seadog/seadog/deployer"
)

// MarkerVariable is the environment variable that every process of a
// deployment carries. It survives setsid, double forks and reparenting, so it
// is what is killed by; a process group id would not be enough.
const MarkerVariable = "SEADOG_STEP"

// PieceSize is the length in bytes of the pieces in which a longer line is
// handed on. A line of exactly this length may be one; the rest follows.
const PieceSize = 64 << 10

// Stream tells the two outputs of a command apart.
type Stream byte

const (
	Stdout Stream = 'o'
	Stderr Stream = 'e'
)

func (s Stream) String() string {
	if s == Stderr {
		return "stderr"
	}
	return "stdout"
}

// MarshalText writes "stdout" or "stderr", which is also the form in JSON.
func (s Stream) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (s *Stream) UnmarshalText(text []byte) error {
	for _, known := range []Stream{Stdout, Stderr} {
		if string(text) == known.String() {
			*s = known
			return nil
		}
	}
	return fmt.Errorf("%.20q is no output of a command", text)
}

// Command is one supervised command. Arguments are never seen by a shell.
type Command struct {
	Path string // resolved through PATH of Env if it has no slash
	Args []string
	Dir  string
	Env  []string // complete environment; Marker is added

	// Marker is the value of MarkerVariable; required. When the command is
	// over, every process that carries the same marker is ended, so two
	// commands that run at the same time must not share one.
	Marker string

	Timeout deployer.Timeout
	Grace   time.Duration // TERM → KILL; 10 s if 0

	// Line receives every line of output without its end, from one goroutine
	// at a time, and must not keep the slice. Lines longer than 64 KiB arrive in pieces. May be nil.
	Line func(s Stream, line []byte)
	// Stalled is called with true when half the silence limit has passed
	// without output, and with false when the command is heard again. It is
	// called from the goroutine that watches the deadline: it must not block. May be nil.
	Stalled func(stalled bool)
	// Group is called with the command's process group when it has started, and
	// with 0 before that number can mean another one. May be nil.
	Group func(pgid int)
}

// Exit is how a command ended.
type Exit struct {
	Code     int            // exit code, -1 if killed by a signal
	Cause    deployer.Cause // empty on success
	Reason   string         // one sentence; empty on success. It may quote the command's output, unredacted
	Killed   int            // processes that had to be ended, the command's own included
	Tail     []string       // last lines of output, at most 20, unredacted
	Duration time.Duration
}

// Exec is the shape of [Run]. Packages that build commands take one, so that
// the runner can add marker, bounds and output. An Exec keeps a Line that is
// set: that is how answers are read, which belong in no log.
type Exec func(ctx context.Context, c Command) (Exit, error)

var _ Exec = Run
