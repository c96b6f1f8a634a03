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
func openStore(ctx context.Context, cfg *config.Config, observe deployer.StoreObserver, log *slog.Logger) (deployer.Store, error) {
	switch cfg.Store.Driver {
	case config.SQLite:
		return sqlite.Open(ctx, sqlite.Config{Path: cfg.Store.Path, Log: log, Observe: observe})
	case config.Postgres:
		return postgres.Open(ctx, postgres.Config{DSN: cfg.Store.DSN, Observe: observe})
	}
	return nil, fmt.Errorf("store: unknown driver %q", cfg.Store.Driver)
}
