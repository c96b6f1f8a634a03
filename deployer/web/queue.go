package web

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/seadog/seadog/deployer"
)

// Waiting is a deployment in the queue, and why it is still there.
type Waiting struct {
	Deployment deployer.Deployment
	Position   int // in the order in which runners take them; 0: it is not its turn to wait for one
	Why        string
	Locked     bool
}

// Line puts what waits in the order in which it will run, and says of each why
// it does not run yet. active is what runs or waits; runners is how many can run
// at once. It is pure.
func Line(active []deployer.Deployment, locks []deployer.Lock, runners int) []Waiting {
	running := make(map[string]int64)
	var queued []deployer.Deployment
	for _, d := range active {
		if d.Status == deployer.Running {
			running[d.Project] = d.ID
		} else if d.Status == deployer.Queued {
			queued = append(queued, d)
		}
	}
	locked := make(map[string]deployer.Lock, len(locks))
	for _, l := range locks {
		locked[l.Project] = l
	}
	slices.SortFunc(queued, func(a, b deployer.Deployment) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	var line, held []Waiting
	free := runners - len(running)
	for _, d := range queued {
		w := Waiting{Deployment: d}
		lock, isLocked := locked[d.Project]
		switch before, own := running[d.Project]; {
		case isLocked && !d.Override:
			w.Why, w.Locked = "locked by "+lock.Owner, true
			if lock.Reason != "" {
				w.Why += ": " + lock.Reason
			}
			held = append(held, w)
			continue
		case own:
			w.Why = fmt.Sprintf("deployment %d of the same project runs", before)
		case free > 0:
			free--
			w.Why = "a runner is free: it starts at any moment"
		default:
			w.Why = fmt.Sprintf("all %d runners are busy", runners)
			if runners == 1 {
				w.Why = "the only runner is busy"
			}
		}
		w.Position = len(line) + 1
		line = append(line, w)
	}
	return append(line, held...)
}

// whyQueued is [Waiting.Why] of one deployment, "" if it does not wait.
func whyQueued(line []Waiting, id int64) string {
	for _, w := range line {
		if w.Deployment.ID != id {
			continue
		}
		if w.Position > 1 {
			return fmt.Sprintf("%s; %d wait before it", w.Why, w.Position-1)
		}
		return w.Why
	}
	return ""
}

// patient is how long something may wait in the queue before it needs attention.
const patient = 10 * time.Minute
