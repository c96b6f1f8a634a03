package web

import (
	"context"
	"slices"

	"github.com/seadog/seadog/deployer"
)

// mail is a list of deliveries: "why did, or didn't, it deploy?".
type mail struct {
	Project    string
	Verdict    deployer.Verdict
	Before     int64
	Names      []string // of projects
	Verdicts   []deployer.Verdict
	Deliveries []deployer.Delivery `json:"-"`
	Newest     int64
	Next       int64 // "before" of the next page; 0: this was the last
}

// deliveries answers GET /deliveries.
func (u *UI) deliveries(v *visit) error {
	t, err := parseTopic(v.c.OriginalURL())
	if err != nil {
		return err
	}
	seen, err := u.mailView(v.Context(), t)
	if err != nil {
		return err
	}
	return u.show(v, seen, frame{Title: "Deliveries", Area: "deliveries"})
}

// mailView changes when there is a newer delivery. The list itself does not move
// under somebody who reads it: the page says that there is more.
func (u *UI) mailView(ctx context.Context, t topic) (view, error) {
	m := mail{
		Project: t.filter().Project, Verdict: deployer.Verdict(t.query.Get("verdict")), Before: int64(t.number("before")),
		Names: u.cfg.Desk.Names(), Verdicts: deployer.Verdicts(),
	}
	if !slices.Contains(m.Verdicts, m.Verdict) {
		m.Verdict = ""
	}
	var err error
	m.Deliveries, err = u.cfg.Store.Deliveries(ctx, deployer.DeliveryFilter{
		Project: m.Project, Verdict: m.Verdict, Before: m.Before, Limit: perPage,
	})
	if err != nil {
		return view{}, err
	}
	if n := len(m.Deliveries); n > 0 {
		if m.Before == 0 {
			m.Newest = m.Deliveries[0].ID
		}
		if n == perPage {
			m.Next = m.Deliveries[n-1].ID
		}
	}
	return view{
		page: "deliveries", topic: "/deliveries" + query("project", m.Project, "verdict", m.Verdict, "before", m.Before),
		data: m, parts: []string{"fresh"},
	}, nil
}

// delivery answers GET /deliveries/{id}.
func (u *UI) delivery(v *visit) error {
	id, err := v.id()
	if err != nil {
		return deployer.Errorf(deployer.CodeNotFound, "there is no such delivery")
	}
	d, err := u.cfg.Store.Delivery(v.Context(), id)
	if err != nil {
		return err
	}
	return u.send(v, "delivery", frame{Title: "Delivery " + v.c.Params("id"), Area: "deliveries", Data: d})
}
