package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/budget"
	"github.com/seadog/seadog/deployer/record"
)

// job is one call that writes: a delivery, or a function.
type job struct {
	intake   *deployer.Intake
	delivery deployer.Delivery // what became of intake

	ctx context.Context // of do, for its values only
	do  func(context.Context, record.Tx) error
}

// writer owns the one connection that writes. Only the batcher's leader uses it, until close.
type writer struct {
	db       *sql.DB
	turn     *turn
	deadline time.Duration
	now      func() time.Time

	conn  *sql.Conn
	stmts map[string]*sql.Stmt // of conn
}

// commit makes a batch durable. It returns what each job answered.
func (w *writer) commit(ctx context.Context, take func() []*job) (answers []error, err error) {
	ctx = budget.Shared(ctx)
	waiting, cancel := context.WithTimeout(ctx, w.deadline)
	defer cancel()
	if err := w.turn.take(waiting); err != nil {
		return nil, err
	}
	defer w.turn.release()
	jobs := take()
	if len(jobs) == 0 {
		return nil, nil
	}
	// From here on the context is never done: an interrupted statement would
	// undo the work of everybody, and watching costs a goroutine for each one.
	if err := w.connect(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.disconnect())
		}
	}()
	tx := tx{w}
	if err := tx.run(ctx, "begin immediate"); err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	if answers, err = w.apply(ctx, tx, jobs); err != nil {
		return nil, err
	}
	if err := tx.run(ctx, "commit"); err != nil {
		return nil, fmt.Errorf("commit: %w", err)
	}
	return answers, nil
}

// apply runs the jobs inside one transaction: all deliveries at once, then the others.
func (w *writer) apply(ctx context.Context, tx tx, jobs []*job) ([]error, error) {
	var intakes []*job
	for _, j := range jobs {
		if j.intake != nil {
			intakes = append(intakes, j)
		}
	}
	if len(intakes) > 0 {
		if err := tx.accept(ctx, intakes); err != nil {
			return nil, err
		}
	}
	answers := make([]error, len(jobs))
	for i, j := range jobs {
		if j.do == nil {
			continue
		}
		if err := tx.apart(ctx, j); record.Decided(err) {
			answers[i] = err
		} else if err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// connect opens the connection if there is none.
func (w *writer) connect(ctx context.Context) error {
	if w.conn != nil {
		return nil
	}
	conn, err := w.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	w.conn, w.stmts = conn, map[string]*sql.Stmt{}
	return nil
}

// disconnect gives the connection up, and with it the transaction. After an
// error of the disk it is not worth knowing what state it is in.
func (w *writer) disconnect() error {
	if w.conn == nil {
		return nil
	}
	var errs []error
	for _, s := range w.stmts {
		errs = append(errs, s.Close())
	}
	_ = w.conn.Raw(func(any) error { return driver.ErrBadConn }) // the pool must close it, not keep it
	w.conn, w.stmts = nil, nil
	return errors.Join(errs...)
}

func (w *writer) close() error {
	return errors.Join(w.disconnect(), w.db.Close(), w.turn.close())
}

// tx is the [record.Tx] of the transaction that the writer has open.
type tx struct{ w *writer }

func (t tx) prepare(ctx context.Context, statement string) (*sql.Stmt, error) {
	if s := t.w.stmts[statement]; s != nil {
		return s, nil
	}
	s, err := t.w.conn.PrepareContext(ctx, statement)
	if err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	t.w.stmts[statement] = s
	return s, nil
}

func (t tx) run(ctx context.Context, statement string) error {
	s, err := t.prepare(ctx, statement)
	if err == nil {
		_, err = s.ExecContext(ctx)
	}
	return err
}

// apart runs a job so that nothing of it remains if it answers with an error.
func (t tx) apart(ctx context.Context, j *job) error {
	if err := t.run(ctx, "savepoint apart"); err != nil {
		return err
	}
	answer := j.do(j.ctx, t)
	if answer != nil {
		if err := t.run(ctx, "rollback to apart"); err != nil {
			return errors.Join(err, answer)
		}
	}
	if err := t.run(ctx, "release apart"); err != nil {
		return err
	}
	return answer
}

func (t tx) Exec(ctx context.Context, statement string, args ...any) (int64, error) {
	budget.Count(ctx, statement)
	s, err := t.prepare(ctx, statement)
	if err != nil {
		return 0, err
	}
	res, err := s.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (t tx) Query(ctx context.Context, statement string, args ...any) (record.Rows, error) {
	budget.Count(ctx, statement)
	s, err := t.prepare(ctx, statement)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

// Own does nothing: whoever has the turn owns everything.
func (tx) Own(context.Context, []string) error { return nil }

// Ring does nothing: the processes on one machine have a doorbell of their own.
func (tx) Ring() {}

func (tx) Dialect() record.Dialect { return dialect() }

func dialect() record.Dialect {
	return record.Dialect{
		In:             func(p string) string { return "in (select value from json_each(" + p + "))" },
		List:           jsonList,
		Few:            few,
		NextDeployment: "update sequences set last = last + 1 where name = 'deployment' returning last",
		Block:          "id >> 8",
		Blocks: `with recursive block (n) as (
			select max(id) >> 8 from deliveries union all select n - 1 from block where n > (select min(id) >> 8 from deliveries)
		) select n from block`,
	}
}

// fewMany is up to how many values a list of placeholders costs less than reading JSON.
const fewMany = 64

// few repeats the last value up to a power of two, since each number of
// placeholders is a statement of its own.
func few(values []string) (in string, args []any) {
	n := 1
	for n < len(values) {
		n *= 2
	}
	if n > fewMany {
		return "in (select value from json_each($1))", []any{jsonList(values)}
	}
	args = make([]any, n)
	for i := range args {
		args[i] = values[min(i, len(values)-1)]
	}
	return "in " + tuples(1, n), args
}

func jsonList(values []string) any {
	b, err := json.Marshal(values)
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(b)
}
