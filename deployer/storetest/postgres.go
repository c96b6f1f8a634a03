package storetest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Cluster is a throw-away PostgreSQL on a Unix socket.
type Cluster struct {
	bin, dir  string
	as        *syscall.Credential // postgres refuses to run as root
	server    *exec.Cmd
	databases atomic.Int64
}

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
	bin := programs()
	if bin == "" {
		absent(tb, "no initdb in PATH or /usr/lib/postgresql/*/bin: PostgreSQL is not tested")
	}
	dir, err := os.MkdirTemp("/tmp", "seadog-pg-") // short, because of the socket, and open to another user
	if err != nil {
		tb.Fatal(err)
	}
	c := &Cluster{bin: bin, dir: dir}
	tb.Cleanup(func() {
		c.Stop(tb, syscall.SIGQUIT)
		if err := os.RemoveAll(dir); err != nil {
			tb.Error(err)
		}
	})
	c.becomeOrdinary(tb)
	initdb := c.command("initdb", "-D", filepath.Join(dir, "data"), "-U", "seadog", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		tb.Fatalf("initdb: %v\n%s", err, out)
	}
	c.Start(tb)
	return c
}

func absent(tb testing.TB, what string) {
	tb.Helper()
	if os.Getenv("CI") == "true" {
		tb.Fatal(what)
	}
	tb.Skip(what)
}

// programs returns the directory of PostgreSQL's programs, the newest if there are several.
func programs() string {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path)
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return ""
	}
	slices.SortFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(found[len(found)-1])
}

func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

// becomeOrdinary picks a user for the server if this process is root.
func (c *Cluster) becomeOrdinary(tb testing.TB) {
	tb.Helper()
	if os.Getuid() != 0 {
		return
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.ParseUint(u.Uid, 10, 32)
		gid, _ := strconv.ParseUint(u.Gid, 10, 32)
		c.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(c.dir, int(uid), int(gid)); err != nil {
			tb.Fatal(err)
		}
		return
	}
	absent(tb, "neither postgres nor nobody is a user here: PostgreSQL is not tested")
}

func (c *Cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.Dir = c.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.as, Setpgid: true}
	return cmd
}

// Start starts the server and waits until it answers.
func (c *Cluster) Start(tb testing.TB) {
	tb.Helper()
	log, err := os.OpenFile(filepath.Join(c.dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	c.server = c.command("postgres", "-D", filepath.Join(c.dir, "data"), "-k", c.dir, "-c", "listen_addresses=", "-c", "max_connections=200")
	c.server.Stdout, c.server.Stderr = log, log
	if err := c.server.Start(); err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, c.dsn("postgres"))
		if err == nil {
			_ = conn.Close(ctx)
			return
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			text, _ := os.ReadFile(log.Name())
			tb.Fatalf("PostgreSQL does not answer: %v\n%s", err, text)
		}
	}
}

// Stop stops the server: SIGINT orderly, SIGQUIT at once and without a checkpoint.
func (c *Cluster) Stop(tb testing.TB, sig syscall.Signal) {
	tb.Helper()
	if c.server == nil {
		return
	}
	if err := c.server.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		tb.Error(err)
	}
	_ = c.server.Wait() // an immediate stop is not a success
	c.server = nil
}

// Database creates an empty database and returns its DSN.
func (c *Cluster) Database(tb testing.TB) (dsn string) {
	tb.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, c.dsn("postgres"))
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	name := fmt.Sprintf("test%d", c.databases.Add(1))
	if _, err := conn.Exec(ctx, "create database "+name); err != nil {
		tb.Fatal(err)
	}
	return c.dsn(name)
}

func (c *Cluster) dsn(database string) string {
	return (&url.URL{
		Scheme: "postgres", User: url.UserPassword("seadog", "sentinel-password"), Path: "/" + database,
		RawQuery: url.Values{"host": {c.dir}}.Encode(),
	}).String()
}

// SocketDir returns the directory of the server's socket.
func (c *Cluster) SocketDir() string { return c.dir }

// Socket returns the path of the server's socket.
func (c *Cluster) Socket() string { return filepath.Join(c.dir, ".s.PGSQL.5432") }
