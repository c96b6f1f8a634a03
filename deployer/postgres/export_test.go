package postgres

import (
	"context"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/batch"
)

// Single is a store that gives every delivery a transaction of its own, on any
// connection of the pool, to compare with.
type Single struct{ *Store }

func (s Single) Accept(ctx context.Context, in deployer.Intake) (deployer.Delivery, error) {
	b := batch.New(batch.Config[deployer.Intake, deployer.Delivery]{Commit: s.commit})
	return b.Do(ctx, in)
}
