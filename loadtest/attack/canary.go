package attack

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// chirp is how often the canary is called. It costs about a hundredth of a core.
const chirp = 5 * time.Millisecond

// canary waits for a timer of the kernel as connections wait for answers. While
// it is overdue, so are they: this process does not get to run, be it short of
// processors itself, or because of what else runs on the machine.
type canary struct{ state atomic.Pointer[song] }

type song struct {
	overdue time.Duration // in all, before
	due     time.Duration // it is due next; since the start of the run
}

// overdue returns for how long it has been overdue in all, up to a time that
// is not long ago.
func (c *canary) overdue(at time.Duration) time.Duration {
	s := c.state.Load()
	if s == nil {
		return 0
	}
	return s.overdue + max(0, at-s.due)
}

// run measures until ctx ends.
func (c *canary) run(ctx context.Context, now func() time.Duration) error {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("create timer: %w", err)
	}
	timer := os.NewFile(uintptr(fd), "canary")
	defer context.AfterFunc(ctx, func() { _ = timer.Close() })()
	defer timer.Close()
	once := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(chirp))}
	overdue := time.Duration(0)
	var expirations [8]byte
	for {
		// Not at fixed times: what is late once does not count twice.
		due := now() + chirp
		if err := unix.TimerfdSettime(fd, 0, &once, nil); err != nil {
			return fmt.Errorf("set timer: %w", err)
		}
		c.state.Store(&song{overdue, due})
		if _, err := timer.Read(expirations[:]); err != nil {
			return nil // ctx has ended
		}
		overdue += max(0, now()-due)
	}
}
