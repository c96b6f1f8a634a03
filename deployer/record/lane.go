package record

import (
	"context"
	"fmt"
	"time"

	"github.com/seadog/seadog/deployer"
)

// Lanes owns the given projects (sorted, unique) and returns their lanes.
func Lanes(ctx context.Context, tx Tx, projects []string) (map[string]*deployer.Lane, error) {
	lanes := make(map[string]*deployer.Lane, len(projects))
	if len(projects) == 0 {
		return lanes, nil
	}
	if err := tx.Own(ctx, projects); err != nil {
		return nil, fmt.Errorf("own projects: %w", err)
	}
	for _, p := range projects {
		lanes[p] = &deployer.Lane{}
	}
	in, list := tx.Dialect().In("$1"), tx.Dialect().List(projects)
	// One statement finds running and waiting ones, so that a claim which moves
	// a deployment from one to the other meanwhile cannot hide it from both.
	rows, err := tx.Query(ctx, "select "+deploymentColumns+" from deployments where status in ('queued', 'running') and project "+
		in+" order by id "+tx.Dialect().ForUpdate, list)
	active, err := collect(rows, err, scanDeployment)
	if err != nil {
		return nil, fmt.Errorf("load lanes: %w", err)
	}
	for _, d := range active {
		if d.Status == deployer.Running {
			lanes[d.Project].Running = d
		} else {
			lanes[d.Project].Pending = d
		}
	}
	rows, err = tx.Query(ctx, "select "+lockColumns+" from locks where project "+in, list)
	locks, err := collect(rows, err, scanLock)
	if err != nil {
		return nil, fmt.Errorf("load locks: %w", err)
	}
	for i := range locks {
		lanes[locks[i].Project].Lock = &locks[i]
	}
	return lanes, nil
}

// place lets the lane of the order's project decide and writes the outcome.
func place(ctx context.Context, tx Tx, lane *deployer.Lane, o deployer.Order, now time.Time) (deployer.Placement, error) {
	p := lane.Place(o, now)
	if p.New {
		id, _, err := number(ctx, tx, tx.Dialect().NextDeployment)
		if err != nil {
			return p, fmt.Errorf("next deployment id: %w", err)
		}
		p.Into.ID = id
	}
	if s := p.Superseded; s != nil { // first, since only one may wait
		supersede(s, p.Into)
		if err := update(ctx, tx, s); err != nil {
			return p, err
		}
		if err := add(ctx, tx, Count{Kind: countDeployments, A: string(deployer.Superseded)}, 1); err != nil {
			return p, err
		}
	}
	if !p.New {
		if p.Verdict == deployer.VerdictCoalesced {
			return p, update(ctx, tx, p.Into)
		}
		return p, nil
	}
	if _, err := tx.Exec(ctx, InsertDeployment, InsertArgs(p.Into)...); err != nil {
		return p, fmt.Errorf("insert deployment: %w", err)
	}
	tx.Ring()
	return p, nil
}

// supersede completes what the lane began: the lane does not know ids.
func supersede(old, by *deployer.Deployment) {
	old.SupersededBy = by.ID
	old.Outcome = deployer.OutcomeUntouched
	old.Reason = fmt.Sprintf("deployment %d took its place before it started", by.ID)
}

// cleanOrder returns o as it is stored.
func cleanOrder(o deployer.Order) deployer.Order {
	o.Project = Clean(o.Project, short)
	o.Trigger = deployer.Trigger(Clean(string(o.Trigger), short))
	o.Ref = Clean(o.Ref, message)
	o.Commit = Clean(o.Commit, short)
	o.Before = Clean(o.Before, short)
	o.Message = Clean(o.Message, message)
	o.By = Clean(o.By, short)
	return o
}
