package record

import (
	"context"
	"fmt"

	"github.com/seadog/seadog/deployer"
)

// pruneStep bounds one transaction of Prune, so that it holds nobody up.
const pruneStep = 500

// Prune implements [deployer.Store]. If it fails half-way it returns the ids
// that are gone together with the error.
func (r *Records) Prune(ctx context.Context, keep deployer.Retention) ([]int64, error) {
	if keep.Deliveries > 0 {
		if err := r.pruneDeliveries(ctx, micros(r.Now().Add(-keep.Deliveries))); err != nil {
			return nil, err
		}
	}
	gone := []int64{}
	for keep.Deployments > 0 {
		step, err := r.pruneDeployments(ctx, int64(keep.Deployments))
		gone = append(gone, step...)
		if err != nil || len(step) < pruneStep {
			return gone, err
		}
	}
	return gone, nil
}

// pruneDeliveries goes from the oldest on and stops at the first step that holds nothing old.
func (r *Records) pruneDeliveries(ctx context.Context, cutoff int64) error {
	for {
		n, err := write(ctx, r.db, func(ctx context.Context, tx Tx) (int64, error) {
			return tx.Exec(ctx, `delete from deliveries where received_at < $1 and id in
				(select id from deliveries order by id, line limit $2)`, cutoff, int64(pruneStep))
		})
		if err != nil {
			return fmt.Errorf("prune deliveries: %w", err)
		}
		if n == 0 {
			return nil
		}
	}
}

func (r *Records) pruneDeployments(ctx context.Context, keep int64) ([]int64, error) {
	ids, err := write(ctx, r.db, func(ctx context.Context, tx Tx) ([]int64, error) {
		rows, err := tx.Query(ctx, `delete from deployments where id in (
			select id from (
				select id, status, row_number() over (partition by project order by id desc) as age,
					max(case when status = 'succeeded' then id end) over (partition by project) as healthy
				from deployments
			) as aged
			where age > $1 and status not in ('queued', 'running') and (healthy is null or id <> healthy)
			order by id limit $2
		) returning id`, keep, int64(pruneStep))
		return collect(rows, err, func(r Rows) (id int64, err error) { return id, r.Scan(&id) })
	})
	if err != nil {
		return ids, fmt.Errorf("prune deployments: %w", err)
	}
	return ids, nil
}
