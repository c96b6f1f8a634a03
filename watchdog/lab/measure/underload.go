package main

import (
	"context"
	"errors"
	"slices"
	"time"
)

// loaded is a lab under health checks, on new and on kept connections.
type loaded struct {
	*server
	fresh, kept *load
}

// underLoad starts a lab and its health checks, half of them on kept
// connections, and lets both settle.
func (b *bench) underLoad(ctx context.Context, cell string, o options) (*loaded, error) {
	s, err := b.start(ctx, cell, o)
	if err != nil {
		return nil, err
	}
	p, err := newPool(ctx, s.addr)
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	l := &loaded{
		server: s,
		fresh:  startLoad(ctx, &client{addr: s.addr}, "/health", healthRate),
		kept:   startLoad(ctx, &client{addr: s.addr, pool: p}, "/health", healthRate),
	}
	pause(ctx, calm)
	return l, nil
}

// end stops the lab and what is left of the checks.
func (l *loaded) end() error {
	l.fresh.stop(0)
	l.kept.stop(0)
	return l.stop()
}

// judge ends the checks and demands that none failed. Those due before
// lostUntil, since the load began, may be lost with their process.
func (l *loaded) judge(r *report, fault, lostUntil time.Duration) {
	both := map[string]impact{
		"new":  assess(l.fresh.stop(lastGrace), fault, lostUntil),
		"kept": assess(l.kept.stop(lastGrace), fault, lostUntil),
	}
	own := max(both["new"].Own, both["kept"].Own)
	r.figure("own worst", ms(own))
	r.doubt(own)
	for _, name := range []string{"new", "kept"} {
		im := both[name]
		r.figure(name+" requests", im.Requests)
		r.figure(name+" failed", im.Failed)
		r.figure(name+" lost", im.Lost)
		r.figure(name+" >250ms", im.Slow)
		r.figure(name+" worst", ms(im.Worst))
		r.bar("failed on "+name+" connections", im.Failed.total() == 0, "%s, want 0", im.Failed)
	}
}

// serving returns the pids of the workers that answer, asked often enough that
// everyone had a turn.
func (s *server) serving(ctx context.Context) []int {
	const rounds = 100
	c := &client{addr: s.addr}
	var pids []int
	for range rounds {
		a := c.get(ctx, "/health", time.Second)
		if a.ok() && !slices.Contains(pids, a.PID) {
			pids = append(pids, a.PID)
		}
		if len(pids) == s.wanted {
			break
		}
	}
	return pids
}

// survivors counts those of pids that still run.
func survivors(pids []int) int {
	n := 0
	for _, pid := range pids {
		if !gone(pid) {
			n++
		}
	}
	return n
}
