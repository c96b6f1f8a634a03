package httpd

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/seadog/seadog/deployer"
)

const (
	recentOver = 10 // deployments that are over, in the overview
	mostPages  = 4  // of longestPage that the list of projects looks through
)

// over are the statuses of deployments to which nothing can happen any more.
func over() []deployer.Status {
	var s []deployer.Status
	for _, status := range deployer.Statuses() {
		if status.Final() {
			s = append(s, status)
		}
	}
	return s
}

// status answers GET /api/v1/status.
func (s *Server) status(x *exchange) error {
	active, err := s.active(x.ctx, "")
	if err != nil {
		return err
	}
	recent, err := s.cfg.Store.Deployments(x.ctx, deployer.DeploymentFilter{Statuses: over(), Limit: recentOver})
	if err != nil {
		return err
	}
	locks, err := s.locks(x.ctx)
	if err != nil {
		return err
	}
	o := deployer.Overview{
		Version: s.cfg.Version, Time: s.cfg.Now().UTC(),
		Deployments: append(active, recent...), Locks: locks,
	}
	for _, d := range active {
		switch d.Status {
		case deployer.Running:
			o.Running++
		default:
			o.Queued++
			if o.OldestQueued == nil || d.CreatedAt.Before(*o.OldestQueued) {
				o.OldestQueued = &d.CreatedAt
			}
		}
	}
	if o.Deployments == nil {
		o.Deployments = []deployer.Deployment{}
	}
	return x.json(fiber.StatusOK, o)
}

// active returns what runs or waits, of one project or of all. There are at
// most two per project.
func (s *Server) active(ctx context.Context, project string) ([]deployer.Deployment, error) {
	return s.cfg.Store.Deployments(ctx, deployer.DeploymentFilter{
		Project: project, Statuses: []deployer.Status{deployer.Running, deployer.Queued}, Limit: longestPage,
	})
}

type projectList struct {
	Projects []deployer.ProjectState `json:"projects"`
}

// listProjects answers GET /api/v1/projects. The number of queries does not
// depend on the number of projects, so a project whose last deployment lies
// longestPage × mostPages deployments of others back is shown without it.
func (s *Server) listProjects(x *exchange) error {
	active, err := s.active(x.ctx, "")
	if err != nil {
		return err
	}
	locks, err := s.locks(x.ctx)
	if err != nil {
		return err
	}
	states := make(map[string]*deployer.ProjectState, len(s.names))
	list := projectList{Projects: make([]deployer.ProjectState, len(s.names))}
	for i, name := range s.names {
		list.Projects[i] = s.state(s.projects[name])
		states[name] = &list.Projects[i]
	}
	fill := func(deployments []deployer.Deployment) {
		for _, d := range deployments {
			if state, ok := states[d.Project]; ok {
				note(state, d)
			}
		}
	}
	fill(active)
	for _, l := range locks {
		if state, ok := states[l.Project]; ok {
			state.Lock = &l
		}
	}
	f := deployer.DeploymentFilter{Statuses: over(), Limit: longestPage}
	for range mostPages {
		page, err := s.cfg.Store.Deployments(x.ctx, f)
		if err != nil {
			return err
		}
		fill(page)
		if len(page) < longestPage || complete(list.Projects) {
			break
		}
		f.Before = page[len(page)-1].ID
	}
	return x.json(fiber.StatusOK, list)
}

// showProject answers GET /api/v1/projects/{project}.
func (s *Server) showProject(x *exchange) error {
	p, err := s.project(x)
	if err != nil {
		return err
	}
	state := s.state(p)
	active, err := s.active(x.ctx, p.Name)
	if err != nil {
		return err
	}
	last, err := s.cfg.Store.Deployments(x.ctx, deployer.DeploymentFilter{Project: p.Name, Statuses: over(), Limit: 1})
	if err != nil {
		return err
	}
	for _, d := range append(active, last...) {
		note(&state, d)
	}
	if state.Healthy == nil {
		healthy, err := s.cfg.Store.LastHealthy(x.ctx, p.Name, 0)
		switch {
		case err == nil:
			state.Healthy = &healthy
		case deployer.CodeOf(err) != deployer.CodeNotFound:
			return err
		}
	}
	if state.Lock, err = s.lockOf(x.ctx, p.Name); err != nil {
		return err
	}
	return x.json(fiber.StatusOK, state)
}

// state is what the configuration knows of a project.
func (s *Server) state(p deployer.Project) deployer.ProjectState {
	return deployer.ProjectState{
		Name: p.Name, Repository: withoutCredentials(p.Repository), Hook: p.Hook, Provider: s.hooks[p.Hook].Provider,
	}
}

// note enters d, which is older than all before it of the same kind.
func note(state *deployer.ProjectState, d deployer.Deployment) {
	switch {
	case d.Status == deployer.Running:
		state.Running = first(state.Running, d)
	case d.Status == deployer.Queued:
		state.Pending = first(state.Pending, d)
	default:
		state.Last = first(state.Last, d)
		if d.Status == deployer.Succeeded {
			state.Healthy = first(state.Healthy, d)
		}
	}
}

func first(known *deployer.Deployment, d deployer.Deployment) *deployer.Deployment {
	if known != nil {
		return known
	}
	return &d
}

// complete reports whether older deployments can add nothing.
func complete(states []deployer.ProjectState) bool {
	for i := range states {
		if states[i].Healthy == nil {
			return false
		}
	}
	return true
}
