package scene

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// readyWithin bounds how long a child may take to answer for the first time.
const readyWithin = 30 * time.Second

// Command is a command that serves at an address.
type Command struct {
	Path string // of the executable
	Args []string
	Env  []string // of this process if nil
	Dir  string
	Log  string // file that gets its output, which is appended
	// Unread leaves its standard output in a pipe that nobody reads; Log then only
	// gets what it writes to standard error.
	Unread bool
	Ready  string // URL that answers 200 as soon as it serves
}

// Child is a running [Command]. It is in a process group of its own: a ^C
// reaches only us, and we stop it in order.
type Child struct {
	cmd    *exec.Cmd
	log    string
	unread *os.File      // the end of a pipe; nil: there is none
	exited chan struct{} // closed when it is gone
	err    error         // of Wait, once exited is closed
}

// Start starts a command and waits until it answers. If it does not, it is gone
// when Start returns, and the error holds the last lines of its log.
func Start(ctx context.Context, c Command) (*Child, error) {
	child, err := Launch(c)
	if err != nil {
		return nil, err
	}
	if err := child.answers(ctx, c.Ready); err != nil {
		return nil, errors.Join(err, child.Stop(time.Second), child.LastLines())
	}
	return child, nil
}

// Launch starts a command and waits for nothing.
func Launch(c Command) (*Child, error) {
	log, err := os.OpenFile(c.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Env, cmd.Dir = c.Env, c.Dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	child := &Child{cmd: cmd, log: c.Log, exited: make(chan struct{})}
	if c.Unread {
		read, write, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		defer write.Close()
		cmd.Stdout, child.unread = write, read
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", c.Path, err), child.forget())
	}
	go func() {
		child.err = cmd.Wait()
		_ = child.forget()
		close(child.exited)
	}()
	return child, nil
}

// forget closes the pipe that nobody reads.
func (c *Child) forget() error {
	if c.unread == nil {
		return nil
	}
	return c.unread.Close()
}

// answers waits until url answers 200.
func (c *Child) answers(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		if _, err := Get(ctx, url); err == nil {
			return nil
		}
		select {
		case <-c.exited:
			return fmt.Errorf("it ended before it was ready: %w", c.err)
		case <-ctx.Done():
			return fmt.Errorf("%s did not answer within %s", url, readyWithin)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// PID is the child's process id.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Exited is closed when the child is gone.
func (c *Child) Exited() <-chan struct{} { return c.exited }

// Stop asks the child to end, and makes sure of it: SIGTERM, and SIGKILL to its
// whole group after grace. The error says that it had to be killed, or how else
// it ended. Of a child that has ended it returns how.
func (c *Child) Stop(grace time.Duration) error {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.exited:
		if c.err != nil {
			return fmt.Errorf("it did not stop cleanly: %w", c.err)
		}
		return nil
	case <-time.After(grace):
		c.Kill()
		return fmt.Errorf("it had to be killed after %s", grace)
	}
}

// Kill ends the child and its process group at once.
func (c *Child) Kill() {
	_ = syscall.Kill(-c.PID(), syscall.SIGKILL)
	_ = c.cmd.Process.Kill()
	<-c.exited
}

// shownLines of a log say why something went wrong.
const shownLines = 20

// LastLines returns the end of the child's log as an error, nil if there is none.
func (c *Child) LastLines() error {
	text, err := os.ReadFile(c.log)
	if err != nil || len(text) == 0 {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return fmt.Errorf("its last lines:\n%s", strings.Join(lines[max(0, len(lines)-shownLines):], "\n"))
}
