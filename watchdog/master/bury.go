package master

import (
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// bury reads what a dead worker has left in its region, before the region is
// given to another one, and has an incident written if there was one. While
// somebody still looks after the worker's clients, it waits.
func (m *master) bury(c *child, d watchdog.Death) {
	if c.rescuers > 0 {
		m.burials++
		c.afterwards = func() {
			m.burials--
			m.bury(c, d)
		}
		return
	}
	p := c.place.pool
	left := leftBehind(c.region)
	for _, o := range left {
		if o.lost {
			p.board.Add(scoreboard.Lost, 1)
		}
	}
	m.killGroups(c)
	reason := c.reason
	if reason == watchdog.None {
		reason = watchdog.Crash
	}
	p.board.CountEnd(reason)
	if c.state >= watchdog.Dumping && reason.Kills() {
		p.board.CountKill(reason)
	}
	if !c.dumping.IsZero() {
		p.board.ObserveDump(d.Time.Sub(c.dumping))
	}
	if kept := c.kept; len(kept) > 0 {
		m.attended.Go(func() { closeKept(kept) })
	}
	r := report{stderr: c.stderr, crashed: c.doom == nil, wanted: c.doom != nil || !d.Expected && c.state.Serves()}
	if r.wanted {
		r.incident = m.incident(c, d, reason, left)
		p.board.CountIncident(reason)
	}
	if !m.recorder.put(func() { m.conclude(r) }) {
		m.Log.Error("incident was not recorded: the disk is stuck", watchdog.KeyWorker, d.ID().String(), watchdog.KeyVerdict, d.Verdict)
	}
	p.give(c.region)
}

// leftBehind is what a dead worker was busy with, but for what was seized.
func leftBehind(region *scoreboard.Region) []outcome {
	var left []outcome
	used := region.Used()
	for i := range used {
		switch v := used[i].View(i); v.Token.Phase() {
		case scoreboard.Reading, scoreboard.Running, scoreboard.Interim:
			left = append(left, outcome{v, unanswered, true})
		case scoreboard.Answering:
			left = append(left, outcome{v, cutOff, true})
		case scoreboard.Killed:
			left = append(left, outcome{v, byWorker, false})
		}
	}
	return left
}

// incident is what is known about a dead worker before its dump is read.
func (m *master) incident(c *child, d watchdog.Death, reason watchdog.Reason, left []outcome) watchdog.Incident {
	i := watchdog.Incident{
		Time: d.Time, Severity: watchdog.Killing, Reason: reason.String(), Verdict: d.Verdict,
		Pool: d.Pool, Index: d.Index, Incarnation: d.Incarnation, PID: d.PID,
	}
	offender := map[int]bool{}
	if c.doom == nil {
		i.ID = watchdog.NewIncidentID(time.Now())
		i.Timeline = []watchdog.Moment{{What: d.Verdict}}
		v := c.region.Worker().Vitals
		i.Evidence.Process = watchdog.Process{Goroutines: v.Goroutines, Runnable: v.Runnable, RSSBytes: c.measures.rss, Descriptors: c.measures.descriptors}
	} else {
		doom := c.doom
		doom.note("gone: %s", d.Status())
		i.ID, i.Time, i.Timeline, i.Evidence = doom.id, doom.at.UTC(), doom.timeline, doom.evidence
		left = append(left, doom.outcomes...)
		for _, slot := range doom.ruling.Slots {
			offender[slot] = true
		}
	}
	now := scoreboard.Now()
	for _, o := range left {
		s := o.stuck(m.Routes, now)
		if offender[o.view.Index] || !o.lost {
			i.Stuck = append(i.Stuck, s)
		} else {
			i.Lost = append(i.Lost, s)
		}
	}
	return i
}
