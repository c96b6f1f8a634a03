package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// reconnect is the pause after a connection that was lost.
	reconnect = time.Second
	// silence is how long the server may say nothing before it is asked whether it is still there.
	silence = 30 * time.Second
)

// Listen calls ring whenever deployments may have become claimable, also in
// other processes and on other machines, and after every (re)connection, since
// something may have been missed. It has a connection of its own and returns
// nil when ctx ends. ring must not block.
func (s *Store) Listen(ctx context.Context, ring func()) error {
	for ctx.Err() == nil {
		s.listen(ctx, ring)
		pause := time.NewTimer(reconnect)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
		}
	}
	return nil
}

// listen returns when the connection is lost. Why does not matter: the calls
// that need the database say so.
func (s *Store) listen(ctx context.Context, ring func()) {
	conn, err := s.dial(ctx)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	ring()
	for {
		err := s.await(ctx, conn)
		if err != nil {
			return
		}
		ring()
	}
}

func (s *Store) dial(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.deadline)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, "listen "+channel); err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return conn, nil
}

// await returns nil after a notification, or after a silence in which the server proved to be there.
func (s *Store) await(ctx context.Context, conn *pgx.Conn) error {
	quiet, cancel := context.WithTimeout(ctx, silence)
	_, err := conn.WaitForNotification(quiet)
	cancel()
	if err == nil || ctx.Err() != nil || quiet.Err() == nil {
		return err
	}
	ctx, cancel = context.WithTimeout(ctx, s.deadline)
	defer cancel()
	return conn.Ping(ctx)
}
