package record

import (
	"context"
	"fmt"
	"time"

	"github.com/seadog/seadog/deployer"
)

const lockColumns = "project, owner, reason, created_at, expires_at"

func scanLock(rows Rows) (l deployer.Lock, err error) {
	var created, expires int64
	if err := rows.Scan(&l.Project, &l.Owner, &l.Reason, &created, &expires); err != nil {
		return l, fmt.Errorf("scan lock: %w", err)
	}
	l.CreatedAt, l.ExpiresAt = stamp(created), maybe(expires)
	return l, nil
}

// Lock implements [deployer.Store].
func (r *Records) Lock(ctx context.Context, l deployer.Lock) error {
	if l.Project == "" {
		return deployer.Errorf(deployer.CodeInvalid, "a lock needs a project")
	}
	created := l.CreatedAt
	if created.IsZero() {
		created = r.Now()
	}
	return r.db.Write(ctx, func(ctx context.Context, tx Tx) error {
		_, err := tx.Exec(ctx, `insert into locks (project, owner, reason, created_at, expires_at) values ($1, $2, $3, $4, $5)
			on conflict (project) do update set owner = excluded.owner, reason = excluded.reason,
				created_at = excluded.created_at, expires_at = excluded.expires_at`,
			Clean(l.Project, short), Clean(l.Owner, short), Clean(l.Reason, message), micros(created), optional(l.ExpiresAt))
		return err
	})
}

// Unlock implements [deployer.Store]. A lock that has expired is none.
func (r *Records) Unlock(ctx context.Context, project string) error {
	return r.db.Write(ctx, func(ctx context.Context, tx Tx) error {
		n, err := tx.Exec(ctx, "delete from locks where project = $1 and (expires_at = 0 or expires_at > $2)",
			Clean(project, short), micros(r.Now()))
		if err == nil && n == 0 {
			return notFound("lock of project", project)
		}
		tx.Ring()
		return err
	})
}

// Locks implements [deployer.Reader].
func (r *Records) Locks(ctx context.Context) ([]deployer.Lock, error) {
	return read(ctx, r.db, func(ctx context.Context, tx Tx) ([]deployer.Lock, error) {
		rows, err := tx.Query(ctx, "select "+lockColumns+` from locks where expires_at = 0 or expires_at > $1
			order by created_at desc, project`, micros(r.Now()))
		return collect(rows, err, scanLock)
	})
}

// Hold implements [deployer.Store].
func (r *Records) Hold(ctx context.Context, name string, owner deployer.Owner, ttl time.Duration) (bool, error) {
	return write(ctx, r.db, func(ctx context.Context, tx Tx) (bool, error) {
		now := r.Now()
		n, err := tx.Exec(ctx, `insert into leases (name, node, boot, pid, started, expires_at) values ($1, $2, $3, $4, $5, $6)
			on conflict (name) do update set node = excluded.node, boot = excluded.boot, pid = excluded.pid,
				started = excluded.started, expires_at = excluded.expires_at
			where leases.expires_at <= $7 or (leases.node = excluded.node and leases.boot = excluded.boot
				and leases.pid = excluded.pid and leases.started = excluded.started)`,
			Clean(name, short), Clean(owner.Node, short), Clean(owner.Boot, short), int64(owner.PID),
			int64(owner.Started), micros(now.Add(ttl)), micros(now))
		return n == 1, err
	})
}

// Ping implements [deployer.Store]: it writes.
func (r *Records) Ping(ctx context.Context) error {
	return r.db.Write(ctx, func(ctx context.Context, tx Tx) error {
		_, err := tx.Exec(ctx, `insert into leases (name, node, boot, pid, started, expires_at) values ('ping', '', '', 0, 0, $1)
			on conflict (name) do update set expires_at = excluded.expires_at`, micros(r.Now()))
		return err
	})
}
