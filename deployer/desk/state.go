package desk

import (
	"context"

	"github.com/seadog/seadog/deployer"
)

const (
	recentOver  = 10  // deployments that are over, in the overview
	longestPage = 500 // deployments that a store returns at once
)

// Over returns the statuses of deployments to which nothing can happen any more.
func Over() []deployer.Status {
	var s []deployer.Status
	for _, status := range deployer.Statuses() {
		if status.Final() {
			s = append(s, status)
		}
	}
	return s
}

// Overview returns what runs and waits, what ended last, and the locks.
// Version is left empty.
func (d *Desk) Overview(ctx context.Context) (deployer.Overview, error) {
	active, err := d.Active(ctx, "")
	if err != nil {
		return deployer.Overview{}, err
	}
	recent, err := d.store.Deployments(ctx, deployer.DeploymentFilter{Statuses: Over(), Limit: recentOver})
	if err != nil {
		return deployer.Overview{}, err
	}
	locks, err := d.Locks(ctx)
	if err != nil {
		return deployer.Overview{}, err
	}
	o := deployer.Overview{Time: d.now().UTC(), Deployments: append(active, recent...), Locks: locks}
	for _, a := range active {
		switch a.Status {
		case deployer.Running:
			o.Running++
		default:
			o.Queued++
			if o.OldestQueued == nil || a.CreatedAt.Before(*o.OldestQueued) {
				o.OldestQueued = &a.CreatedAt
			}
		}
	}
	if o.Deployments == nil {
		o.Deployments = []deployer.Deployment{}
	}
	return o, nil
}

// Active returns what runs or waits, of one project or, for "", of all. There
// are at most two per project.
func (d *Desk) Active(ctx context.Context, project string) ([]deployer.Deployment, error) {
	return d.store.Deployments(ctx, deployer.DeploymentFilter{
		Project: project, Statuses: []deployer.Status{deployer.Running, deployer.Queued}, Limit: longestPage,
	})
}

// Projects returns how every project of the configuration stands, by name.
func (d *Desk) Projects(ctx context.Context) ([]deployer.ProjectState, error) {
	active, err := d.Active(ctx, "")
	if err != nil {
		return nil, err
	}
	latest, err := d.store.Latest(ctx)
	if err != nil {
		return nil, err
	}
	locks, err := d.Locks(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]deployer.ProjectState, len(d.names))
	states := make(map[string]*deployer.ProjectState, len(d.names))
	for i, name := range d.names {
		list[i] = d.state(d.projects[name])
		states[name] = &list[i]
	}
	for _, a := range append(active, latest...) {
		if state, ok := states[a.Project]; ok {
			note(state, a)
		}
	}
	for _, l := range locks {
		if state, ok := states[l.Project]; ok {
			state.Lock = &l
		}
	}
	return list, nil
}

// Project returns how one project stands.
func (d *Desk) Project(ctx context.Context, name string) (deployer.ProjectState, error) {
	p, err := d.Configured(name)
	if err != nil {
		return deployer.ProjectState{}, err
	}
	state := d.state(p)
	active, err := d.Active(ctx, p.Name)
	if err != nil {
		return state, err
	}
	last, err := d.store.Deployments(ctx, deployer.DeploymentFilter{Project: p.Name, Statuses: Over(), Limit: 1})
	if err != nil {
		return state, err
	}
	for _, a := range append(active, last...) {
		note(&state, a)
	}
	if state.Healthy == nil {
		healthy, err := d.store.LastHealthy(ctx, p.Name, 0)
		switch {
		case err == nil:
			state.Healthy = &healthy
		case deployer.CodeOf(err) != deployer.CodeNotFound:
			return state, err
		}
	}
	state.Lock, err = d.lockOf(ctx, p.Name)
	return state, err
}

// state is what the configuration knows of a project.
func (d *Desk) state(p deployer.Project) deployer.ProjectState {
	return deployer.ProjectState{
		Name: p.Name, Repository: WithoutCredentials(p.Repository), Hook: p.Hook, Provider: d.hooks[p.Hook].Provider,
	}
}

// note enters a deployment, which is older than all before it of the same kind.
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
