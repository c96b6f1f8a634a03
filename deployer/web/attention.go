package web

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/seadog/seadog/deployer"
)

// Notice is something that a person should look at.
type Notice struct {
	Tone  string // "bad" or "warn"
	What  string
	Why   string
	Link  string
	Since time.Time
}

// Situation is what [Attention] looks at.
type Situation struct {
	Now       time.Time
	Projects  []deployer.ProjectState
	Queue     []Waiting
	Incidents []Incident // newest first
	Pools     []Pool
}

// Attention returns what needs a person, the worst first, and of that the
// newest first. It is pure.
func Attention(s Situation) []Notice {
	var notices []Notice
	for _, p := range s.Projects {
		notices = append(notices, troubleOf(p)...)
	}
	for _, w := range s.Queue {
		if notice, ok := overdue(w, s.Now); ok {
			notices = append(notices, notice)
		}
	}
	notices = append(notices, killings(s.Incidents, s.Now)...)
	for _, p := range s.Pools {
		if notice, ok := p.short(); ok {
			notices = append(notices, notice)
		}
	}
	slices.SortStableFunc(notices, func(a, b Notice) int {
		return cmp.Or(cmp.Compare(badness(b.Tone), badness(a.Tone)), b.Since.Compare(a.Since))
	})
	return notices
}

func badness(tone string) int {
	if tone == "bad" {
		return 1
	}
	return 0
}

func deploymentPath(id int64) string { return fmt.Sprintf("/deployments/%d", id) }

// troubleOf returns what is wrong with a project.
func troubleOf(p deployer.ProjectState) []Notice {
	var notices []Notice
	if r := p.Running; r != nil && r.StalledSince != nil {
		notices = append(notices, Notice{
			Tone: "warn", What: fmt.Sprintf("%s is stalled in %s", p.Name, r.Step),
			Why: "the step has printed nothing for half of its silence limit", Link: deploymentPath(r.ID), Since: *r.StalledSince,
		})
	}
	last := p.Last
	if last == nil || last.FinishedAt == nil || p.Healthy != nil && p.Healthy.ID >= last.ID {
		return notices
	}
	n := Notice{Tone: "bad", What: p.Name + " " + words(last.Status), Why: last.Reason, Link: deploymentPath(last.ID), Since: *last.FinishedAt}
	switch last.Status {
	case deployer.Failed, deployer.TimedOut, deployer.Interrupted:
	default:
		return notices // somebody wanted it so
	}
	switch last.Outcome {
	case deployer.OutcomeRollbackFailed:
		n.What = p.Name + " is in pieces"
		n.Why = "the rollback failed as well; " + last.Reason
	case deployer.OutcomeLeft:
		n.Why = "the project was left as it was then; " + last.Reason
	case deployer.OutcomeRolledBack:
		n.Tone, n.Why = "warn", "the release before runs again; "+last.Reason
	case deployer.OutcomeUntouched, deployer.OutcomeNone:
		if p.Healthy != nil {
			n.Tone, n.Why = "warn", "the release before still runs; "+last.Reason
		}
	}
	return append(notices, n)
}

// overdue returns whether something waits for too long. Who locks a project
// wants it to wait, but may have forgotten.
func overdue(w Waiting, now time.Time) (Notice, bool) {
	d := w.Deployment
	longest := patient
	if w.Locked {
		longest = 24 * time.Hour
	}
	if now.Sub(d.CreatedAt) < longest {
		return Notice{}, false
	}
	return Notice{Tone: "warn", What: d.Project + " waits in the queue", Why: w.Why, Link: deploymentPath(d.ID), Since: d.CreatedAt}, true
}

// killings sums up what the watchdog had to kill in the last day.
func killings(newestFirst []Incident, now time.Time) []Notice {
	const day = 24 * time.Hour
	var newest *Incident
	n := 0
	for i := range newestFirst {
		if newestFirst[i].Killing && now.Sub(newestFirst[i].Time) < day {
			n++
			if newest == nil {
				newest = &newestFirst[i]
			}
		}
	}
	if newest == nil {
		return nil
	}
	what := "the watchdog replaced a worker"
	if n > 1 {
		what = fmt.Sprintf("the watchdog replaced %d workers", n)
	}
	return []Notice{{Tone: "warn", What: what, Why: newest.Verdict, Link: "/incidents/" + newest.ID, Since: newest.Time}}
}
