package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"
)

// stopOne stops one of two workers for a minute, or until it is replaced: no
// new connection may fail.
func stopOne(ctx context.Context, b *bench, r *report) (err error) {
	l, err := b.underLoad(ctx, r.Cell, options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.end()) }()
	pids := l.serving(ctx)
	if len(pids) == 0 {
		return errors.New("nobody serves")
	}
	victim := pids[0]
	at := l.fresh.elapsed()
	if err := l.signal(victim, syscall.SIGSTOP); err != nil {
		return err
	}
	begin := time.Now()
	replaced := time.Duration(-1)
	_, _ = poll(ctx, b.lasting(time.Minute, 6*time.Second), func() bool {
		if replaced < 0 && gone(victim) {
			replaced = time.Since(begin)
		}
		return false
	})
	if replaced < 0 {
		err = l.signal(victim, syscall.SIGCONT)
	}
	r.figure("worker gone", seconds(replaced))
	l.judge(r, at, at+20*time.Millisecond)
	return err
}

// killAll kills all workers while 100 connections wait to be accepted: all of
// them are answered by their successors.
func killAll(ctx context.Context, b *bench, r *report) (err error) {
	const queued = 100
	s, err := b.start(ctx, r.Cell, options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	pause(ctx, time.Second)
	old := s.workers()
	for _, pid := range old { // so that nobody accepts any more
		err = errors.Join(err, s.signal(pid, syscall.SIGSTOP))
	}
	conns := make([]net.Conn, queued)
	begin := time.Now()
	for i := range conns {
		conn, dialErr := (&net.Dialer{Timeout: patience}).DialContext(ctx, "tcp", s.addr)
		if dialErr != nil {
			return fmt.Errorf("queue connection %d: %w", i, dialErr)
		}
		defer conn.Close()
		conns[i] = conn
		err = errors.Join(err, conn.SetDeadline(begin.Add(patience)), send(conn, "/health"))
	}
	r.figure("queued after", ms(time.Since(begin)))
	for _, pid := range append(old, s.workers()...) {
		err = errors.Join(err, s.signal(pid, syscall.SIGKILL))
	}
	if err != nil {
		return err
	}
	killed := time.Now()
	answers, last := collect(ctx, conns)
	r.figure("answers", answers)
	r.figure("all answered after", ms(last.Sub(killed)))
	r.bar("answered after the respawn", answers[okay] == queued, "%s, want %d×200", answers, queued)
	return nil
}

// collect reads one answer from each connection and tells when the last came.
func collect(ctx context.Context, conns []net.Conn) (tally, time.Time) {
	answers, last := tally{}, time.Time{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, conn := range conns {
		wg.Go(func() {
			a, _, err := receive(conn)
			a = a.ended(ctx, err)
			mu.Lock()
			defer mu.Unlock()
			answers[a.Outcome]++
			if a.End.After(last) {
				last = a.End
			}
		})
	}
	wg.Wait()
	return answers, last
}
