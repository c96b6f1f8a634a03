package handoff

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Doorbell wakes a process that waits for work which another one has made.
// All processes share its two ends: whoever rings wakes one of those that
// wait. A ring that finds nobody waiting is kept for the next, up to a small
// number; what does not fit is dropped, because the store is the truth and
// waiters look there once in a while anyway.
type Doorbell struct {
	name       string
	ring, hear Held
	conn       *net.UnixConn // on hear
}

// NewDoorbell makes a doorbell; the master does, and passes it on.
func NewDoorbell(name string) (*Doorbell, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("make doorbell %s: %w", name, err)
	}
	d := &Doorbell{name: name, ring: Held{pair[0]}, hear: Held{pair[1]}}
	if err := d.open(); err != nil {
		_ = unix.Close(pair[0])
		_ = unix.Close(pair[1])
		return nil, err
	}
	return d, nil
}

// open makes the reading end one that can be waited on. hear stays open
// beside it.
func (d *Doorbell) open() error {
	dup, err := d.hear.dup()
	if err != nil {
		return err
	}
	d.conn, err = openUnixConn(dup, "doorbell")
	return err
}

// Name returns the name by which pools list it.
func (d *Doorbell) Name() string { return d.name }

// Ring wakes one waiting process. It never waits and may be called from any
// goroutine; a ring that is lost is made up for by the waiters' own polling.
func (d *Doorbell) Ring() {
	_ = unix.Send(d.ring.fd, []byte{1}, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
}

// Wait returns true when somebody rang, and false after longest or when ctx is
// done. One goroutine of a process may wait at a time.
func (d *Doorbell) Wait(ctx context.Context, longest time.Duration) bool {
	deadline := time.Now().Add(longest)
	if d.conn.SetReadDeadline(deadline) == nil {
		interrupted := make(chan struct{})
		stop := context.AfterFunc(ctx, func() {
			defer close(interrupted)
			_ = d.conn.SetReadDeadline(time.Unix(1, 0))
		})
		var one [1]byte
		_, err := d.conn.Read(one[:])
		if !stop() {
			<-interrupted
		}
		if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			return err == nil
		}
	}
	// A broken doorbell must not turn its waiters into busy loops.
	t := time.NewTimer(time.Until(deadline))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	return false
}

// Close ends the doorbell in this process.
func (d *Doorbell) Close() error {
	return errors.Join(d.conn.Close(), unix.Close(d.ring.fd), unix.Close(d.hear.fd))
}
