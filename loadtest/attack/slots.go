package attack

import (
	"slices"
	"sync"
	"time"
)

// slots are the requests that may be in flight at once, of all traffic. Who
// waits gets one in the order in which he came, together with the time at which
// it became free: what passes until he notices is not the target's fault.
type slots struct {
	mu      sync.Mutex
	free    int
	waiting []chan time.Duration
}

func newSlots(n int) *slots { return &slots{free: n} }

// take takes a slot if one is free. Otherwise grant is sent the time when one
// has become free, which the caller has then.
func (s *slots) take(grant chan time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.free > 0 {
		s.free--
		return true
	}
	s.waiting = append(s.waiting, grant)
	return false
}

// withdraw ends waiting. It returns false if a slot has been granted already.
func (s *slots) withdraw(grant chan time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.waiting, grant)
	if i < 0 {
		return false
	}
	s.waiting = slices.Delete(s.waiting, i, i+1)
	return true
}

// release gives back a slot that became free at that time.
func (s *slots) release(at time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		s.free++
		return
	}
	s.waiting[0] <- at // it has room for one
	s.waiting = slices.Delete(s.waiting, 0, 1)
}
