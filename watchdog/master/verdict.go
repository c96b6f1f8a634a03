package master

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog"
)

// ending is what the kernel said about a child, or why it never lived.
type ending struct {
	state *os.ProcessState
	err   error
	at    time.Time
	words string // what it wrote to its stderr at last; "" if nothing is known
}

// deathOf writes down the end of c.
func deathOf(c *child, e ending, boot string) watchdog.Death {
	d := watchdog.Death{
		Time: e.at.UTC(), Pool: c.place.id.Pool, Index: c.place.id.Index, Incarnation: c.incarnation,
		PID: c.pid(), Started: c.ticks, Boot: boot,
		StartedAt: c.begun.UTC(), UptimeMS: e.at.Sub(c.begun).Milliseconds(),
		State: c.state.String(), Expected: c.told && (c.doom == nil || c.doom.ruling.Reason == watchdog.Silent),
		Message: c.message, ExitCode: -1,
	}
	if d.Message == "" && !d.Expected && c.state < watchdog.Dumping {
		d.Message = e.words
	}
	if e.state != nil {
		d.ExitCode = e.state.ExitCode()
		if w, ok := e.state.Sys().(syscall.WaitStatus); ok && w.Signaled() {
			d.Signal = unix.SignalName(w.Signal())
		}
	}
	why, accusation := c.why, ""
	if c.doom != nil && c.doom.ruling.Reason != watchdog.Silent {
		accusation = c.doom.ruling.Why
		why = fmt.Sprintf("was to be killed (%s)", accusation)
	}
	d.Verdict = verdict(d, why, e.err)
	if killed(d) && accusation != "" {
		d.Verdict = fmt.Sprintf("%s was killed: %s", d.ID(), accusation)
	}
	return d
}

func killed(d watchdog.Death) bool {
	return d.State == watchdog.Killed.String() || d.State == watchdog.Dumping.String()
}

// mostQuoted is how much of a message a verdict repeats, in bytes.
const mostQuoted = 300

// verdict is one sentence about d.
func verdict(d watchdog.Death, why string, err error) string {
	var s string
	lived := d.Uptime().String()
	switch {
	case d.PID == 0:
		return fmt.Sprintf("%s could not be started: %v", d.ID(), err)
	case err != nil:
		return fmt.Sprintf("%s is gone after %s, nobody knows how: %v", d.ID(), lived, err)
	case d.Expected && killed(d):
		s = fmt.Sprintf("%s %s, did not end in time and was killed after %s", d.ID(), why, lived)
	case killed(d):
		s = fmt.Sprintf("%s %s and was killed", d.ID(), why)
	case why != "":
		s = fmt.Sprintf("%s %s and ended with %s after %s", d.ID(), why, d.Status(), lived)
	case d.Signal != "":
		s = fmt.Sprintf("%s was ended by %s after %s", d.ID(), d.Signal, lived)
	case d.State == watchdog.Starting.String():
		s = fmt.Sprintf("%s ended with %s after %s, before it was ready", d.ID(), d.Status(), lived)
	default:
		s = fmt.Sprintf("%s ended with %s after %s although nobody told it to", d.ID(), d.Status(), lived)
	}
	if d.Message != "" {
		s += ": " + strings.ToValidUTF8(d.Message[:min(len(d.Message), mostQuoted)], "")
	}
	return s
}
