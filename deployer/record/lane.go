package record

import (
	"context"
	"fmt"
	"time"

	"github.com/seadog/seadog/deployer"
)

// laneColumns are what a lane decides by, and what a decision changes.
const laneColumns = "id, project, triggered, ref, status, commit_sha, before_sha, message, actor, coalesced, cancel_by"

func scanLane(rows Rows) (*deployer.Deployment, error) {
	var d deployer.Deployment
	err := rows.Scan(&d.ID, &d.Project, &d.Trigger, &d.Ref, &d.Status, &d.Commit, &d.Before, &d.Message, &d.By, &d.Coalesced, &d.CancelBy)
	if err != nil {
		return nil, fmt.Errorf("scan deployment: %w", err)
	}
	return &d, nil
}

// Lanes owns the given projects (sorted, unique) and returns their lanes, for a
// [Round]: of a deployment only what that needs.
func Lanes(ctx context.Context, tx Tx, projects []string) (map[string]*deployer.Lane, error) {
	return lanes(ctx, tx, projects, laneColumns, scanLane)
}

// lane owns a project and returns its lane, with all that is known of its deployments.
func lane(ctx context.Context, tx Tx, project string) (*deployer.Lane, error) {
	all, err := lanes(ctx, tx, []string{project}, deploymentColumns, scanDeployment)
	return all[project], err
}

func lanes(
	ctx context.Context, tx Tx, projects []string, columns string, scan func(Rows) (*deployer.Deployment, error),
) (map[string]*deployer.Lane, error) {
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
	in, list := few(tx.Dialect(), projects)
	// One statement finds running and waiting ones, so that a claim which moves
	// a deployment from one to the other meanwhile cannot hide it from both.
	query := "select " + columns + " from deployments where status in ('queued', 'running') and project " + in
	if lock := tx.Dialect().ForUpdate; lock != "" {
		query += " order by id " + lock
	}
	rows, err := tx.Query(ctx, query, list...)
	active, err := collect(rows, err, scan)
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
	rows, err = tx.Query(ctx, "select "+lockColumns+" from locks where project "+in, list...)
	locks, err := collect(rows, err, scanLock)
	if err != nil {
		return nil, fmt.Errorf("load locks: %w", err)
	}
	for i := range locks {
		lanes[locks[i].Project].Lock = &locks[i]
	}
	return lanes, nil
}

// few is the right side of "project = …" for a list, and the arguments from $1 on.
func few(d Dialect, values []string) (in string, args []any) {
	if d.Few != nil {
		return d.Few(values)
	}
	return d.In("$1"), []any{d.List(values)}
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
