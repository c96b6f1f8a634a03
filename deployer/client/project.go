package client

import (
	"context"
	"net/http"

	"github.com/seadog/seadog/deployer"
)

// Ready returns nil if the service is up and can write to its store.
func (c *Client) Ready(ctx context.Context) error {
	_, err := c.read(ctx, get("/readyz", nil))
	return err
}

// Overview returns what runs, what waits and what ended last.
func (c *Client) Overview(ctx context.Context) (deployer.Overview, error) {
	return call[deployer.Overview](ctx, c, get("/api/v1/status", nil))
}

// ProjectList is the body of GET /api/v1/projects.
type ProjectList struct {
	Projects []deployer.ProjectState `json:"projects"`
}

// Projects returns the state of every project.
func (c *Client) Projects(ctx context.Context) (ProjectList, error) {
	return call[ProjectList](ctx, c, get("/api/v1/projects", nil))
}

// Project returns the state of one project.
func (c *Client) Project(ctx context.Context, project string) (deployer.ProjectState, error) {
	path, err := projectPath(project, "")
	if err != nil {
		return deployer.ProjectState{}, err
	}
	return call[deployer.ProjectState](ctx, c, get(path, nil))
}

// Deploy asks for a deployment of a ref or commit.
func (c *Client) Deploy(ctx context.Context, project string, r deployer.DeployRequest) (deployer.Placed, error) {
	return c.place(ctx, project, "/deploy", r)
}

// Redeploy asks for an earlier deployment again.
func (c *Client) Redeploy(ctx context.Context, project string, r deployer.RepeatRequest) (deployer.Placed, error) {
	return c.place(ctx, project, "/redeploy", r)
}

// Rollback asks for the way back to an earlier healthy deployment.
func (c *Client) Rollback(ctx context.Context, project string, r deployer.RepeatRequest) (deployer.Placed, error) {
	return c.place(ctx, project, "/rollback", r)
}

func (c *Client) place(ctx context.Context, project, action string, body any) (deployer.Placed, error) {
	path, err := projectPath(project, action)
	if err != nil {
		return deployer.Placed{}, err
	}
	return call[deployer.Placed](ctx, c, post(path, body))
}

// Lock keeps a project from being deployed.
func (c *Client) Lock(ctx context.Context, project string, r deployer.LockRequest) (deployer.Lock, error) {
	path, err := projectPath(project, "/lock")
	if err != nil {
		return deployer.Lock{}, err
	}
	return call[deployer.Lock](ctx, c, request{method: http.MethodPut, path: path, body: r})
}

// Unlock releases a project's lock; CodeNotFound if it has none.
func (c *Client) Unlock(ctx context.Context, project string) error {
	path, err := projectPath(project, "/lock")
	if err != nil {
		return err
	}
	_, err = c.read(ctx, request{method: http.MethodDelete, path: path})
	return err
}

// LockList is the body of GET /api/v1/locks.
type LockList struct {
	Locks []deployer.Lock `json:"locks"`
}

// Locks returns every lock that holds.
func (c *Client) Locks(ctx context.Context) (LockList, error) {
	return call[LockList](ctx, c, get("/api/v1/locks", nil))
}

// projectPath never lets a name out of its path segment.
func projectPath(project, action string) (string, error) {
	if !deployer.ValidName(project) {
		return "", deployer.Errorf(deployer.CodeInvalid, "%q cannot be the name of a project", project).
			WithHint("lower-case letters, digits, '-' and '_'; `seadog projects` lists them")
	}
	return "/api/v1/projects/" + project + action, nil
}
