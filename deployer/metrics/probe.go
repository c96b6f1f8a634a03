package metrics

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Readiness is the body of /readyz.
type Readiness struct {
	Ready  bool      `json:"ready"`
	Checks []Finding `json:"checks"`
}

// Finding is the outcome of one check.
type Finding struct {
	Name     string  `json:"name"`
	OK       bool    `json:"ok"`
	Advisory bool    `json:"advisory,omitempty"`
	Error    string  `json:"error,omitempty"`
	Seconds  float64 `json:"seconds"`
}

// probes runs checks so that none can hold up an answer, and so that one that
// hangs exists once, not once per question.
type probes struct {
	checks []*probe
	wg     sync.WaitGroup
}

type probe struct {
	Check
	mu      sync.Mutex
	current *attempt // nil: not running
}

// attempt is one run of a check. err may be read when done is closed.
type attempt struct {
	started time.Time
	done    chan struct{}
	err     error
}

func newProbes(checks []Check) *probes {
	p := &probes{}
	for _, c := range checks {
		p.checks = append(p.checks, &probe{Check: c})
	}
	return p
}

// ask runs all checks at once and waits for them until the deadline.
func (p *probes) ask(ctx context.Context, deadline time.Duration) Readiness {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	attempts := make([]*attempt, len(p.checks))
	for i, c := range p.checks {
		attempts[i] = p.start(ctx, c, deadline)
	}
	r := Readiness{Ready: true, Checks: make([]Finding, len(p.checks))}
	for i, c := range p.checks {
		f := attempts[i].finding(ctx)
		f.Name, f.Advisory = c.Name, c.Advisory
		r.Ready = r.Ready && (f.OK || f.Advisory)
		r.Checks[i] = f
	}
	return r
}

// start begins an attempt, or returns the one that is under way.
func (p *probes) start(ctx context.Context, c *probe, deadline time.Duration) *attempt {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current != nil {
		return c.current
	}
	a := &attempt{started: time.Now(), done: make(chan struct{})}
	c.current = a
	// The attempt may outlive the question that started it, so that the next
	// one finds it, but it is told to end at the same deadline.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deadline)
	p.wg.Go(func() {
		defer cancel()
		a.err = c.Probe(ctx)
		c.mu.Lock()
		c.current = nil
		c.mu.Unlock()
		close(a.done)
	})
	return a
}

// finding waits for the attempt until ctx ends.
func (a *attempt) finding(ctx context.Context) Finding {
	select {
	case <-a.done:
	case <-ctx.Done():
	}
	age := time.Since(a.started)
	f := Finding{Seconds: age.Seconds()}
	select {
	case <-a.done:
		f.OK = a.err == nil
		if a.err != nil {
			f.Error = a.err.Error()
		}
	default:
		f.Error = fmt.Sprintf("no answer for %s", age.Round(time.Millisecond))
	}
	return f
}

func (p *probes) wait() { p.wg.Wait() }
