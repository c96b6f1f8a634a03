package web

import (
	"context"
	"fmt"
	"slices"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/desk"
)

// filter selects deployments in a list.
type filter struct {
	Project string
	Status  string // one of filters, or ""
	Before  int64
}

// statusFilters are what lists of deployments can be narrowed to.
func statusFilters() []string { return []string{"active", "succeeded", "failed", "other"} }

func (f filter) statuses() []deployer.Status {
	switch f.Status {
	case "active":
		return []deployer.Status{deployer.Queued, deployer.Running}
	case "succeeded":
		return []deployer.Status{deployer.Succeeded}
	case "failed":
		return []deployer.Status{deployer.Failed, deployer.TimedOut, deployer.Interrupted}
	case "other":
		return []deployer.Status{deployer.Canceled, deployer.Superseded}
	}
	return nil
}

// filter reads it from a query.
func (t topic) filter() filter {
	f := filter{Project: t.query.Get("project"), Status: t.query.Get("status"), Before: int64(t.number("before"))}
	if !slices.Contains(statusFilters(), f.Status) {
		f.Status = ""
	}
	if !deployer.ValidName(f.Project) {
		f.Project = ""
	}
	return f
}

// history is a list of deployments.
type history struct {
	Filter      filter
	Filters     []string
	Names       []string // of projects
	Deployments []deployer.Deployment
	Next        int64 // "before" of the next page; 0: this was the last
}

const perPage = 50

func (u *UI) historyOf(ctx context.Context, f filter) (history, error) {
	list, err := u.cfg.Store.Deployments(ctx, deployer.DeploymentFilter{
		Project: f.Project, Statuses: f.statuses(), Before: f.Before, Limit: perPage,
	})
	if err != nil {
		return history{}, err
	}
	h := history{Filter: f, Filters: statusFilters(), Names: u.cfg.Desk.Names(), Deployments: list}
	for i := range list {
		list[i].HeartbeatAt = nil // changes all the time and is not shown
	}
	if len(list) == perPage {
		h.Next = list[len(list)-1].ID
	}
	return h, nil
}

// deployments answers GET /deployments.
func (u *UI) deployments(v *visit) error {
	t, err := parseTopic(v.c.OriginalURL())
	if err != nil {
		return err
	}
	seen, err := u.deploymentsView(v.Context(), t.filter())
	if err != nil {
		return err
	}
	return u.show(v, seen, frame{Title: "Deployments", Area: "deployments"})
}

func (u *UI) deploymentsView(ctx context.Context, f filter) (view, error) {
	h, err := u.historyOf(ctx, f)
	return view{
		page: "deployments", topic: "/deployments" + query("project", f.Project, "status", f.Status, "before", f.Before),
		data: h, parts: []string{"history"},
	}, err
}

// projectPage is one project.
type projectPage struct {
	State   deployer.ProjectState
	Project projectFacts
	Queue   string // why the pending deployment waits
	History history
	Goal    *deployer.Deployment // what a rollback goes back to; nil: nothing
	NoGoal  string               // why not
}

// projectFacts is what the configuration says of a project and people ask for.
type projectFacts struct {
	Branches, Tags, Images, Paths []string
	Compose                       string
	Rollback                      deployer.RollbackPolicy
	Keep                          int
	DefaultRef                    string
}

// project answers GET /projects/{project}.
func (u *UI) project(v *visit) error {
	t, err := parseTopic(v.c.OriginalURL())
	if err != nil {
		return err
	}
	seen, err := u.projectView(v.Context(), v.c.Params("project"), t.filter())
	if err != nil {
		return err
	}
	return u.show(v, seen, frame{Title: seen.data.(projectPage).State.Name, Area: "overview", Reload: 15})
}

func (u *UI) projectView(ctx context.Context, name string, f filter) (view, error) {
	configured, err := u.cfg.Desk.Configured(name)
	if err != nil {
		return view{}, deployer.Errorf(deployer.CodeNotFound, "there is no such project").WithHint("the overview lists them")
	}
	f.Project = configured.Name
	p := projectPage{Project: factsOf(configured)}
	if p.State, err = u.cfg.Desk.Project(ctx, configured.Name); err != nil {
		return view{}, err
	}
	if p.History, err = u.historyOf(ctx, f); err != nil {
		return view{}, err
	}
	goal, err := u.cfg.Desk.Goal(ctx, configured.Name)
	switch {
	case err == nil:
		p.Goal = &goal
	case deployer.CodeOf(err) != deployer.CodeConflict:
		return view{}, err
	}
	if d := p.State.Pending; d != nil {
		if p.Queue, err = u.whyWaits(ctx, *d); err != nil {
			return view{}, err
		}
	}
	if p.State.Running != nil {
		p.State.Running.HeartbeatAt = nil
	}
	state := ""
	if p.State.Lock != nil {
		state = "locked"
	}
	return view{
		page: "project", topic: fmt.Sprintf("/projects/%s%s", configured.Name, query("status", f.Status, "before", f.Before)),
		data: p, parts: []string{"standing", "history"}, state: state,
	}, nil
}

// whyWaits says why a deployment has not begun.
func (u *UI) whyWaits(ctx context.Context, d deployer.Deployment) (string, error) {
	active, err := u.cfg.Desk.Active(ctx, "")
	if err != nil {
		return "", err
	}
	locks, err := u.cfg.Desk.Locks(ctx)
	if err != nil {
		return "", err
	}
	return whyQueued(Line(active, locks, u.cfg.Runners), d.ID), nil
}

func factsOf(p deployer.Project) projectFacts {
	f := projectFacts{
		Branches: p.Select.Branches, Tags: p.Select.Tags, Images: p.Select.Images, Paths: p.Select.Paths,
		Compose: p.Compose.Project, Rollback: p.Rollback, Keep: p.Keep,
	}
	if f.Compose == "" {
		f.Compose = p.Name
	}
	if ref, err := desk.DefaultRef(p); err == nil {
		f.DefaultRef = shortRef(ref)
	}
	return f
}
