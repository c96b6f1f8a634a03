package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// stepClock steps the wall clock by an hour, both ways and back, below a lab under
// load: nothing may be killed. The wall clock belongs to the whole machine and
// no namespace can give a process its own, so this must be asked for.
func stepClock(ctx context.Context, b *bench, r *report) (err error) {
	if !b.clock {
		r.Skipped = "needs -clock"
		return nil
	}
	l, err := b.underLoad(ctx, r.Cell, options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.end()) }()
	old, at := l.workers(), l.fresh.elapsed()
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		if err := step(by); err != nil {
			return err
		}
		pause(ctx, calm)
		if err := step(-by); err != nil { // whatever happened: back to the truth
			return err
		}
		pause(ctx, calm)
	}
	r.figure("workers", len(old))
	l.judge(r, at, 0)
	r.bar("nothing is killed", survivors(old) == len(old), "%d of %d are left", survivors(old), len(old))
	return nil
}

// step sets the wall clock forward, or back if by is negative.
func step(by time.Duration) error {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_REALTIME, &now); err != nil {
		return fmt.Errorf("read the clock: %w", err)
	}
	then := unix.NsecToTimespec(unix.TimespecToNsec(now) + int64(by))
	if err := unix.ClockSettime(unix.CLOCK_REALTIME, &then); err != nil {
		return fmt.Errorf("set the clock: %w", err)
	}
	return nil
}
