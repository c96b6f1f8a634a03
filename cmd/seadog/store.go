package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/seadog/seadog/cmd/seadog/config"
	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/postgres"
	"github.com/seadog/seadog/deployer/sqlite"
)

// openStore opens the store that the configuration names.
func openStore(ctx context.Context, cfg *config.Config, log *slog.Logger) (deployer.Store, error) {
	switch cfg.Store.Driver {
	case config.SQLite:
		return sqlite.Open(ctx, sqlite.Config{Path: cfg.Store.Path, Log: log})
	case config.Postgres:
		return postgres.Open(ctx, postgres.Config{DSN: cfg.Store.DSN})
	}
	return nil, fmt.Errorf("store: unknown driver %q", cfg.Store.Driver)
}
