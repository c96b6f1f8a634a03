package httpd

import (
	"github.com/gofiber/fiber/v2"

	"github.com/seadog/seadog/deployer"
)

type lockList struct {
	Locks []deployer.Lock `json:"locks"`
}

// listLocks answers GET /api/v1/locks.
func (s *Server) listLocks(x *exchange) error {
	locks, err := s.desk.Locks(x.ctx)
	if err != nil {
		return err
	}
	return x.json(fiber.StatusOK, lockList{Locks: locks})
}

// lock answers PUT /api/v1/projects/{project}/lock.
func (s *Server) lock(x *exchange) error {
	var r deployer.LockRequest
	project, err := s.asked(x, &r)
	if err != nil {
		return err
	}
	l, err := s.desk.Lock(x.ctx, x.token.Person(), project, r)
	if err != nil {
		return err
	}
	return x.json(fiber.StatusOK, l)
}

// unlock answers DELETE /api/v1/projects/{project}/lock.
func (s *Server) unlock(x *exchange) error {
	p, err := s.project(x)
	if err != nil {
		return err
	}
	if err := s.desk.Unlock(x.ctx, p.Name); err != nil {
		return err
	}
	x.c.Status(fiber.StatusNoContent)
	return nil
}
