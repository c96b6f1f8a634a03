package health

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seadog/seadog/deployer"
)

const (
	interval = 500 * time.Millisecond
	// patience is how many snapshots in a row may fail before the gate gives up
	// on the engine. One that is restarted for an upgrade is away for longer than one snapshot.
	patience = 3
)

// Observer takes a snapshot of a Compose project's containers, those that have exited included.
type Observer interface {
	Services(ctx context.Context, project string) ([]Observation, error)
}

// Gate waits until a Compose project is healthy, or certainly not. Its fields
// must not change while Run is under way; a Gate is used once.
type Gate struct {
	Project  string // Compose project
	Want     []Expect
	Policy   deployer.HealthPolicy
	Observer Observer
	Interval time.Duration // between snapshots; 500 ms if 0
	// Changed receives every finding that differs from the one before, for the log. May be nil.
	Changed func(Finding)

	track  track
	prober prober
	last   map[string]Finding
}

// Run takes snapshots until all services and probes passed or one failed, or
// ctx ends. What was still waiting at the end of ctx has failed, and the
// reasons say so. The error is nil unless the gate could not look: three
// snapshots in a row failed, there was none in the time of three when ctx ran
// out, or ctx was canceled rather than out of time.
func (g *Gate) Run(ctx context.Context) (Verdict, error) {
	every := g.Interval
	if every <= 0 {
		every = interval
	}
	g.last = map[string]Finding{}
	g.prober = newProber(g.Policy.Probes)
	defer g.prober.close()
	tick := time.NewTicker(every)
	defer tick.Stop()
	v, failures := Verdict{Outcome: Waiting}, 0
	var err error
	for seen := time.Now(); ; {
		var next Verdict
		next, err = g.look(ctx)
		switch {
		case err == nil:
			failures, v, seen = 0, next, time.Now()
			g.tell(v)
			if v.Outcome != Waiting {
				return v, nil
			}
		case ctx.Err() == nil:
			if failures++; failures >= patience {
				return v, fmt.Errorf("observe %s: %w", g.Project, err)
			}
		}
		select {
		case <-ctx.Done():
			// What was seen last says nothing if the engine has hung since.
			if err != nil && time.Since(seen) > patience*every {
				return v, fmt.Errorf("observe %s: %w", g.Project, err)
			}
			return g.ended(ctx, v)
		case <-tick.C:
		}
	}
}

// look takes and judges one snapshot. Probes are only asked once all services
// passed: before that they would speak to what ran before.
func (g *Gate) look(ctx context.Context) (Verdict, error) {
	seen, err := g.Observer.Services(ctx, g.Project)
	if err != nil {
		return Verdict{}, err
	}
	now := time.Now()
	v := Judge(g.Want, g.track.add(seen, now), now, g.Policy)
	if v.Outcome != Passed {
		return v, nil
	}
	for _, f := range g.prober.ask(ctx) {
		v.Findings = append(v.Findings, f)
		v.Outcome = worse(v.Outcome, f.Outcome)
	}
	return v, nil
}

// ended turns what was still waiting into failures once the time is over.
func (g *Gate) ended(ctx context.Context, v Verdict) (Verdict, error) {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return v, fmt.Errorf("health gate: %w", context.Cause(ctx))
	}
	v.Outcome = Failed
	if len(v.Findings) == 0 {
		v.Findings = []Finding{{Service: g.Project, Outcome: Failed, Reason: "the engine showed no container in time"}}
	}
	for i, f := range v.Findings {
		if f.Outcome == Waiting {
			v.Findings[i].Outcome = Failed
			v.Findings[i].Reason = "not healthy in time: " + f.Reason
		}
	}
	g.tell(v)
	return v, nil
}

func (g *Gate) tell(v Verdict) {
	if g.Changed == nil {
		return
	}
	for _, f := range v.Findings {
		if g.last[f.Service] != f {
			g.last[f.Service] = f
			g.Changed(f)
		}
	}
}
