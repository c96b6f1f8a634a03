package httpd

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/seadog/seadog/deployer"
)

const longestReason = 500 // bytes

type lockList struct {
	Locks []deployer.Lock `json:"locks"`
}

// listLocks answers GET /api/v1/locks.
func (s *Server) listLocks(x *exchange) error {
	locks, err := s.locks(x.ctx)
	if err != nil {
		return err
	}
	return x.json(fiber.StatusOK, lockList{Locks: locks})
}

// lock answers PUT /api/v1/projects/{project}/lock.
func (s *Server) lock(x *exchange) error {
	p, err := s.project(x)
	if err != nil {
		return err
	}
	var r deployer.LockRequest
	if err := s.decode(x, &r); err != nil {
		return err
	}
	if !printable(r.Reason, longestReason) {
		return deployer.Errorf(deployer.CodeInvalid, "field \"reason\" must be one line of at most %d bytes", longestReason)
	}
	now := s.cfg.Now().UTC()
	l := deployer.Lock{Project: p.Name, Owner: x.token.Name, Reason: r.Reason, CreatedAt: now}
	if r.For != "" {
		d, err := time.ParseDuration(r.For)
		if err != nil || d <= 0 {
			return deployer.Errorf(deployer.CodeInvalid, "field \"for\" must be a positive duration").WithHint("for example 90m or 12h")
		}
		expires := now.Add(d)
		l.ExpiresAt = &expires
	}
	if err := s.cfg.Store.Lock(x.ctx, l); err != nil {
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
	if err := s.cfg.Store.Unlock(x.ctx, p.Name); err != nil {
		return err
	}
	s.cfg.Ring() // what waited behind the lock may run
	x.c.Status(fiber.StatusNoContent)
	return nil
}

// locks returns the locks that hold.
func (s *Server) locks(ctx context.Context) ([]deployer.Lock, error) {
	all, err := s.cfg.Store.Locks(ctx)
	if err != nil {
		return nil, err
	}
	now := s.cfg.Now()
	holding := make([]deployer.Lock, 0, len(all))
	for _, l := range all {
		if !l.Expired(now) {
			holding = append(holding, l)
		}
	}
	return holding, nil
}

// lockOf returns the lock of a project, nil if none holds.
func (s *Server) lockOf(ctx context.Context, project string) (*deployer.Lock, error) {
	locks, err := s.locks(ctx)
	if err != nil {
		return nil, err
	}
	for _, l := range locks {
		if l.Project == project {
			return &l, nil
		}
	}
	return nil, nil //nolint:nilnil // no lock is no error
}
