package record

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/seadog/seadog/deployer"
)

// Deployment implements [deployer.Reader].
func (r *Records) Deployment(ctx context.Context, id int64) (deployer.Deployment, error) {
	return read(ctx, r.db, func(ctx context.Context, tx Tx) (deployer.Deployment, error) {
		rows, err := tx.Query(ctx, "select "+deploymentColumns+" from deployments where id = $1", id)
		found, err := collect(rows, err, scanDeployment)
		if err == nil && len(found) == 0 {
			err = notFound("deployment", id)
		}
		if err != nil {
			return deployer.Deployment{}, err
		}
		d := *found[0]
		rows, err = tx.Query(ctx, "select step, started_at, finished_at, error from step_runs where deployment = $1", id)
		if d.Steps, err = collect(rows, err, scanStep); err != nil {
			return d, err
		}
		order := deployer.Steps()
		slices.SortFunc(d.Steps, func(a, b deployer.StepRun) int {
			return cmp.Or(a.StartedAt.Compare(b.StartedAt), cmp.Compare(slices.Index(order, a.Step), slices.Index(order, b.Step)))
		})
		return d, nil
	})
}

func scanStep(rows Rows) (s deployer.StepRun, err error) {
	var begun, finished int64
	if err := rows.Scan(&s.Step, &begun, &finished, &s.Error); err != nil {
		return s, fmt.Errorf("scan step: %w", err)
	}
	s.StartedAt, s.FinishedAt = stamp(begun), maybe(finished)
	return s, nil
}

// Deployments implements [deployer.Reader].
func (r *Records) Deployments(ctx context.Context, f deployer.DeploymentFilter) ([]deployer.Deployment, error) {
	return read(ctx, r.db, func(ctx context.Context, tx Tx) ([]deployer.Deployment, error) {
		var w where
		if f.Project != "" {
			w.and("project = ?", Clean(f.Project, short))
		}
		if len(f.Statuses) > 0 {
			names, active := make([]string, len(f.Statuses)), true
			for i, s := range f.Statuses {
				names[i] = string(s)
				active = active && !s.Final()
			}
			w.and("status "+tx.Dialect().In("?"), tx.Dialect().List(names))
			if active { // there are few of these, and an index of exactly them
				w.conditions = append(w.conditions, "id in (select id from deployments where status in ('queued', 'running'))")
			}
		}
		if f.Before != 0 {
			w.and("id < ?", f.Before)
		}
		rows, err := tx.Query(ctx, "select "+deploymentColumns+" from deployments"+w.String()+
			" order by id desc limit "+w.arg(limit(f.Limit)), w.args...)
		return values(collect(rows, err, scanDeployment))
	})
}

// LastHealthy implements [deployer.Reader].
func (r *Records) LastHealthy(ctx context.Context, project string, before int64) (deployer.Deployment, error) {
	return read(ctx, r.db, func(ctx context.Context, tx Tx) (deployer.Deployment, error) {
		var w where
		w.and("project = ?", Clean(project, short))
		if before != 0 {
			w.and("id < ?", before)
		}
		rows, err := tx.Query(ctx, "select "+deploymentColumns+" from deployments"+w.String()+
			" and status = 'succeeded' order by id desc limit 1", w.args...)
		found, err := collect(rows, err, scanDeployment)
		if err == nil && len(found) == 0 {
			err = notFound("healthy deployment of project", project)
		}
		if err != nil {
			return deployer.Deployment{}, err
		}
		return *found[0], nil
	})
}

// Latest implements [deployer.Reader]. An index finds each of them in one step,
// however many deployments there are in between.
func (r *Records) Latest(ctx context.Context) ([]deployer.Deployment, error) {
	newest := func(condition string) string {
		return "select (select d.id from deployments d where d.project = p.project and " + condition +
			" order by d.id desc limit 1) from (select distinct project from deployments) p"
	}
	statement := "select " + deploymentColumns + " from deployments where id in (" +
		newest("d.status not in ('queued', 'running')") + " union " + newest("d.status = 'succeeded'") + ") order by id desc"
	return read(ctx, r.db, func(ctx context.Context, tx Tx) ([]deployer.Deployment, error) {
		rows, err := tx.Query(ctx, statement)
		return values(collect(rows, err, scanDeployment))
	})
}
