package record

import (
	"context"
	"fmt"

	"github.com/seadog/seadog/deployer"
)

const (
	countDeployments = "deployment" // A: final status
	countDeliveries  = "delivery"   // A: provider, B: verdict; every decision counts
)

// Count names a counter that outlives the rows it counted.
type Count struct{ Kind, A, B string }

// AddCount takes kind, a, b, shard and what is added.
const AddCount = `insert into counts (kind, a, b, shard, n) values ($1, $2, $3, $4, $5)
	on conflict (kind, a, b, shard) do update set n = counts.n + excluded.n`

func add(ctx context.Context, tx Tx, c Count, n int64) error {
	if _, err := tx.Exec(ctx, AddCount, c.Kind, c.A, c.B, int64(tx.Dialect().Shard), n); err != nil {
		return fmt.Errorf("count: %w", err)
	}
	return nil
}

// Tally implements [deployer.Reader]. Its Deployments hold final statuses only,
// so that each is a counter; Queued and Running are what is there now.
func (r *Records) Tally(ctx context.Context) (deployer.Tally, error) {
	return read(ctx, r.db, func(ctx context.Context, tx Tx) (deployer.Tally, error) {
		t := deployer.Tally{Deployments: map[deployer.Status]int64{}, Deliveries: map[deployer.DeliveryKind]int64{}}
		rows, err := tx.Query(ctx, "select kind, a, b, n from counts")
		_, err = collect(rows, err, func(rows Rows) (struct{}, error) {
			var c Count
			var n int64
			if err := rows.Scan(&c.Kind, &c.A, &c.B, &n); err != nil {
				return struct{}{}, err
			}
			if c.Kind == countDeployments {
				t.Deployments[deployer.Status(c.A)] += n
			} else {
				t.Deliveries[deployer.DeliveryKind{Provider: deployer.Provider(c.A), Verdict: deployer.Verdict(c.B)}] += n
			}
			return struct{}{}, nil
		})
		if err != nil {
			return t, fmt.Errorf("read counts: %w", err)
		}
		rows, err = tx.Query(ctx, "select count(*), coalesce(min(started_at), 0), count(nullif(stalled_since, 0)) from deployments where status = 'running'")
		_, err = collect(rows, err, func(rows Rows) (struct{}, error) {
			var oldest int64
			err := rows.Scan(&t.Running, &oldest, &t.Stalled)
			t.OldestRunning = stamp(oldest)
			return struct{}{}, err
		})
		if err != nil {
			return t, fmt.Errorf("count running: %w", err)
		}
		rows, err = tx.Query(ctx, "select count(*), coalesce(min(created_at), 0) from deployments where status = 'queued'")
		_, err = collect(rows, err, func(rows Rows) (struct{}, error) {
			var oldest int64
			err := rows.Scan(&t.Queued, &oldest)
			t.OldestQueued = stamp(oldest)
			return struct{}{}, err
		})
		return t, err
	})
}
