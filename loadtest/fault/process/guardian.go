package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// Helper returns the command that starts this executable once more, so that it
// calls [Help] with these arguments. Its standard error is for the caller to set.
type Helper func(args ...string) *exec.Cmd

// Guardian is a child that undoes what it was told of when we end without
// saying that it is done. It is started when it is first needed. The nil
// guardian guards nothing.
type Guardian struct {
	helper Helper

	mu     sync.Mutex
	next   uint64
	cmd    *exec.Cmd
	pipe   *os.File
	closed bool
}

// NewGuardian returns one that is started by helper.
func NewGuardian(helper Helper) *Guardian { return &Guardian{helper: helper} }

// Guard tells it something to undo, one of
//
//	continue PID STARTED
//	limit PID STARTED SOFT HARD
//	remove DEVICE INODE PATH
//
// before it is done, and returns what takes it back. What is written to the pipe
// is read even if we are killed at once.
func (g *Guardian) Guard(what string) (release func(), err error) {
	if g == nil {
		return func() {}, nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, errors.New("guard it: the guardian has been let go")
	}
	if g.cmd == nil {
		if err := g.start(); err != nil {
			return nil, fmt.Errorf("start guardian: %w", err)
		}
	}
	g.next++
	id := g.next
	if _, err := fmt.Fprintf(g.pipe, "guard %d %s\n", id, what); err != nil {
		return nil, fmt.Errorf("tell guardian: %w", err)
	}
	return sync.OnceFunc(func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if !g.closed {
			// If it is not there any more there is nobody who could undo it twice.
			_, _ = fmt.Fprintf(g.pipe, "release %d\n", id)
		}
	}), nil
}

func (g *Guardian) start() error {
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	defer read.Close()
	cmd := g.helper(guardianRole)
	cmd.Stdin = read
	// A session of its own: it must outlive the ^C that ends us.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		_ = write.Close()
		return err
	}
	g.cmd, g.pipe = cmd, write
	return nil
}

// Close lets the guardian go, after it has undone what was not released. The
// error says that it could not. A second time it does nothing.
func (g *Guardian) Close() error {
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed || g.cmd == nil {
		g.closed = true
		return nil
	}
	g.closed = true
	_ = g.pipe.Close()
	if err := g.cmd.Wait(); err != nil {
		return fmt.Errorf("guardian: %w", err)
	}
	return nil
}
