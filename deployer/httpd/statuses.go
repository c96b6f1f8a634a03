package httpd

import (
	"context"
	"sync"
	"time"

	"github.com/seadog/seadog/deployer"
)

// statuses lets everybody who follows the same deployment share one look at
// it per Limits.Poll. It has no goroutine: the first follower who finds what
// is known too old asks, the others wait for him.
type statuses struct {
	store  deployer.Store
	limits Limits

	mu      sync.Mutex
	watched map[int64]*watched
}

// watched is one deployment that is followed.
type watched struct {
	followers int // guarded by statuses.mu

	mu    sync.Mutex // held while the store is asked
	last  deployer.Deployment
	asked time.Time
}

func newStatuses(store deployer.Store, l Limits) *statuses {
	return &statuses{store: store, limits: l, watched: make(map[int64]*watched)}
}

// enter announces a follower of d; leave must follow.
func (s *statuses) enter(d deployer.Deployment) *watched {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.watched[d.ID]
	if w == nil {
		w = &watched{last: d}
		s.watched[d.ID] = w
	}
	w.followers++
	return w
}

func (s *statuses) leave(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.watched[id]
	if w.followers--; w.followers == 0 {
		delete(s.watched, id)
	}
}

// look returns the deployment as it was at most Limits.Poll ago, or, while the
// store does not answer, as it was last seen.
func (s *statuses) look(ctx context.Context, w *watched) deployer.Deployment {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.asked) < s.limits.Poll {
		return w.last
	}
	ctx, cancel := context.WithTimeout(ctx, s.limits.CallTimeout)
	defer cancel()
	d, err := s.store.Deployment(ctx, w.last.ID)
	w.asked = time.Now()
	if err == nil {
		w.last = d
	}
	return w.last
}
