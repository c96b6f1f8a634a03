package httpd

import (
	"math"

	"github.com/gofiber/fiber/v2"

	"github.com/seadog/seadog/deployer"
)

type deploymentList struct {
	Deployments []deployer.Deployment `json:"deployments"`
	Next        int64                 `json:"next"` // "before" of the next page; 0: this was the last
}

// listDeployments answers GET /api/v1/deployments.
func (s *Server) listDeployments(x *exchange) error {
	q := query{x: x}
	f := deployer.DeploymentFilter{
		Project:  q.project("project"),
		Statuses: oneOf(&q, "status", deployer.Statuses()),
		Before:   q.number("before", 0, math.MaxInt64),
		Limit:    q.limit(),
	}
	if q.err != nil {
		return q.err
	}
	deployments, err := s.cfg.Store.Deployments(x.ctx, f)
	if err != nil {
		return err
	}
	list := deploymentList{Deployments: orEmpty(deployments)}
	if len(deployments) == f.Limit {
		list.Next = deployments[len(deployments)-1].ID
	}
	return x.json(fiber.StatusOK, list)
}

// showDeployment answers GET /api/v1/deployments/{id}.
func (s *Server) showDeployment(x *exchange) error {
	id, err := x.pathID()
	if err != nil {
		return err
	}
	d, err := s.cfg.Store.Deployment(x.ctx, id)
	if err != nil {
		return err
	}
	return x.json(fiber.StatusOK, d)
}

// cancel answers POST /api/v1/deployments/{id}/cancel. The body is not looked at.
func (s *Server) cancel(x *exchange) error {
	id, err := x.pathID()
	if err != nil {
		return err
	}
	d, err := s.desk.Cancel(x.ctx, x.token.Person(), id)
	if err != nil {
		return err
	}
	return x.json(fiber.StatusAccepted, d)
}

// orEmpty makes an empty list "[]" and not "null".
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
