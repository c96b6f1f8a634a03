package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// kinds of faults. Those of mixed come in this order.
var mixture = []string{"sleep", "cspin", "freeze", "deadlock", "spin", "crash", "lockorder", "sleep"}

const mixed = "mixed"

// faultCells are all kinds with one, two, four and eight offenders at once,
// beside health checks on new and on kept connections; a quick run has only the
// worst of the latter.
func faultCells(quick bool) []cell {
	var all []cell
	for _, kept := range []bool{false, true} {
		for _, kind := range []string{"sleep", "spin", "cspin", "deadlock", "lockorder", "crash", "freeze", mixed} {
			for _, k := range []int{1, 2, 4, 8} {
				if kind == mixed && k == 1 || quick && kept && k < 8 { // mixed/1 would be sleep/1
					continue
				}
				f := fault{kind: kind, k: k, kept: kept}
				all = append(all, cell{name: f.name(), run: f.run})
			}
		}
	}
	return all
}

// fault is one cell: k offenders of a kind.
type fault struct {
	kind string
	k    int
	kept bool // health checks keep their connections
}

func (f fault) name() string {
	name := fmt.Sprintf("%s/%d", f.kind, f.k)
	if f.kept {
		name = fmt.Sprintf("kept/%s/%d", f.kind, f.k)
	}
	return name
}

// apart is the time between two offenders: none, but for a mixture, where one
// that takes its process along would leave nothing for the others to do.
func (f fault) apart() time.Duration {
	if f.kind == mixed {
		return 50 * time.Millisecond
	}
	return 0
}

func (f fault) kinds() []string {
	if f.kind != mixed {
		return slices.Repeat([]string{f.kind}, f.k)
	}
	return mixture[:f.k]
}

const (
	calm       = 3 * time.Second  // before the fault, and after everything is over
	faultLimit = 20 * time.Second // from the fault to the end
	lastGrace  = 1500 * time.Millisecond
)

func (f fault) run(ctx context.Context, b *bench, r *report) (err error) {
	s, err := b.start(ctx, r.Cell, options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	c := &client{addr: s.addr}
	if f.kept {
		if c.pool, err = newPool(ctx, s.addr); err != nil {
			return err
		}
	}
	l := startLoad(ctx, c, "/health", healthRate)
	defer l.stop(0)
	pause(ctx, calm+rand.N(time.Second)) // at no special moment of the watchdog's
	at := l.elapsed()
	wall := time.Now()
	offenders, done := inject(ctx, s, f.kinds(), f.apart())
	left, calmed := f.await(ctx, s, l, offenders, done)
	samples := l.stop(lastGrace)
	<-done
	counts, err := s.top(ctx)
	if err != nil {
		return err
	}
	f.judge(b, r, outcome{
		offenders: offenders, workersGone: left, calmed: calmed, counts: counts,
		impact: assess(samples, at, f.lostUntil(at, wall, offenders)),
	})
	return nil
}

// await watches until the window is over: all offenders are answered, the
// workers that they wedged are gone, and all was well for a while. It returns
// after which time those workers were gone, negative if they were not, and
// whether all was well at last.
func (f fault) await(ctx context.Context, s *server, l *load, offenders []*offender, done chan struct{}) (left time.Duration, calmed bool) {
	left = -1
	begin := time.Now()
	_, calmed = poll(ctx, faultLimit, func() bool {
		select {
		case <-done:
		default:
			return false
		}
		if left < 0 && wedgedGone(s, offenders) {
			left = time.Since(begin)
		}
		return left >= 0 && time.Since(begin) >= left+calm && l.well(calm)
	})
	return left, calmed
}

// wedgedGone reports whether no worker is left that holds a request which will
// never end.
func wedgedGone(s *server, offenders []*offender) bool {
	for _, o := range offenders {
		if o.pid == 0 {
			o.look(s.faults)
		}
		if o.pid != 0 && o.kind != "lockorder" && !gone(o.pid) {
			return false
		}
	}
	return true
}

// lostUntil returns the due time up to which a health check may have been in
// the hands of a process that crashed or froze: none if no offender does that.
func (f fault) lostUntil(at time.Duration, wall time.Time, offenders []*offender) time.Duration {
	const margin = 20 * time.Millisecond // from the note to the deed
	until := time.Duration(0)
	for _, o := range offenders {
		if (o.kind == "crash" || o.kind == "freeze") && o.pid != 0 {
			until = max(until, at+o.started.Sub(wall.Round(0))+margin)
		}
	}
	return until
}
