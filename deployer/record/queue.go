package record

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/seadog/seadog/deployer"
)

type placed struct {
	deployment deployer.Deployment
	verdict    deployer.Verdict
}

// Enqueue implements [deployer.Queue].
func (r *Records) Enqueue(ctx context.Context, o deployer.Order) (deployer.Deployment, deployer.Verdict, error) {
	if o.Project == "" {
		return deployer.Deployment{}, "", deployer.Errorf(deployer.CodeInvalid, "an order without a project")
	}
	o = cleanOrder(o)
	p, err := write(ctx, r.db, func(ctx context.Context, tx Tx) (placed, error) {
		lane, err := lane(ctx, tx, o.Project)
		if err != nil {
			return placed{}, err
		}
		p, err := place(ctx, tx, lane, o, r.Now())
		if err != nil {
			return placed{}, err
		}
		return placed{*p.Into, p.Verdict}, nil
	})
	return p.deployment, p.verdict, err
}

// Claim implements [deployer.Queue]. It looks before it asks for a transaction
// that writes: runners that find nothing must not stand in the way of deliveries.
func (r *Records) Claim(ctx context.Context, owner deployer.Owner, projects []string) (deployer.Deployment, error) {
	err := r.db.Read(ctx, func(ctx context.Context, tx Tx) error {
		statement, args := r.claimable(tx, projects)
		_, err := first(ctx, tx, statement, args)
		return err
	})
	if err != nil {
		return deployer.Deployment{}, err
	}
	return write(ctx, r.db, func(ctx context.Context, tx Tx) (deployer.Deployment, error) {
		d, err := r.eligible(ctx, tx, projects)
		if err != nil {
			return deployer.Deployment{}, err
		}
		now := r.Now()
		if d.Status, err = d.Status.To(deployer.Running); err != nil {
			return deployer.Deployment{}, illegal(err)
		}
		d.Owner, d.StartedAt, d.HeartbeatAt = &owner, &now, &now
		if err := update(ctx, tx, d); err != nil {
			return deployer.Deployment{}, err
		}
		_, err = tx.Exec(ctx, "delete from locks where project = $1 and expires_at <> 0 and expires_at <= $2", d.Project, micros(now))
		return *d, err
	})
}

// eligible returns the deployment that a claim should get. Rows that others
// have locked are passed over at first: there may be other work. If there is
// none it waits for them, because a project that is pushed to all the time
// would otherwise never be claimed.
func (r *Records) eligible(ctx context.Context, tx Tx, projects []string) (*deployer.Deployment, error) {
	statement, args := r.claimable(tx, projects)
	statement += tx.Dialect().ForUpdate
	if tx.Dialect().SkipLocked != "" {
		d, err := first(ctx, tx, statement+tx.Dialect().SkipLocked, args)
		if !errors.Is(err, deployer.ErrNothingQueued) {
			return d, err
		}
	}
	return first(ctx, tx, statement, args)
}

// claimable is the query for the deployment that has waited longest among those that may run.
func (r *Records) claimable(tx Tx, projects []string) (statement string, args []any) {
	var w where
	w.and("(d.overrides = 1 or not exists (select 1 from locks l where l.project = d.project and (l.expires_at = 0 or l.expires_at > ?)))",
		micros(r.Now()))
	if projects != nil {
		w.and("d.project "+tx.Dialect().In("?"), tx.Dialect().List(projects))
	}
	return "select " + deploymentColumns + " from deployments d" + w.String() + ` and status = 'queued'
		and not exists (select 1 from deployments r where r.project = d.project and r.status = 'running')
		order by created_at, id limit 1 `, w.args
}

// first returns the deployment that a query finds, ErrNothingQueued if it finds none.
func first(ctx context.Context, tx Tx, statement string, args []any) (*deployer.Deployment, error) {
	rows, err := tx.Query(ctx, statement, args...)
	found, err := collect(rows, err, scanDeployment)
	if err != nil {
		return nil, fmt.Errorf("find queued: %w", err)
	}
	if len(found) == 0 {
		return nil, deployer.ErrNothingQueued
	}
	return found[0], nil
}

// Heartbeat implements [deployer.Queue].
func (r *Records) Heartbeat(ctx context.Context, id int64, owner deployer.Owner) (deployer.Deployment, error) {
	return write(ctx, r.db, func(ctx context.Context, tx Tx) (deployer.Deployment, error) {
		d, err := owned(ctx, tx, id, owner)
		if err != nil {
			return deployer.Deployment{}, err
		}
		now := r.Now()
		d.HeartbeatAt = &now
		return *d, update(ctx, tx, d)
	})
}

// Report implements [deployer.Queue].
func (r *Records) Report(ctx context.Context, id int64, owner deployer.Owner, p deployer.Progress) error {
	return r.db.Write(ctx, func(ctx context.Context, tx Tx) error {
		d, err := owned(ctx, tx, id, owner)
		if err != nil {
			return err
		}
		r.progress(d, p)
		if err := update(ctx, tx, d); err != nil {
			return err
		}
		if p.Step == nil {
			return nil
		}
		_, err = tx.Exec(ctx, `insert into step_runs (deployment, step, started_at, finished_at, error) values ($1, $2, $3, $4, $5)
			on conflict (deployment, step) do update set started_at = excluded.started_at,
				finished_at = excluded.finished_at, error = excluded.error`,
			id, string(p.Step.Step), micros(p.Step.StartedAt), optional(p.Step.FinishedAt), Clean(p.Step.Error, long))
		return err
	})
}

func (r *Records) progress(d *deployer.Deployment, p deployer.Progress) {
	if p.Commit != "" {
		d.Commit = Clean(p.Commit, short)
	}
	if p.Message != "" {
		d.Message = Clean(p.Message, message)
	}
	if p.Marker != "" {
		d.Marker = Clean(p.Marker, short)
	}
	if p.Step != nil {
		if d.Step != p.Step.Step || p.Step.FinishedAt != nil {
			d.StalledSince = nil // it was the other step that was silent
		}
		d.Step = p.Step.Step
	}
	switch {
	case p.Stalled == nil:
	case !*p.Stalled:
		d.StalledSince = nil
	case d.StalledSince == nil:
		now := r.Now()
		d.StalledSince = &now
	}
}

// Finish implements [deployer.Queue].
func (r *Records) Finish(ctx context.Context, id int64, owner deployer.Owner, res deployer.Result) (deployer.Deployment, error) {
	return write(ctx, r.db, func(ctx context.Context, tx Tx) (deployer.Deployment, error) {
		d, err := owned(ctx, tx, id, owner)
		if err != nil {
			return deployer.Deployment{}, err
		}
		return *d, r.end(ctx, tx, d, res)
	})
}

// end moves d to its end and closes its open step.
func (r *Records) end(ctx context.Context, tx Tx, d *deployer.Deployment, res deployer.Result) error {
	status, err := d.Status.To(res.Status)
	if err != nil {
		return illegal(err)
	}
	tx.Ring() // what waits behind d may start
	now := r.Now()
	d.Status, d.Outcome, d.Cause, d.Reason = status, res.Outcome, res.Cause, Clean(res.Reason, long)
	d.FinishedAt, d.StalledSince = &now, nil
	if len(res.Images) > 0 {
		d.Images = make([]deployer.Image, len(res.Images))
		for i, m := range res.Images {
			d.Images[i] = deployer.Image{Service: Clean(m.Service, short), ID: Clean(m.ID, short), Tag: Clean(m.Tag, message)}
		}
	}
	if err := update(ctx, tx, d); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "update step_runs set finished_at = $1, error = $2 where deployment = $3 and finished_at = 0",
		micros(now), d.Reason, d.ID); err != nil {
		return fmt.Errorf("close step: %w", err)
	}
	return add(ctx, tx, Count{Kind: countDeployments, A: string(d.Status)}, 1)
}

// Cancel implements [deployer.Queue].
func (r *Records) Cancel(ctx context.Context, id int64, by string) (deployer.Deployment, error) {
	by = Clean(strings.TrimSpace(by), short)
	return write(ctx, r.db, func(ctx context.Context, tx Tx) (deployer.Deployment, error) {
		d, err := load(ctx, tx, id)
		if err != nil {
			return deployer.Deployment{}, err
		}
		if d.Status.Final() {
			return *d, deployer.Errorf(deployer.CodeConflict, "deployment %d is over: %s", id, d.Status)
		}
		if d.CancelBy == "" {
			d.CancelBy = by
		}
		if d.Status == deployer.Running {
			return *d, update(ctx, tx, d)
		}
		return *d, r.end(ctx, tx, d, deployer.Result{
			Status: deployer.Canceled, Outcome: deployer.OutcomeUntouched, Cause: deployer.CauseCanceled,
			Reason: fmt.Sprintf("canceled by %s before it started", d.CancelBy),
		})
	})
}

// Abandoned implements [deployer.Queue].
func (r *Records) Abandoned(ctx context.Context) ([]deployer.Deployment, error) {
	return read(ctx, r.db, func(ctx context.Context, tx Tx) ([]deployer.Deployment, error) {
		rows, err := tx.Query(ctx, "select "+deploymentColumns+" from deployments where status = 'running' order by heartbeat_at, id")
		return values(collect(rows, err, scanDeployment))
	})
}

type reaped struct {
	ended deployer.Deployment
	ok    bool
}

// Reap implements [deployer.Queue].
func (r *Records) Reap(ctx context.Context, seen deployer.Deployment, res deployer.Result) (deployer.Deployment, bool, error) {
	out, err := write(ctx, r.db, func(ctx context.Context, tx Tx) (reaped, error) {
		project := Clean(seen.Project, short)
		lane, err := lane(ctx, tx, project)
		if err != nil {
			return reaped{}, err
		}
		d, err := load(ctx, tx, seen.ID)
		if err != nil {
			return reaped{}, err
		}
		if d.Status != deployer.Running || !sameOwner(d.Owner, seen.Owner) || optional(d.HeartbeatAt) > optional(seen.HeartbeatAt) {
			return reaped{ended: *d}, nil
		}
		if err := r.end(ctx, tx, d, res); err != nil {
			return reaped{}, err
		}
		if d.Project != project {
			return reaped{}, deployer.Errorf(deployer.CodeInvalid, "deployment %d is of another project", d.ID)
		}
		lane.Running = nil
		if d.Attempt == 1 && d.CancelBy == "" && d.Status == deployer.Interrupted && lane.Pending == nil {
			_, err = place(ctx, tx, lane, again(d), r.Now())
		}
		return reaped{*d, true}, err
	})
	return out.ended, out.ok, err
}

func sameOwner(a, b *deployer.Owner) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// again is the order for the second attempt of d. That of a rollback is a
// rollback to the same deployment: runner and lane must both know that it runs
// the images of then, which matters more than what it repeats.
func again(d *deployer.Deployment) deployer.Order {
	o := deployer.Order{
		Project: d.Project, Trigger: deployer.TriggerRetry, Ref: d.Ref, Commit: d.Commit, Before: d.Before, Message: d.Message,
		By: d.By, Attempt: d.Attempt + 1, Origin: d.ID, Override: d.Override,
	}
	if d.Trigger == deployer.TriggerRollback {
		o.Trigger, o.Origin = deployer.TriggerRollback, d.Origin
	}
	return o
}

// values turns loaded deployments into what the contract returns.
func values(all []*deployer.Deployment, err error) ([]deployer.Deployment, error) {
	if err != nil {
		return nil, err
	}
	out := make([]deployer.Deployment, len(all))
	for i, d := range all {
		out[i] = *d
	}
	return out, nil
}
