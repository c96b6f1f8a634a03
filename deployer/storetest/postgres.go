package storetest

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"

	"github.com/seadog/seadog/deployer/cluster"
)

// Cluster is a throw-away PostgreSQL of a test.
type Cluster struct{ *cluster.Cluster }

// StartPostgres returns the DSN of an empty database in a cluster of its own,
// which is gone when the test is over. Without PostgreSQL's programs the test
// is skipped, or fails if CI=true.
func StartPostgres(tb testing.TB) (dsn string) {
	tb.Helper()
	return StartCluster(tb).Database(tb)
}

// StartCluster starts a cluster; see [StartPostgres].
func StartCluster(tb testing.TB) *Cluster {
	tb.Helper()
	c, err := cluster.Start(context.Background())
	if errors.Is(err, cluster.ErrAbsent) && os.Getenv("CI") != "true" {
		tb.Skipf("SKIPPED: %v", err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := c.Remove(); err != nil {
			tb.Error(err)
		}
	})
	return &Cluster{c}
}

// Start starts the server again after a Stop.
func (c *Cluster) Start(tb testing.TB) {
	tb.Helper()
	if err := c.Serve(context.Background()); err != nil {
		tb.Fatal(err)
	}
}

// Stop stops the server; see [cluster.Cluster.Stop].
func (c *Cluster) Stop(tb testing.TB, sig syscall.Signal) {
	tb.Helper()
	if err := c.Cluster.Stop(sig); err != nil {
		tb.Error(err)
	}
}

// Database creates an empty database and returns its DSN.
func (c *Cluster) Database(tb testing.TB) (dsn string) {
	tb.Helper()
	name, err := c.Cluster.Database(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	return c.DSN(name)
}
