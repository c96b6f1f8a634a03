package metrics

import (
	"context"
	"sync"
	"time"
)

// patience is how long a sample may take before what is shown instead is said
// to be old.
const patience = time.Second

// sampler takes samples for scrapes that must not wait for them.
type sampler struct {
	maxAge, wait time.Duration
	take         func() usage
	asks         chan struct{} // a scrape wants a new sample; one is enough

	mu    sync.Mutex
	last  usage
	taken time.Time     // zero: never
	asked time.Time     // since when a new sample is waited for; zero: it is not
	fresh chan struct{} // closed when it is there
}

func newSampler(maxAge, wait time.Duration, take func() usage) *sampler {
	return &sampler{maxAge: maxAge, wait: wait, take: take, asks: make(chan struct{}, 1), fresh: make(chan struct{})}
}

// run takes samples until ctx ends. One that hangs then is left behind: nothing
// that the kernel does can be interrupted.
func (s *sampler) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.asks:
		}
		taken := make(chan usage, 1)
		go func() { taken <- s.take() }() // ends with take
		select {
		case <-ctx.Done():
			return nil
		case u := <-taken:
			s.put(u)
		}
	}
}

func (s *sampler) put(u usage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last, s.taken, s.asked = u, time.Now(), time.Time{}
	select {
	case <-s.asks: // whoever asked meanwhile gets this one
	default:
	}
	close(s.fresh)
	s.fresh = make(chan struct{})
}

// latest returns the newest sample, for which it waits a moment if that is old,
// and false if there is none or the next one takes too long.
func (s *sampler) latest() (usage, bool) {
	last, fresh := s.ask()
	if fresh == nil {
		return last, true
	}
	timer := time.NewTimer(s.wait)
	defer timer.Stop()
	select {
	case <-fresh:
	case <-timer.C:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last, !s.taken.IsZero() && (s.asked.IsZero() || time.Since(s.asked) < patience)
}

// ask wants a new sample unless the last one is young. It returns the last one,
// or what is closed when there is another.
func (s *sampler) ask() (usage, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.taken.IsZero() && time.Since(s.taken) < s.maxAge {
		return s.last, nil
	}
	if s.asked.IsZero() {
		s.asked = time.Now()
	}
	select {
	case s.asks <- struct{}{}:
	default: // somebody asked already
	}
	return nil, s.fresh
}
