package web

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/seadog/seadog/deployer"
)

// board is the overview.
type board struct {
	Attention []Notice
	Running   []deployer.Deployment
	Queue     []Waiting
	Projects  []deployer.ProjectState // of this page
	Recent    []deployer.Deployment
	All       int // projects
	Healthy   int // whose newest deployment, but for what was not wanted, succeeded
	Runners   int
	Find      string
	Page      int
	Pages     int
}

const (
	projectsPerPage = 100
	recentShown     = 10
	incidentsSeen   = 50
)

// overview answers GET /.
func (u *UI) overview(v *visit) error {
	seen, err := u.boardView(v.Context(), v.text("q"), int(v.number("page")))
	if err != nil {
		return err
	}
	return u.show(v, seen, frame{Title: "Overview", Area: "overview", Reload: 10})
}

func (u *UI) boardView(ctx context.Context, find string, page int) (view, error) {
	projects, err := u.cfg.Desk.Projects(ctx)
	if err != nil {
		return view{}, err
	}
	b := board{All: len(projects), Runners: u.cfg.Runners, Find: find}
	var active []deployer.Deployment
	var locks []deployer.Lock
	for _, p := range projects {
		for _, d := range []*deployer.Deployment{p.Running, p.Pending} {
			if d != nil {
				d.HeartbeatAt = nil // changes all the time and is not shown
				active = append(active, *d)
			}
		}
		if p.Lock != nil {
			locks = append(locks, *p.Lock)
		}
		if p.Healthy != nil && len(troubleOf(p)) == 0 {
			b.Healthy++
		}
	}
	b.Queue = Line(active, locks, u.cfg.Runners)
	b.Running = running(active)
	b.Attention = Attention(Situation{
		Now: u.cfg.Now(), Projects: projects, Queue: b.Queue, Incidents: u.lately(ctx), Pools: u.pools(),
	})
	if b.Recent, err = u.cfg.Store.Deployments(ctx, deployer.DeploymentFilter{Limit: recentShown}); err != nil {
		return view{}, err
	}
	for i := range b.Recent {
		b.Recent[i].HeartbeatAt = nil
	}
	b.Projects, b.Page, b.Pages = paged(matching(projects, find), page)
	return view{
		page: "overview", topic: "/" + query("q", find, "page", page), data: b,
		parts: []string{"count", "attention", "running", "queue", "projects", "recent"},
	}, nil
}

// running returns what runs, the longest first.
func running(active []deployer.Deployment) []deployer.Deployment {
	var list []deployer.Deployment
	for _, d := range active {
		if d.Status == deployer.Running {
			list = append(list, d)
		}
	}
	slices.SortFunc(list, func(a, b deployer.Deployment) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// lately returns the newest incidents. What cannot be read is no reason not to
// show the rest.
func (u *UI) lately(ctx context.Context) []Incident {
	if u.cfg.Incidents == nil {
		return nil
	}
	found, err := u.cfg.Incidents.List(ctx, "", incidentsSeen)
	if err != nil {
		u.cfg.Log.Warn("incidents cannot be read", deployer.KeyError, err)
	}
	return found
}

func (u *UI) pools() []Pool {
	if u.cfg.Workers == nil {
		return nil
	}
	seen, err := u.cfg.Workers.Look()
	if err != nil {
		u.cfg.Log.Warn("the scoreboard cannot be read", deployer.KeyError, err)
	}
	return seen.Pools
}

func matching(projects []deployer.ProjectState, find string) []deployer.ProjectState {
	if find == "" {
		return projects
	}
	return slices.DeleteFunc(projects, func(p deployer.ProjectState) bool {
		return !strings.Contains(p.Name, strings.ToLower(find))
	})
}

// paged returns one page of projects, its number from 1, and how many there are.
func paged(projects []deployer.ProjectState, page int) (shown []deployer.ProjectState, number, pages int) {
	pages = max(1, (len(projects)+projectsPerPage-1)/projectsPerPage)
	number = min(max(1, page), pages)
	first := (number - 1) * projectsPerPage
	return projects[first:min(len(projects), first+projectsPerPage)], number, pages
}

// view is a page without what depends on who looks at it: so that all who look
// at it can be told of changes together.
type view struct {
	page  string
	topic string // path and query by which it is found again
	data  any
	parts []string // templates of the page that change
	state string   // of the whole page, for the style sheet
}

// viewOf makes the view that a topic stands for.
func (u *UI) viewOf(ctx context.Context, topic string) (view, error) {
	t, err := parseTopic(topic)
	if err != nil {
		return view{}, err
	}
	switch {
	case t.path == "/":
		return u.boardView(ctx, t.query.Get("q"), t.number("page"))
	case t.kind == "projects":
		return u.projectView(ctx, t.name, t.filter())
	case t.path == "/deployments":
		return u.deploymentsView(ctx, t.filter())
	case t.kind == "deployments":
		return u.deploymentView(ctx, int64(t.id()))
	case t.path == "/deliveries":
		return u.mailView(ctx, t)
	case t.path == "/workers":
		return u.crewView(ctx)
	case t.path == "/incidents":
		return u.casebookView(ctx, t)
	}
	return view{}, deployer.Errorf(deployer.CodeNotFound, "nothing changes on that page")
}

// show answers with the page of a view, which stays up to date.
func (u *UI) show(v *visit, seen view, f frame) error {
	version, err := seen.version()
	if err != nil {
		return err
	}
	f.Data, f.Seen, f.State = seen.data, version, seen.state
	if f.Live == "" {
		f.Live = "/live" + query("of", seen.topic)
	}
	if err := u.send(v, seen.page, f); err != nil {
		return fmt.Errorf("show %s: %w", seen.topic, err)
	}
	return nil
}
