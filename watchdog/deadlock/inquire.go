package deadlock

import (
	"context"
	"slices"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/lock"
	"github.com/seadog/seadog/watchdog/process"
	"github.com/seadog/seadog/watchdog/scoreboard"
	"github.com/seadog/seadog/watchdog/stackdump"
)

// settle is how long who was given up may take to stop waiting for a lock.
const settle = 100 * time.Millisecond

// inquire looks into one incident and records it. It takes up to 0.7 s; kills
// that arrive meanwhile wait.
func (d *Detector) inquire(ctx context.Context, q *inquiry) {
	q.looked = true
	if q.evidence.problem != nil {
		q.note("not everything could be looked at: %s", q.evidence.problem)
	}
	before := d.cycles(q)
	dumps := d.stacks(ctx, q)
	d.drain()
	who := d.people(q, dumps)
	d.publishWaiting(q, who)
	q.findings = analyse(dumps, who)
	d.stillProven(ctx, q, before)
	if lost := d.dropped.Swap(0); lost > 0 {
		q.note("%d kills came too fast to be looked at", lost)
	}
	var dump []byte
	if len(dumps) > 0 && q.earlier == "" {
		dump = render(dumps[len(dumps)-1], who)
	}
	d.record(q, dump)
}

// cycles adds to q the proven deadlocks that there are now, and those that
// ended with the requests of q. It returns the former.
func (d *Detector) cycles(q *inquiry) []lock.Cycle {
	if d.config.Graph == nil {
		return nil
	}
	cycles := d.config.Graph.Cycles()
	q.keep(cycles...)
	for _, c := range d.config.Graph.Dissolved() {
		if q.concerns(c) || knows(q.cycles, c) {
			q.keep(c)
		}
	}
	return cycles
}

// stillProven looks at the tracked locks once more. A deadlock that was there
// before, and in which nobody's context has ended since, will not go away by
// itself, and is reported to the master.
func (d *Detector) stillProven(ctx context.Context, q *inquiry, before []lock.Cycle) {
	if len(before) > 0 && !pause(ctx, time.Until(q.evidence.at.Add(settle))) {
		return
	}
	for _, c := range d.cycles(q) {
		if c.Ending || !knows(before, c) {
			continue
		}
		if !d.proven[c.ID] {
			d.proven[c.ID] = true
			q.note("the deadlock is reported to the master")
		}
		d.config.Region.ReportDeadlock()
	}
}

func knows(cycles []lock.Cycle, c lock.Cycle) bool {
	for _, k := range cycles {
		if k.ID == c.ID {
			return true
		}
	}
	return false
}

// stacks takes dumps, as many as make sense; none if they are not worth it.
func (d *Detector) stacks(ctx context.Context, q *inquiry) []*stackdump.Dump {
	if id, may := d.limits.mayDump(time.Now()); !may {
		q.earlier = id
		return nil
	}
	if ctx.Err() != nil {
		return nil
	}
	busy, err := process.Unstoppable(ctx)
	d.drain()
	switch {
	case err != nil:
		q.note("stacks were not taken: %s", err)
		return nil
	case len(busy) > 0:
		q.computes = true
		q.evidence = d.collect() // with the time that the threads have used since
		q.note("threads %v compute without a pause: stacks were not taken, they would have stopped the process", busy)
		return nil
	case !q.ungiven && d.over(q):
		q.note("all of its requests have ended")
		return nil
	}
	d.limits.dumped(time.Now(), q.id)
	var dumps []*stackdump.Dump
	begin := time.Now()
	for _, at := range stackdump.Samples() {
		if !pause(ctx, time.Until(begin.Add(at))) {
			break
		}
		dump, whole := d.dump(q)
		dumps = append(dumps, dump)
		if len(dumps) == 1 {
			if q.earlier = d.known(q, dump); q.earlier != "" || !whole {
				break
			}
		}
	}
	return dumps
}

// known returns the incident that has told of the same place already.
func (d *Detector) known(q *inquiry, dump *stackdump.Dump) string {
	who := d.people(q, []*stackdump.Dump{dump})
	for _, k := range q.kills {
		if g := who.main(k.Slot); g != nil {
			return d.limits.seen(time.Now(), k.Route+" "+place(g).Func, q.id)
		}
	}
	return ""
}

// over reports whether all requests of q have ended by themselves.
func (d *Detector) over(q *inquiry) bool {
	for _, k := range q.kills {
		if d.goesOn(k) {
			return false
		}
	}
	return len(q.kills) > 0
}

// goesOn reports whether a request that was given up has still not ended.
func (d *Detector) goesOn(k watchdog.Kill) bool {
	slots := d.config.Region.Slots()
	if k.Slot < 0 || k.Slot >= len(slots) {
		return true // nothing is known
	}
	t := slots[k.Slot].Token()
	return t.Generation() == k.Generation && (t.Phase() == scoreboard.Killed || t.Phase() == scoreboard.Seized)
}

// record hands the incident to the recorder and to the log.
func (d *Detector) record(q *inquiry, dump []byte) {
	first := !q.recorded
	q.recorded, q.changed = true, false
	worker := d.config.Region.Worker()
	verdict := d.verdict(q)
	i := watchdog.Incident{
		ID: q.id, Time: q.at, Severity: watchdog.Warning, Reason: q.reason().String(), Verdict: verdict,
		Pool: worker.ID.Pool, Index: worker.ID.Index, Incarnation: worker.Incarnation, PID: worker.PID,
		Stuck: q.stuck(), Timeline: q.moments(),
		Evidence: watchdog.Evidence{
			Threads: q.evidence.threads, Process: q.evidence.process,
			Locks: slices.Concat(q.findings.locks, q.evidence.locks), Stacks: q.findings.stacks,
		},
	}
	if first {
		d.count(q)
		d.config.Log.Warn("requests do not end", watchdog.KeyIncident, q.id, watchdog.KeyVerdict, verdict, watchdog.KeyReason, i.Reason, watchdog.KeyRequests, len(q.kills)+q.more)
	}
	d.recorder.put(i, dump)
}

func (q *inquiry) reason() watchdog.Reason {
	switch {
	case len(q.cycles) > 0:
		return watchdog.Deadlock
	case q.findings.locked != "":
		return watchdog.Stalled
	}
	return watchdog.Harakiri
}

// count counts an incident once, by what was known of it when it was first told.
func (d *Detector) count(q *inquiry) {
	d.config.Region.CountIncident(q.reason())
	if q.findings.locked != "" {
		d.config.Region.Count(scoreboard.LockStalls, 1)
	}
}
