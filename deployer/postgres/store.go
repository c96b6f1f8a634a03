// Package postgres keeps the deployer's records in PostgreSQL, for a service
// that shares its queue among several machines or wants its database elsewhere.
//
// Deliveries of concurrent calls share a transaction ([batch.Batcher]); all
// other calls have one of their own. Whoever places deployments locks the rows
// of their projects in sorted order first, then deployments, then counters, so
// that nobody waits in a circle. A claim skips what is locked.
//
// Every call is bounded by a deadline, on the server too: a database that says
// nothing is unavailable, and a client that was stopped in the middle of a
// transaction loses it after two seconds.
//
// It refuses to know what is written (that is package record), and never puts
// the DSN into an error or a log.
//
// Goroutines: those of the pool and of the batcher, which Close waits for.
package postgres

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/batch"
	"github.com/seadog/seadog/deployer/record"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	// migrating is the advisory lock of whoever migrates.
	migrating = 0x5ead06
	// abandoned is how long a transaction may do nothing before the server ends it.
	abandoned = 2 * time.Second
	// shards spreads the counters, so that processes do not wait for each other's commit.
	shards = 16
)

// Config says where the database is.
type Config struct {
	DSN      deployer.Secret        // URL or key=value
	Now      func() time.Time       // time.Now if nil
	Deadline time.Duration          // of one call, if its context has none that is earlier; 10 s if 0
	Observe  deployer.StoreObserver // may be nil
}

// Validate returns the first error in c.
func (c Config) Validate() error {
	switch {
	case c.DSN.Empty():
		return deployer.Errorf(deployer.CodeInvalid, "the database needs a DSN")
	case c.Deadline < 0:
		return deployer.Errorf(deployer.CodeInvalid, "the deadline of the database is negative")
	}
	return nil
}

// Store implements [deployer.Store].
type Store struct {
	*record.Records
	pool     *pgxpool.Pool
	batcher  *batch.Batcher[deployer.Intake, deployer.Delivery]
	deadline time.Duration
	observe  deployer.StoreObserver
	password string
}

var _ deployer.Store = (*Store)(nil)

// Open connects and brings the schema up to date; several processes may do so at once.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg.Deadline = cmp.Or(cfg.Deadline, 10*time.Second)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	pc, err := poolConfig(cfg)
	if err != nil {
		return nil, err
	}
	s := &Store{deadline: cfg.Deadline, observe: cfg.Observe, password: pc.ConnConfig.Password}
	if s.pool, err = pgxpool.NewWithConfig(context.WithoutCancel(ctx), pc); err != nil {
		return nil, s.failure(err)
	}
	s.Records = record.New(s, cfg.Now)
	s.batcher = batch.New(batch.Config[deployer.Intake, deployer.Delivery]{Commit: s.commit, Split: internal})
	ctx, cancel := context.WithTimeout(ctx, cfg.Deadline)
	defer cancel()
	if err := s.migrate(ctx); err != nil {
		s.pool.Close()
		return nil, s.failure(err)
	}
	return s, nil
}

func poolConfig(cfg Config) (*pgxpool.Config, error) {
	pc, err := pgxpool.ParseConfig(cfg.DSN.Reveal())
	if err != nil { // the error quotes what it could not parse
		return nil, deployer.Errorf(deployer.CodeInvalid, "the DSN of the database cannot be parsed").
			WithHint("postgres://user:password@host:5432/database, or host=… user=… password=… dbname=…")
	}
	limit := strconv.FormatInt(cfg.Deadline.Milliseconds(), 10)
	for name, value := range map[string]string{
		"statement_timeout": limit, "lock_timeout": limit,
		"idle_in_transaction_session_timeout": strconv.FormatInt(abandoned.Milliseconds(), 10),
		"application_name":                    "seadog",
	} {
		if pc.ConnConfig.RuntimeParams[name] == "" {
			pc.ConnConfig.RuntimeParams[name] = value
		}
	}
	pc.ConnConfig.Tracer = tracer{}
	return pc, nil
}

// migrate brings the schema up to date while it holds an advisory lock.
func (s *Store) migrate(ctx context.Context) (err error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, "select pg_advisory_lock($1)", int64(migrating)); err != nil {
		return fmt.Errorf("lock migrations: %w", err)
	}
	defer func() {
		_, e := conn.Exec(ctx, "select pg_advisory_unlock($1)", int64(migrating))
		err = errors.Join(err, e)
	}()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	db := stdlib.OpenDBFromPool(s.pool)
	defer func() { err = errors.Join(err, db.Close()) }()
	p, err := goose.NewProvider(goose.DialectPostgres, db, files)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// Accept implements [deployer.Intaker].
func (s *Store) Accept(ctx context.Context, in deployer.Intake) (_ deployer.Delivery, err error) {
	defer s.observe.Observe(deployer.StoreAccept, time.Now(), &err)
	if err := record.CheckIntake(in); err != nil {
		return deployer.Delivery{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.deadline)
	defer cancel()
	d, err := s.batcher.Do(ctx, in)
	return d, s.failure(err)
}

// Write implements [record.Database].
func (s *Store) Write(ctx context.Context, fn func(context.Context, record.Tx) error) (err error) {
	defer s.observe.Observe(deployer.StoreWrite, time.Now(), &err)
	ctx, cancel := context.WithTimeout(ctx, s.deadline)
	defer cancel()
	return s.failure(s.transact(ctx, func(t *tx) error { return fn(ctx, t) }))
}

// Read implements [record.Database].
func (s *Store) Read(ctx context.Context, fn func(context.Context, record.Tx) error) (err error) {
	defer s.observe.Observe(deployer.StoreRead, time.Now(), &err)
	ctx, cancel := context.WithTimeout(ctx, s.deadline)
	defer cancel()
	return s.failure(fn(ctx, reader{s.pool}))
}

// Close implements [deployer.Store].
func (s *Store) Close() error {
	s.batcher.Close()
	s.pool.Close()
	return nil
}

// shard is the part of the counters that this process adds to.
func shard() int { return os.Getpid() % shards }
