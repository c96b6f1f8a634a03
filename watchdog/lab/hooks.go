package lab

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	_ "modernc.org/sqlite" // registers the driver

	"github.com/seadog/seadog/watchdog"
)

// hooks stores bodies durably. One goroutine writes; what arrived while it
// wrote is the next transaction, so that many requests share a sync of the disk.
type hooks struct {
	db    *sql.DB
	turn  *turns
	queue chan *hook
	log   *slog.Logger
	wg    sync.WaitGroup
}

// hook is a body that waits to be stored.
type hook struct {
	at       time.Time
	delivery string
	body     []byte
	done     chan error
}

const (
	queued = 1024 // hooks that wait; more of them wait to wait
	schema = `create table if not exists hooks (id integer primary key, received text not null, delivery text not null, body blob not null)`
	insert = `insert into hooks (received, delivery, body) values (?, ?, ?)`
)

// openHooks opens the file and starts the writer, which close ends.
func openHooks(ctx context.Context, path string, log *slog.Logger) (_ *hooks, err error) {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+
		"?_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)&_pragma=synchronous(full)")
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	h := &hooks{db: db, queue: make(chan *hook, queued), log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	if h.turn, err = openTurns(path + ".turn"); err != nil {
		return nil, err
	}
	if err := h.turn.take(); err != nil {
		return nil, errors.Join(err, h.turn.close())
	}
	_, err = db.ExecContext(ctx, schema)
	if err = errors.Join(err, h.turn.release()); err != nil {
		return nil, errors.Join(fmt.Errorf("make the table: %w", err), h.turn.close())
	}
	h.wg.Go(func() { h.write(context.WithoutCancel(ctx)) })
	return h, nil
}

// store returns when the hook is on the disk. It may be called by many at once,
// but not after close.
func (h *hooks) store(delivery string, body []byte) error {
	k := &hook{at: time.Now(), delivery: delivery, body: body, done: make(chan error, 1)}
	h.queue <- k
	return <-k.done
}

// write ends with the queue.
func (h *hooks) write(ctx context.Context) {
	for k := range h.queue {
		batch := []*hook{k}
		for len(h.queue) > 0 && len(batch) < queued {
			batch = append(batch, <-h.queue)
		}
		err := h.commit(ctx, batch)
		if err != nil {
			h.log.Error("hooks were not stored", watchdog.KeyRequests, len(batch), watchdog.KeyError, err)
		}
		for _, k := range batch {
			k.done <- err
		}
	}
}

func (h *hooks) commit(ctx context.Context, batch []*hook) (err error) {
	if err := h.turn.take(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.turn.release()) }()
	tx, err := h.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // does nothing after a commit
	statement, err := tx.PrepareContext(ctx, insert)
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	defer statement.Close()
	for _, k := range batch {
		if _, err := statement.ExecContext(ctx, k.at.UTC().Format(time.RFC3339Nano), k.delivery, k.body); err != nil {
			return fmt.Errorf("insert: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// close stores what waits and closes the file.
func (h *hooks) close() error {
	close(h.queue)
	h.wg.Wait()
	return errors.Join(h.db.Close(), h.turn.close())
}
