package sqlite

import (
	"context"

	"github.com/seadog/seadog/deployer/batch"
)

// OpenSingle opens a store that gives every call a transaction of its own, to compare with.
func OpenSingle(ctx context.Context, cfg Config) (*Store, error) {
	s, err := Open(ctx, cfg)
	if err == nil {
		s.batcher = batch.New(batch.Config[*job, error]{Limit: 1, Commit: s.writer.commit})
	}
	return s, err
}
