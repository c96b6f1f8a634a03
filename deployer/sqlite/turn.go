package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// patience is how long a stopped process may keep the others waiting.
	patience = 250 * time.Millisecond
	// glance is the time between two tries.
	glance = 200 * time.Microsecond
	// inspection is the time between two looks at who is in the way.
	inspection = 25 * time.Millisecond
)

// turn lets one process at a time write. It consists of two locks on a file
// beside the database, which the kernel releases when their holder dies: the
// turn itself, and a gate that is held only while waiting for the turn. Whoever
// just wrote finds the gate taken by whoever waits, so that two busy processes
// alternate (without it one of them waited for up to 3 s in a storm).
//
// Holders publish who they are, so that one that was stopped (SIGSTOP, a frozen
// container) in the middle of a transaction can be told from one that is slow,
// and be killed: nobody could write until it is continued, which may be never.
//
// A turn is used by one goroutine at a time.
type turn struct {
	file *os.File
	self holder
	log  *slog.Logger
}

// lock is one of the locks: the offset of the byte that is locked, and the number of its record.
type lock int64

const (
	lockTurn lock = iota
	lockGate
)

func openTurn(path string, log *slog.Logger) (*turn, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	started, _, err := inspect(os.Getpid())
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &turn{file: file, self: holder{pid: os.Getpid(), started: started}, log: log}, nil
}

// take waits for the turn until ctx ends.
func (t *turn) take(ctx context.Context) error {
	if err := t.wait(ctx, lockGate); err != nil {
		return err
	}
	defer t.unlock(lockGate)
	return t.wait(ctx, lockTurn)
}

// release passes the turn on.
func (t *turn) release() { t.unlock(lockTurn) }

func (t *turn) close() error { return t.file.Close() }

// wait polls, since a blocking lock could not be given up when ctx ends. It
// sleeps in the kernel, because Go's timers are as coarse as 1 ms in a process
// that has nothing else to do; a turn lasts about that long.
func (t *turn) wait(ctx context.Context, l lock) error {
	begun := time.Now()
	looked := begun
	for {
		switch err := t.lock(l, unix.F_WRLCK); {
		case err == nil:
			t.publish(l, t.self.at(monotonic()))
			return nil
		case !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EACCES) && !errors.Is(err, unix.EINTR):
			return fmt.Errorf("lock %s: %w", t.file.Name(), err)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("wait for other writers: %w", context.Cause(ctx))
		}
		if now := time.Now(); now.Sub(begun) > patience && now.Sub(looked) > inspection {
			looked = now
			t.evict(l)
		}
		pause := unix.NsecToTimespec(int64(glance))
		_ = unix.Nanosleep(&pause, nil) // woken early is as good
	}
}

// lock takes or gives back one byte. The lock belongs to the open file, so that two stores
// in one process exclude each other too.
func (t *turn) lock(l lock, kind int16) error {
	return unix.FcntlFlock(t.file.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: kind, Start: int64(l), Len: 1})
}

// unlock lets go. The name goes first: a process that is stopped after it let
// go must not be taken for the holder.
func (t *turn) unlock(l lock) {
	t.publish(l, holder{})
	_ = t.lock(l, unix.F_UNLCK) // fails only for a file that is not open
}
