package httpd

import (
	"github.com/gofiber/fiber/v2"

	"github.com/seadog/seadog/deployer"
)

// deploy answers POST /api/v1/projects/{project}/deploy.
func (s *Server) deploy(x *exchange) error {
	var r deployer.DeployRequest
	project, err := s.asked(x, &r)
	if err != nil {
		return err
	}
	placed, err := s.desk.Deploy(x.ctx, x.token.Person(), project, r)
	return x.accepted(placed, err)
}

// redeploy answers POST /api/v1/projects/{project}/redeploy.
func (s *Server) redeploy(x *exchange) error {
	var r deployer.RepeatRequest
	project, err := s.asked(x, &r)
	if err != nil {
		return err
	}
	placed, err := s.desk.Redeploy(x.ctx, x.token.Person(), project, r)
	return x.accepted(placed, err)
}

// rollback answers POST /api/v1/projects/{project}/rollback.
func (s *Server) rollback(x *exchange) error {
	var r deployer.RepeatRequest
	project, err := s.asked(x, &r)
	if err != nil {
		return err
	}
	placed, err := s.desk.Rollback(x.ctx, x.token.Person(), project, r)
	return x.accepted(placed, err)
}

// asked reads what all three have in common: the name of the project and the body.
func (s *Server) asked(x *exchange, r any) (project string, err error) {
	p, err := s.project(x)
	if err != nil {
		return "", err
	}
	return p.Name, s.decode(x, r)
}

// accepted answers with what became of a request for a deployment.
func (x *exchange) accepted(p deployer.Placed, err error) error {
	if err != nil {
		return err
	}
	x.deployment = p.Deployment.ID
	return x.json(fiber.StatusAccepted, p)
}
