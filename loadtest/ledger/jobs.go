package ledger

import (
	"context"
	"errors"
	"net/url"
	"time"
)

// slack is how far apart the clocks of a service's processes may be.
const slack = time.Second

// mostJobs bounds the span of numbers between the first and the last deployment.
const mostJobs = 1 << 30

// deployment is a row of seadog's list, as far as it matters here.
type deployment struct {
	ID         int64      `json:"id"`
	Project    string     `json:"project"`
	Status     string     `json:"status"`
	Trigger    string     `json:"trigger"`
	Origin     int64      `json:"origin"`
	CreatedAt  time.Time  `json:"created_at"`
	FinishedAt *time.Time `json:"finished_at"`
}

type deploymentPage struct {
	Deployments []deployment `json:"deployments"`
	Next        int64        `json:"next"`
}

func (d *deployment) ended() bool { return d.Status != "queued" && d.Status != "running" }

// failed reports whether a push that comes again is to run again.
func (d *deployment) failed() bool {
	switch d.Status {
	case "failed", "timed_out", "canceled", "interrupted":
		return true
	}
	return false
}

// jobs is what the service knows of the deployments that the run led to.
type jobs struct {
	low       int64
	known     set            // by number - low
	open      map[int64]bool // not ended
	details   map[int64]*deployment
	pruned    map[string]int64 // by project, see keeping
	forgotten int              // ids of which it cannot be told whether they ran twice
}

func (j *jobs) exists(n int64) bool { return n >= j.low && j.known.has(uint64(n-j.low)) }

// jobs reads all deployments that w knows of.
func (l *list) jobs(ctx context.Context, w *work) (*jobs, error) {
	j := &jobs{low: w.low, open: map[int64]bool{}, details: w.candidates(), pruned: map[string]int64{}}
	if w.high == 0 {
		return j, nil
	}
	if w.high-w.low >= mostJobs {
		return nil, errors.New("the numbers of the deployments are too far apart")
	}
	j.known = newSet(uint64(w.high - w.low + 1))
	kept := map[string]*keeping{}
	err := l.deployments(ctx, nil, func(d deployment) bool {
		if d.ID < w.low {
			return false
		}
		if d.ID <= w.high {
			j.known.add(uint64(d.ID - w.low))
		}
		d.note(j.open)
		if kept[d.Project] == nil {
			kept[d.Project] = &keeping{}
		}
		kept[d.Project].add(d.ID)
		if _, asked := j.details[d.ID]; asked {
			j.details[d.ID] = &d
		}
		return true
	})
	for project, k := range kept {
		j.pruned[project] = k.pruned()
	}
	return j, err
}

// fewest deployments that a project has before any may have been deleted.
const fewest = 10

// keeping is what a project still has.
type keeping struct {
	n              int
	lowest, second int64
}

// add takes deployments with the newest first.
func (k *keeping) add(id int64) { k.n, k.lowest, k.second = k.n+1, id, k.lowest }

// pruned returns up to which number deployments may have been deleted. The
// lowest does not tell: it may be the last healthy one, which is kept for longer.
func (k *keeping) pruned() int64 {
	if k.n < fewest {
		return 0
	}
	return k.second
}

// note adds a deployment that has not ended to open, and what it is another attempt at.
func (d *deployment) note(open map[int64]bool) {
	if d.ended() {
		return
	}
	open[d.ID] = true
	if d.Trigger == "retry" {
		open[d.Origin] = true
	}
}

// deployments gives f the deployments that query selects, the newest first,
// until it returns false.
func (l *list) deployments(ctx context.Context, query url.Values, f func(deployment) bool) error {
	for before := int64(0); ; {
		p, err := page[deploymentPage](ctx, l, l.paged("deployments", query, longestPage, before))
		if err != nil {
			return err
		}
		for _, d := range p.Deployments {
			if !f(d) {
				return nil
			}
		}
		switch {
		case p.Next == 0:
			return nil
		case before > 0 && p.Next >= before:
			return errRound
		}
		before = p.Next
	}
}

// awaitEnd asks until nothing that w knows of is open, or time is up, and
// returns what is still open then.
func (l *Ledger) awaitEnd(ctx context.Context, w *work, open map[int64]bool, until time.Time) (map[int64]bool, error) {
	ours := w.deployments(open)
	for len(ours) > 0 && time.Now().Before(until) && pause(ctx, betweenPolls) {
		now := map[int64]bool{}
		err := l.list.deployments(ctx, url.Values{"status": {"queued,running"}}, func(d deployment) bool {
			d.note(now)
			return true
		})
		if err != nil {
			return nil, err
		}
		ours = w.deployments(now)
	}
	return ours, nil
}

// deployments returns those of open that ids led to.
func (w *work) deployments(open map[int64]bool) map[int64]bool {
	ours := map[int64]bool{}
	if len(open) == 0 {
		return ours
	}
	for _, j := range w.first {
		if j != 0 && open[j.deployment()] {
			ours[j.deployment()] = true
		}
	}
	for _, more := range w.more {
		for _, j := range more {
			if open[j.deployment()] {
				ours[j.deployment()] = true
			}
		}
	}
	return ours
}

// repeat is what a second deployment for the same delivery is.
type repeat int

const (
	meant  repeat = iota // the first had failed
	wrong                // it had not
	untold               // it is no longer known
)

func (j *jobs) again(first, second int64) repeat {
	a, b := j.details[first], j.details[second]
	switch {
	case a == nil || b == nil:
		return untold
	case a.failed() && a.FinishedAt != nil && !a.FinishedAt.After(b.CreatedAt.Add(slack)):
		return meant
	}
	return wrong
}
