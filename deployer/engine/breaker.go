package engine

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/seadog/seadog/deployer"
)

// BreakerState says whether the engine is asked at all.
type BreakerState string

const (
	BreakerClosed   BreakerState = "closed"    // calls go through
	BreakerOpen     BreakerState = "open"      // calls fail at once
	BreakerHalfOpen BreakerState = "half_open" // one caller probes the engine, the others fail at once
)

// Breaker is a snapshot of the breaker.
type Breaker struct {
	State  BreakerState
	Since  time.Time // of the state; zero if it never changed
	Opened int64     // times that it opened
}

type breaker struct {
	limit    int
	cooldown time.Duration
	timeout  time.Duration // of a call, for the message
	now      func() time.Time
	log      *slog.Logger
	observer Observer

	mu       sync.Mutex
	state    BreakerState
	since    time.Time
	opened   int64
	failures map[string]int // in a row, by call: a container whose inspect hangs must not hide behind lists that work
	retryAt  time.Time      // when an open breaker lets a probe through
	culprit  string         // the call that opened it
}

func newBreaker(c Config) *breaker {
	return &breaker{
		limit: c.Failures, cooldown: c.Cooldown, timeout: c.CallTimeout, now: c.Now, log: c.Log, observer: c.Observer,
		state: BreakerClosed, failures: map[string]int{},
	}
}

// admit lets a call through (probe false), asks the caller to probe the engine
// first (probe true; it must report with probed), or refuses it.
func (b *breaker) admit() (probe bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state == BreakerClosed {
		return false, nil
	}
	if b.state == BreakerOpen && !b.now().Before(b.retryAt) {
		b.move(BreakerHalfOpen)
		return true, nil
	}
	return false, wedged("the Docker engine is not asked: it did not answer `%s` %d times in a row, last at %s",
		b.culprit, b.failures[b.culprit], b.retryAt.Add(-b.cooldown).UTC().Format(time.RFC3339))
}

// record takes note of a call that went through.
func (b *breaker) record(ctx context.Context, a answer, op string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch a {
	case answered:
		delete(b.failures, op)
	case silent:
		b.failures[op]++
		if b.state == BreakerClosed && b.failures[op] >= b.limit {
			b.culprit = op
			b.open(ctx)
		}
	}
}

// probed ends a probe: an answer closes the breaker, silence opens it again,
// and a caller that went away leaves the probe to the next one.
func (b *breaker) probed(ctx context.Context, a answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch a {
	case answered:
		clear(b.failures)
		b.move(BreakerClosed)
		b.observer.Breaker(false)
		b.log.InfoContext(ctx, "docker engine answers again")
	case silent:
		b.failures[b.culprit]++
		b.open(ctx)
	case unknown:
		b.move(BreakerOpen)
	}
}

func (b *breaker) open(ctx context.Context) {
	if b.state == BreakerClosed {
		b.opened++
		b.observer.Breaker(true)
		b.log.ErrorContext(ctx, "docker engine does not answer", slog.String(deployer.KeyCall, b.culprit), slog.Duration(deployer.KeyLimit, b.timeout))
	}
	b.retryAt = b.now().Add(b.cooldown)
	b.move(BreakerOpen)
}

func (b *breaker) move(to BreakerState) { b.state, b.since = to, b.now() }

func (b *breaker) snapshot() Breaker {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Breaker{State: b.state, Since: b.since, Opened: b.opened}
}

// probeBreaker lists and inspects, past the breaker, and reports what came of it.
func (c *Client) probeBreaker(ctx context.Context) error {
	list, id, err := c.probeList(ctx)
	if list != answered || id == "" {
		c.breaker.probed(ctx, list)
		return errUnless(list == answered, err)
	}
	inspect, err := c.probeInspect(ctx, id)
	c.breaker.probed(ctx, inspect)
	return errUnless(inspect == answered, err)
}

// errUnless drops errors that the engine answered with: they prove that it lives.
func errUnless(ok bool, err error) error {
	if ok {
		return nil
	}
	return err
}
