package httpd

import (
	"github.com/gofiber/fiber/v2"

	"github.com/seadog/seadog/deployer"
)

// status answers GET /api/v1/status.
func (s *Server) status(x *exchange) error {
	o, err := s.desk.Overview(x.ctx)
	if err != nil {
		return err
	}
	o.Version = s.cfg.Version
	return x.json(fiber.StatusOK, o)
}

type projectList struct {
	Projects []deployer.ProjectState `json:"projects"`
}

// listProjects answers GET /api/v1/projects.
func (s *Server) listProjects(x *exchange) error {
	projects, err := s.desk.Projects(x.ctx)
	if err != nil {
		return err
	}
	return x.json(fiber.StatusOK, projectList{Projects: projects})
}

// showProject answers GET /api/v1/projects/{project}.
func (s *Server) showProject(x *exchange) error {
	p, err := s.project(x)
	if err != nil {
		return err
	}
	state, err := s.desk.Project(x.ctx, p.Name)
	if err != nil {
		return err
	}
	return x.json(fiber.StatusOK, state)
}
