package master

import (
	"os"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/handoff"
)

// child is one incarnation of a worker. Only the owner loop touches it, except
// for process and control, which never change once they are set.
type child struct {
	place       *place
	incarnation uint64
	control     *handoff.Control
	process     *os.Process // nil until it was started
	ticks       uint64

	state   watchdog.State
	begun   time.Time // when its start was asked for
	due     time.Time // when its state has lasted too long; zero: never
	told    bool      // it was told to go
	why     string    // the beginning of the verdict, if the master ended it
	message string    // its own last words
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
	case watchdog.Draining:
		_ = c.control.Send(handoff.Message{Kind: handoff.MessageDrain})
	case watchdog.Stopping:
		_ = c.control.Send(handoff.Message{Kind: handoff.MessageStop})
	case watchdog.Killed:
		// By pidfd; fails only for a process that has ended already.
		_ = c.process.Kill()
	}
}

// lastWords is how long the control socket of a dead child is read for what
// it said before.
const lastWords = 100 * time.Millisecond

// attend waits for the end of the process and passes on what it says until
// then. It returns when both its process and its socket are done with.
func (c *child) attend(said func(handoff.Message), ended func(*os.ProcessState, error)) {
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
	state, err := c.process.Wait()
	_ = c.control.SetReadDeadline(time.Now().Add(lastWords))
	<-read
	_ = c.control.Close()
	ended(state, err)
}
