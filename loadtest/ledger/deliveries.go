package ledger

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/seadog/seadog/loadtest"
)

const longestPage = 500 // that seadog gives

// delivery is a row of seadog's list, as far as it matters here.
type delivery struct {
	ID         int64      `json:"id"`
	ExternalID string     `json:"external_id"`
	Decisions  []decision `json:"decisions"`
}

type decision struct {
	Project    string `json:"project"`
	Ref        string `json:"ref"`
	Verdict    string `json:"verdict"`
	Deployment int64  `json:"deployment"`
}

type deliveryPage struct {
	Deliveries []delivery `json:"deliveries"`
	Next       int64      `json:"next"` // "before" of the next page; 0: this was the last
}

// paged returns the address of the list itself, or of one beside it, for one page.
func (l *list) paged(beside string, query url.Values, limit int, before int64) *url.URL {
	u := l.url
	if beside != "" {
		u = u.ResolveReference(&url.URL{Path: beside})
		if project := l.url.Query().Get("project"); project != "" {
			u.RawQuery = url.Values{"project": {project}}.Encode()
		}
	}
	at := *u
	q := at.Query()
	for name, values := range query {
		q[name] = values
	}
	q.Set("limit", strconv.Itoa(limit))
	if before > 0 {
		q.Set("before", strconv.FormatInt(before, 10))
	}
	at.RawQuery = q.Encode()
	return &at
}

// newest returns the id of the newest delivery, 0 if there is none.
func (l *list) newest(ctx context.Context) (int64, error) {
	p, err := page[deliveryPage](ctx, l, l.paged("", nil, 1, 0))
	if err != nil || len(p.Deliveries) == 0 {
		return 0, err
	}
	return p.Deliveries[0].ID, nil
}

// errRound is a service that would be asked for pages for ever.
var errRound = errors.New("the pages of the list go round in circles")

// since gives f every delivery after mark, the newest first.
func (l *list) since(ctx context.Context, mark int64, f func(delivery)) error {
	for before := int64(0); ; {
		p, err := page[deliveryPage](ctx, l, l.paged("", nil, longestPage, before))
		if err != nil {
			return err
		}
		for _, d := range p.Deliveries {
			if d.ID <= mark {
				return nil
			}
			f(d)
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

// closeDeliveries follows every delivery to the deployment it led to, and that to its end.
func (l *Ledger) closeDeliveries(ctx context.Context, r *loadtest.LedgerReport) error {
	until := time.Now().Add(l.config.Patience)
	x, err := l.newIndex()
	if err != nil {
		return err
	}
	found, w := newSet(x.total), newWork(x.total)
	err = l.list.since(ctx, l.mark, func(d delivery) {
		position, ours := x.find(d.ExternalID)
		if !ours {
			return
		}
		found.add(position)
		for _, decision := range d.Decisions {
			w.add(position, decision)
		}
	})
	if err != nil {
		return err
	}
	jobs, err := l.list.jobs(ctx, w)
	if err != nil {
		return err
	}
	b := &balance{index: x, report: r}
	for position := range x.total {
		b.follow(position, found.has(position), w, jobs)
	}
	if jobs.open, err = l.awaitEnd(ctx, w, jobs.open, until); err != nil {
		return err
	}
	b.unended(w, jobs.open)
	b.close()
	if jobs.forgotten > 0 {
		return fmt.Errorf("%d ids have a second job, and the first is no longer there to tell whether it had failed", jobs.forgotten)
	}
	return nil
}

// follow judges one id.
func (b *balance) follow(position uint64, found bool, w *work, jobs *jobs) {
	is := b.index.state(position)
	if is == accepted && found {
		if gone, vanished := w.vanished(position, jobs); vanished {
			b.report.Found++
			b.report.Lost++
			b.example(aboutLost, position, fmt.Sprintf("lost: deployment %d, which it led to, is not there", gone))
			return
		}
	}
	b.judge(position, found)
	if first, second, twice := w.twice(position, jobs); twice {
		b.report.Duplicate++
		b.example(aboutDuplicate, position, fmt.Sprintf("two jobs: deployments %d and %d, and the first had not failed when the second came", first, second))
	}
}

// unended counts the ids whose work goes on.
func (b *balance) unended(w *work, open map[int64]bool) {
	if len(open) == 0 {
		return
	}
	for position := range b.index.total {
		if is := b.index.state(position); is != accepted && is != unknown {
			continue
		}
		for _, j := range w.of(position) {
			if open[j.deployment()] {
				b.report.Unended++
				b.example(aboutUnended, position, fmt.Sprintf("deployment %d has not ended", j.deployment()))
				break
			}
		}
	}
}
