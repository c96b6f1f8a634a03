package master

import (
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/handoff"
	"github.com/seadog/seadog/watchdog/process"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// child is one incarnation of a worker. Only the owner loop touches it, except
// for region, process and control, which never change once they are set.
type child struct {
	place       *place
	incarnation uint64
	generation  int // of the roll that it was started in, or after
	region      *scoreboard.Region
	control     *handoff.Control
	process     *os.Process // nil until it was started
	ticks       uint64
	stderr      string // path of what it writes to descriptor 2; "": it shares the master's

	state   watchdog.State
	entered time.Time // when it came into its state
	begun   time.Time // when its start was asked for
	since   time.Time // when it came to its place: begun, or its promotion
	dumping time.Time // when it was told to write its stacks; zero: it was not
	due     time.Time // when its state has lasted too long; zero: never
	told    bool      // it was told to go
	reason  watchdog.Reason
	why     string // the beginning of the verdict, if the master ended it
	message string // its own last words

	survivor bool            // of the image that this process had before
	halted   bool            // stopped by a signal
	stale    bool            // replaced because it did not beat
	wearing  watchdog.Reason // why it is to be recycled
	doom     *doom           // the hard path; nil if it is not on it
	measures measures

	rescuers   int    // goroutines that look after its clients, in its region
	kept       []int  // descriptors of its clients, to be closed when it is gone
	afterwards func() // to be done when the last rescuer is back; nil while it lives
}

func (c *child) pid() int {
	if c.process == nil {
		return 0
	}
	return c.process.Pid
}

// say sends the order that belongs to the child's state. That it may be lost is
// what due is for.
func (c *child) say() {
	if c.process == nil {
		return // said as soon as it was started
	}
	switch c.state {
	case watchdog.Ready:
		_ = c.control.Send(handoff.Message{Kind: handoff.MessageAccept})
	case watchdog.Draining:
		_ = c.control.Send(handoff.Message{Kind: handoff.MessageDrain})
	case watchdog.Stopping:
		_ = c.control.Send(handoff.Message{Kind: handoff.MessageStop})
	case watchdog.Dumping:
		_ = c.process.Signal(unix.SIGQUIT)
		_ = c.process.Signal(unix.SIGCONT) // it may have been stopped to look after its clients
	case watchdog.Killed:
		// By pidfd; fails only for a process that has ended already.
		_ = c.process.Kill()
	}
}

// lastWords is how long the control socket of a dead child is read for what
// it said before, and its stderr.
const lastWords = 100 * time.Millisecond

// attend waits for the end of the process and passes on what it says, and
// whether a signal stops it, until then. It returns when both its process and
// its socket are done with.
func (c *child) attend(said func(handoff.Message), halted func(bool), ended func(ending)) {
	read := make(chan struct{})
	go func() { // ends with the socket, which is closed or times out below
		defer close(read)
		for {
			m, err := c.control.Receive()
			if err != nil {
				return
			}
			said(m)
		}
	}()
	watchStops(c.process, halted)
	// Before it is reaped, and known to nobody else.
	if s, err := process.Stat(c.pid()); err == nil && s.Ended() {
		c.region.SetSpent(s.CPU + s.Reaped)
	}
	state, err := c.process.Wait()
	at := time.Now()
	if state != nil { // more exactly
		c.region.SetSpent(state.UserTime() + state.SystemTime())
	}
	_ = c.control.SetReadDeadline(at.Add(lastWords))
	<-read
	_ = c.control.Close()
	ended(ending{state: state, err: err, at: at, words: stderrWords(c.stderr)})
}
