// Package desk takes what people ask of the deployer: to deploy, redeploy or
// roll back a project, to cancel, to lock and unlock, and how things stand.
//
// It owns what an incomplete request means (which ref, which deployment is gone
// back to) and what a person may ask for. It refuses to know how people come to
// it: the API and the web UI decode, authenticate and answer for themselves.
//
// It starts no goroutine. All methods may be called concurrently; each makes a
// number of queries that does not depend on how many projects there are. Their
// errors are [deployer.Error].
package desk

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/seadog/seadog/deployer"
)

// Person is who asks: the name and scope of the token that was shown.
type Person struct {
	Name  string
	Scope deployer.Scope
}

// Permit returns an error that names what the person lacks.
func (p Person) Permit(need deployer.Scope) error {
	if p.Scope.Includes(need) {
		return nil
	}
	return deployer.Errorf(deployer.CodeForbidden, "this needs a token of scope %s; %s has scope %s", need, p.Name, p.Scope)
}

// Config is what a [Desk] works with.
type Config struct {
	Store    deployer.Store
	Projects []deployer.Project
	Hooks    []deployer.Hook
	Ring     func()           // wakes the runners; may be nil, must not block
	Now      func() time.Time // time.Now if nil
}

// Desk is where people ask.
type Desk struct {
	store    deployer.Store
	projects map[string]deployer.Project
	names    []string // of projects, sorted
	hooks    map[string]deployer.Hook
	ring     func()
	now      func() time.Time
}

// New returns a desk.
func New(c Config) (*Desk, error) {
	if c.Store == nil {
		return nil, errors.New("desk: no store")
	}
	d := &Desk{
		store: c.Store, ring: c.Ring, now: c.Now,
		projects: make(map[string]deployer.Project, len(c.Projects)),
		hooks:    make(map[string]deployer.Hook, len(c.Hooks)),
	}
	if d.ring == nil {
		d.ring = func() {}
	}
	if d.now == nil {
		d.now = time.Now
	}
	for _, p := range c.Projects {
		d.projects[p.Name] = p
		d.names = append(d.names, p.Name)
	}
	slices.Sort(d.names)
	for _, h := range c.Hooks {
		d.hooks[h.Name] = h
	}
	return d, nil
}

// Configured returns a project of the configuration. CodeNotFound if there is
// none of that name.
func (d *Desk) Configured(name string) (deployer.Project, error) {
	p, ok := d.projects[name]
	if !ok {
		return deployer.Project{}, deployer.Errorf(deployer.CodeNotFound, "there is no such project").
			WithHint("GET /api/v1/projects lists them")
	}
	return p, nil
}

// Names returns the names of all projects, sorted.
func (d *Desk) Names() []string { return slices.Clone(d.names) }

// Cancel asks for the end of a deployment.
func (d *Desk) Cancel(ctx context.Context, by Person, id int64) (deployer.Deployment, error) {
	return d.store.Cancel(ctx, id, by.Name)
}
