package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/seadog/seadog/deployer/budget"
	"github.com/seadog/seadog/deployer/record"
)

// attempts is how often a transaction is run that lost to another one.
const attempts = 3

// channel is what [Store.Listen] listens on.
const channel = "seadog_queue"

const notify = "select pg_notify('" + channel + "', '')"

// transact runs fn in a transaction, again if it lost to another one or to a
// connection that had died in the pool.
func (s *Store) transact(ctx context.Context, fn func(*tx) error) error {
	for n := 1; ; n++ {
		err := s.once(ctx, fn)
		if err == nil || n == attempts || ctx.Err() != nil || !transient(err) {
			return err
		}
	}
}

func (s *Store) once(ctx context.Context, fn func(*tx) error) error {
	return pgx.BeginFunc(ctx, s.pool, func(p pgx.Tx) error {
		t := &tx{tx: p}
		if err := fn(t); err != nil {
			return err
		}
		if t.ring {
			if _, err := p.Exec(ctx, notify); err != nil {
				return err
			}
		}
		return nil
	})
}

// transient reports whether a transaction that failed with err did nothing and may succeed now.
func transient(err error) bool {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code == "40001" || e.Code == "40P01" // serialization failure, deadlock
	}
	return pgconn.SafeToRetry(err)
}

// tx is the [record.Tx] of one transaction.
type tx struct {
	tx   pgx.Tx
	ring bool
}

func (t *tx) Exec(ctx context.Context, statement string, args ...any) (int64, error) {
	tag, err := t.tx.Exec(ctx, statement, args...)
	return tag.RowsAffected(), err
}

func (t *tx) Query(ctx context.Context, statement string, args ...any) (record.Rows, error) {
	r, err := t.tx.Query(ctx, statement, args...)
	return rows{r}, err
}

// Own locks the rows of the projects, which are sorted, so that no two
// transactions wait for each other.
func (t *tx) Own(ctx context.Context, projects []string) error {
	b := &pgx.Batch{}
	b.Queue("insert into projects (name) select unnest($1::text[]) on conflict do nothing", projects)
	b.Queue("select name from projects where name = any($1) order by name for update", projects)
	return t.tx.SendBatch(ctx, b).Close()
}

// Ring notifies those who listen when the transaction is committed.
func (t *tx) Ring() { t.ring = true }

func (t *tx) Dialect() record.Dialect { return dialect() }

func dialect() record.Dialect {
	return record.Dialect{
		ForUpdate: "for update", SkipLocked: " skip locked",
		In:             func(p string) string { return "= any(" + p + ")" },
		List:           func(values []string) any { return values },
		NextDeployment: "select nextval('deployment_ids')",
		Shard:          shard(),
	}
}

// reader is the [record.Tx] of calls that only read; each statement sees the latest commit.
type reader struct{ pool *pgxpool.Pool }

func (r reader) Query(ctx context.Context, statement string, args ...any) (record.Rows, error) {
	p, err := r.pool.Query(ctx, statement, args...)
	if err != nil && transient(err) {
		p, err = r.pool.Query(ctx, statement, args...)
	}
	return rows{p}, err
}

func (reader) Exec(context.Context, string, ...any) (int64, error) {
	return 0, errors.New("a reader does not write")
}
func (reader) Own(context.Context, []string) error { return nil }
func (reader) Ring()                               {}
func (reader) Dialect() record.Dialect             { return dialect() }

// rows gives pgx.Rows the Close of [record.Rows]; its errors are those of Err.
type rows struct{ pgx.Rows }

func (r rows) Close() error {
	r.Rows.Close()
	return nil
}

// tracer charges every statement to the request that makes it.
type tracer struct{}

var (
	_ pgx.QueryTracer = tracer{}
	_ pgx.BatchTracer = tracer{}
)

func (tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	switch data.SQL {
	case "begin", "commit", "rollback": // not what a request asks for
	default:
		budget.Count(ctx, data.SQL)
	}
	return ctx
}

func (tracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

func (tracer) TraceBatchQuery(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	budget.Count(ctx, data.SQL)
}

func (tracer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
func (tracer) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}
