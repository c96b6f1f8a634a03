// Package sqlite keeps the deployer's records in one SQLite file (WAL,
// synchronous=FULL), for a service on one machine.
//
// All writes of a process go through one connection and share commits
// ([batch.Batcher]). The processes on one file take turns by a lock on a file
// beside it ([turn]): SQLite's own waiting sleeps longer and longer, which
// starves whoever is unlucky. Reads use a pool of their own and wait for nobody.
//
// It refuses to know what is written: that is package record.
//
// Goroutines: that of the batcher, which Close waits for.
package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // registers the driver

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/batch"
	"github.com/seadog/seadog/deployer/budget"
	"github.com/seadog/seadog/deployer/record"
)

//go:embed migrations/*.sql
var migrations embed.FS

const readers = 4

// Config says where the file is.
type Config struct {
	Path     string           // of the database file; it and missing directories are created
	Now      func() time.Time // time.Now if nil
	Deadline time.Duration    // of one call, if its context has none that is earlier; 10 s if 0
	Log      *slog.Logger
	Observe  deployer.StoreObserver // may be nil
}

// Validate returns the first error in c.
func (c Config) Validate() error {
	switch {
	case c.Path == "":
		return deployer.Errorf(deployer.CodeInvalid, "the database needs a path")
	case c.Log == nil:
		return deployer.Errorf(deployer.CodeInvalid, "the database needs a log")
	case c.Deadline < 0:
		return deployer.Errorf(deployer.CodeInvalid, "the deadline of the database is negative")
	}
	return nil
}

// Store implements [deployer.Store].
type Store struct {
	*record.Records
	read     *sql.DB
	writer   *writer
	batcher  *batch.Batcher[*job, error]
	deadline time.Duration
	observe  deployer.StoreObserver
	close    func() error
}

var _ deployer.Store = (*Store)(nil)

// Open opens the file and brings its schema up to date; several processes may do so at once.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg.Deadline = cmp.Or(cfg.Deadline, 10*time.Second)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	ctx, cancel := context.WithTimeout(ctx, max(cfg.Deadline, time.Minute))
	defer cancel()
	s, err := open(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", cfg.Path, failure(err))
	}
	return s, nil
}

func open(ctx context.Context, cfg Config) (_ *Store, err error) {
	if err := create(cfg.Path); err != nil {
		return nil, err
	}
	turn, err := openTurn(cfg.Path+".turn", cfg.Log)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, turn.close())
		}
	}()
	db, err := sql.Open("sqlite", dsn(cfg, "_journal_mode=WAL", "_synchronous=FULL", "_foreign_keys=1",
		"_pragma=wal_autocheckpoint(4000)", "_pragma=cache_size(-16384)"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if err := migrate(ctx, db, turn); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	read, err := sql.Open("sqlite", dsn(cfg, "_query_only=1", "_pragma=cache_size(-4096)"))
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)

	s := &Store{read: read, deadline: cfg.Deadline, observe: cfg.Observe}
	s.Records = record.New(s, cfg.Now)
	s.writer = &writer{db: db, turn: turn, deadline: cfg.Deadline, now: s.Now}
	s.batcher = batch.New(batch.Config[*job, error]{Commit: s.writer.commit, Split: internal})
	s.close = sync.OnceValue(func() error {
		s.batcher.Close()
		return errors.Join(s.writer.close(), s.read.Close())
	})
	return s, nil
}

// create makes the directory and the file, for their owner only. SQLite gives
// its other files the mode of this one.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Close())
}

func dsn(cfg Config, options ...string) string {
	name := "file:" + (&url.URL{Path: cfg.Path}).EscapedPath() + fmt.Sprintf("?_txlock=immediate&_busy_timeout=%d", cfg.Deadline.Milliseconds())
	for _, o := range options {
		name += "&" + o
	}
	return name
}

func migrate(ctx context.Context, db *sql.DB, turn *turn) error {
	if err := turn.take(ctx); err != nil {
		return err
	}
	defer turn.release()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files)
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
	j := &job{intake: &in}
	if err := s.submit(ctx, j); err != nil {
		return deployer.Delivery{}, err
	}
	return j.delivery, nil
}

// Write implements [record.Database].
func (s *Store) Write(ctx context.Context, fn func(context.Context, record.Tx) error) (err error) {
	defer s.observe.Observe(deployer.StoreWrite, time.Now(), &err)
	return s.submit(ctx, &job{ctx: context.WithoutCancel(ctx), do: fn})
}

func (s *Store) submit(ctx context.Context, j *job) error {
	if end, ok := ctx.Deadline(); !ok || time.Until(end) > s.deadline { // a context costs more than the question
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.deadline)
		defer cancel()
	}
	answer, err := s.batcher.Do(ctx, j)
	if err != nil {
		return failure(err)
	}
	return failure(answer)
}

// Read implements [record.Database].
func (s *Store) Read(ctx context.Context, fn func(context.Context, record.Tx) error) (err error) {
	defer s.observe.Observe(deployer.StoreRead, time.Now(), &err)
	ctx, cancel := context.WithTimeout(ctx, s.deadline)
	defer cancel()
	return failure(fn(ctx, reader{s.read}))
}

// Close implements [deployer.Store].
func (s *Store) Close() error { return s.close() }

// reader is the [record.Tx] of calls that only read; each statement sees the latest commit.
type reader struct{ db *sql.DB }

func (r reader) Query(ctx context.Context, statement string, args ...any) (record.Rows, error) {
	budget.Count(ctx, statement)
	return r.db.QueryContext(ctx, statement, args...)
}

func (reader) Exec(context.Context, string, ...any) (int64, error) {
	return 0, errors.New("a reader does not write")
}
func (reader) Own(context.Context, []string) error { return nil }
func (reader) Ring()                               {}
func (reader) Dialect() record.Dialect             { return dialect() }
