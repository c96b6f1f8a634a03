package sqlite

import (
	"context"
	"sync/atomic"

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

// OpenCounted opens a store that counts its commits.
func OpenCounted(ctx context.Context, cfg Config) (*Store, *atomic.Int64, error) {
	count := new(atomic.Int64)
	s, err := Open(ctx, cfg)
	if err == nil {
		s.batcher = batch.New(batch.Config[*job, error]{Split: internal, Commit: func(ctx context.Context, take func() []*job) ([]error, error) {
			count.Add(1)
			return s.writer.commit(ctx, take)
		}})
	}
	return s, count, err
}

// Dialect and Lookup are what the plans are asked for.
var (
	Dialect = dialect
	Lookup  = lookup
)
