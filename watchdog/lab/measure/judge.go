package main

import (
	"fmt"
	"time"
)

// outcome is everything that a fault cell saw.
type outcome struct {
	offenders   []*offender
	workersGone time.Duration // after the fault; negative: not in the window
	calmed      bool          // all was well for a while at the end
	impact      impact
	counts      board // what the watchdog says
}

// How late an answer may be after its deadline.
const (
	latePlain  = 30 * time.Millisecond
	lateCPU    = 100 * time.Millisecond
	lateFrozen = 2500 * time.Millisecond
)

// judge fills the report of a fault cell.
func (f fault) judge(b *bench, r *report, o outcome) {
	answers := tally{}
	var late []time.Duration
	for _, off := range o.offenders {
		answers[off.outcome()]++
		if !off.answer.abrupt() {
			late = append(late, off.late(b.harakiri))
		}
	}
	im := o.impact
	r.figure("offenders", answers)
	r.figure("late p50", ms(percentile(late, 0.50)))
	r.figure("late p99", ms(percentile(late, 0.99)))
	r.figure("late max", ms(percentile(late, 1)))
	r.figure("others", im.Requests)
	r.figure("failed", im.Failed)
	r.figure("lost_requests", im.Lost)
	r.figure("it counts lost", o.counts.Lost)
	r.figure("killed", o.counts.Kills)
	r.figure(">250ms", im.Slow)
	r.figure(">1s", im.VerySlow)
	r.figure("worst", ms(im.Worst))
	r.figure("own worst", ms(im.Own))
	r.doubt(im.Own)
	r.figure("recovered", seconds(im.Recovered))
	r.figure("worker gone", seconds(o.workersGone))

	r.bar("others failed", im.Failed.total() == 0, "%s, want 0", im.Failed)
	if f.k <= 2 {
		r.bar("others delayed > 250 ms", im.Slow == 0, "%d, want 0", im.Slow)
	} else {
		r.bar("others delayed > 1 s", im.VerySlow == 0, "%d, want 0", im.VerySlow)
	}
	r.bar("all is well again", o.calmed, "not within %s", faultLimit)
	r.bar("wedged workers are replaced", o.workersGone >= 0, "not within %s", faultLimit)
	for _, off := range o.offenders {
		off.judge(b, r, o.offenders)
	}
}

// judge holds one offender against its own bar. Its neighbours in the same
// process matter: a frozen one freezes it, a crashing one takes it along.
func (o *offender) judge(b *bench, r *report, all []*offender) {
	limit, mayClose := o.limit()
	for _, n := range all {
		if n.pid == o.pid || o.pid == 0 {
			l, c := n.limit()
			limit, mayClose = max(limit, l), mayClose || c
		}
	}
	if o.kind == "crash" && o.answer.abrupt() || mayClose && o.answer.abrupt() {
		return
	}
	name := "offender " + o.id
	if o.kind == "crash" || o.answer.Outcome != "504" {
		want := "504"
		if o.kind == "crash" {
			want = closed
		}
		r.bar(name, false, "got %s, want %s", o.outcome(), want)
		return
	}
	late := o.late(b.harakiri)
	r.bar(name, late <= limit, "504 %s after its deadline, want ≤ %s", ms(late), ms(limit))
}

// limit returns how late its answer may be, and whether it may be a closed
// connection instead.
func (o *offender) limit() (late time.Duration, mayClose bool) {
	switch o.kind {
	case "spin":
		return lateCPU, false
	case "cspin", "freeze":
		return lateFrozen, false
	case "crash":
		return 0, true
	}
	return latePlain, false
}

func ms(d time.Duration) string { return fmt.Sprintf("%.0f ms", float64(d)/float64(time.Millisecond)) }

func seconds(d time.Duration) string {
	if d < 0 {
		return "never"
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
