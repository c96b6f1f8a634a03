package record

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seadog/seadog/deployer"
)

// Database is what a store brings along.
type Database interface {
	// Write runs fn in a transaction and returns when that is durable. An error
	// of fn undoes what fn wrote. fn may be run again after a failure, and may
	// still be running when ctx ends and Write returns.
	Write(ctx context.Context, fn func(context.Context, Tx) error) error
	// Read runs fn, which only reads.
	Read(ctx context.Context, fn func(context.Context, Tx) error) error
}

// Tx is one transaction.
type Tx interface {
	// Exec returns the number of rows that the statement touched.
	Exec(ctx context.Context, statement string, args ...any) (int64, error)
	Query(ctx context.Context, statement string, args ...any) (Rows, error)
	// Own makes this transaction the only one that places deployments of the
	// given projects until it ends. They are sorted and unique.
	Own(ctx context.Context, projects []string) error
	// Ring tells whoever waits for queued deployments to look, once the transaction is committed.
	Ring()
	Dialect() Dialect
}

// Rows is a result that is being read.
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

// Dialect is what the databases spell differently.
type Dialect struct {
	ForUpdate  string                          // locks the rows of a query; "" where a writer is alone anyway
	SkipLocked string                          // added to ForUpdate: do not wait for others
	In         func(placeholder string) string // the right side of "column = …" for a list
	List       func(values []string) any       // the argument for that placeholder
	// Few is In and its arguments, from $1 on, for a list that is mostly short;
	// nil where In does as well.
	Few            func(values []string) (in string, args []any)
	NextDeployment string // statement that returns a new deployment id
	Block          string // expression in the id of a delivery by which those of a project are indexed; "" for the id itself
	Blocks         string // query for all values of Block
	Shard          int    // of the counters that this process adds to
}

// Records implements [deployer.Store] but for Accept and Close.
type Records struct {
	db  Database
	now func() time.Time
}

// New returns the records in db. now is the clock that stamps rows.
func New(db Database, now func() time.Time) *Records { return &Records{db: db, now: now} }

// Now returns the time as it can be stored.
func (r *Records) Now() time.Time { return Micro(r.now()) }

// write runs fn in a transaction of its own. The result has a cell of its own
// too, because fn may still be writing to it after the caller has left.
func write[T any](ctx context.Context, db Database, fn func(context.Context, Tx) (T, error)) (T, error) {
	cell := new(T)
	err := db.Write(ctx, func(ctx context.Context, tx Tx) (err error) {
		*cell, err = fn(ctx, tx)
		return err
	})
	if err != nil {
		var none T
		return none, err
	}
	return *cell, nil
}

func read[T any](ctx context.Context, db Database, fn func(context.Context, Tx) (T, error)) (T, error) {
	var out T
	err := db.Read(ctx, func(ctx context.Context, tx Tx) (err error) {
		out, err = fn(ctx, tx)
		return err
	})
	return out, err
}

// collect reads all rows of a query.
func collect[T any](rows Rows, err error, scan func(Rows) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	out := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		out = append(out, v)
	}
	return out, errors.Join(rows.Err(), rows.Close())
}

// number reads a query that returns one integer; ok is false if it returned no row.
func number(ctx context.Context, tx Tx, statement string, args ...any) (n int64, ok bool, err error) {
	rows, err := tx.Query(ctx, statement, args...)
	all, err := collect(rows, err, func(r Rows) (n int64, err error) { return n, r.Scan(&n) })
	if err != nil || len(all) == 0 {
		return 0, false, err
	}
	return all[0], true, nil
}

// Decided reports whether err is an answer rather than a failure of the
// database: trying again would not change it.
func Decided(err error) bool {
	var e *deployer.Error
	return errors.As(err, &e) || errors.Is(err, deployer.ErrNothingQueued)
}

func notFound(what string, id any) error {
	return deployer.Errorf(deployer.CodeNotFound, "there is no %s %v", what, id)
}

func leaseLost(id int64) error {
	return deployer.Errorf(deployer.CodeConflict, "deployment %d has another owner or is over", id).Because(deployer.ErrLeaseLost)
}

func illegal(err error) error {
	return deployer.Errorf(deployer.CodeConflict, "the deployment cannot make this move").Because(fmt.Errorf("move: %w", err))
}
