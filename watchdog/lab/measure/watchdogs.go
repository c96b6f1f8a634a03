package main

import (
	"context"
	"errors"
	"net"
	"syscall"
	"time"
)

// stopMaster stops the watchdog for a minute: when it goes on it must not take
// the time that it missed for anybody's fault.
func stopMaster(ctx context.Context, b *bench, r *report) (err error) {
	l, err := b.underLoad(ctx, r.Cell, options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.end()) }()
	old, at := l.workers(), l.fresh.elapsed()
	if err := l.signal(l.pid, syscall.SIGSTOP); err != nil {
		return err
	}
	pause(ctx, b.lasting(time.Minute, 5*time.Second))
	if err := l.signal(l.pid, syscall.SIGCONT); err != nil {
		return err
	}
	pause(ctx, calm)
	r.figure("workers", len(old))
	l.judge(r, at, 0)
	r.bar("nothing is killed", survivors(old) == len(old), "%d of %d are left", survivors(old), len(old))
	return nil
}

// killMaster kills the watchdog while two workers are sick: nothing of it may
// be left, and the port is free.
func killMaster(ctx context.Context, b *bench, r *report) (err error) {
	const within = 1500 * time.Millisecond
	s, err := b.start(ctx, r.Cell, options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	pause(ctx, time.Second)
	_, done := inject(ctx, s, []string{"sleep", "cspin"}, 0)
	pause(ctx, time.Second)
	old := s.workers()
	if err := s.signal(s.pid, syscall.SIGKILL); err != nil {
		return err
	}
	begin := time.Now()
	_, left := poll(ctx, patience, func() bool { return survivors(old) == 0 })
	goneAfter := time.Since(begin)
	_, free := poll(ctx, patience, func() bool {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", s.addr)
		return err == nil && l.Close() == nil
	})
	freeAfter := time.Since(begin)
	<-done
	r.figure("processes", len(old))
	r.figure("workers gone", ms(goneAfter))
	r.figure("port free", ms(freeAfter))
	r.bar("workers gone", left && len(old) > 0 && goneAfter < within, "%d of %d after %s, want < %s", len(old)-survivors(old), len(old), ms(goneAfter), within)
	r.bar("port free", free && freeAfter < within, "after %s, want < %s", ms(freeAfter), within)
	return s.kill(old)
}
