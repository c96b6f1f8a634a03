// Package cluster runs a throw-away PostgreSQL on a Unix socket, for tests and
// for the release gate. It needs PostgreSQL's programs, and nothing else of the
// machine: data, socket and log lie in a directory that goes with it.
package cluster

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
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrAbsent says that PostgreSQL cannot be run on this machine, and why.
var ErrAbsent = errors.New("PostgreSQL cannot be run here")

const startTime = 30 * time.Second

// Cluster is one server with its data. Its methods may not be called
// concurrently, but for Database.
type Cluster struct {
	bin, dir  string
	as        *syscall.Credential // postgres refuses to run as root
	server    *exec.Cmd
	databases atomic.Int64
}

// Start makes a cluster and starts it. It returns [ErrAbsent] where that is not possible.
func Start(ctx context.Context) (*Cluster, error) {
	bin := programs()
	if bin == "" {
		return nil, fmt.Errorf("%w: no initdb in PATH or /usr/lib/postgresql/*/bin", ErrAbsent)
	}
	dir, err := os.MkdirTemp("/tmp", "seadog-pg-") // short, because of the socket, and open to another user
	if err != nil {
		return nil, err
	}
	c := &Cluster{bin: bin, dir: dir}
	if err := c.found(ctx); err != nil {
		return nil, errors.Join(err, c.Remove())
	}
	return c, nil
}

// found makes the data directory and starts the server.
func (c *Cluster) found(ctx context.Context) error {
	if err := c.becomeOrdinary(); err != nil {
		return err
	}
	initdb := c.command("initdb", "-D", filepath.Join(c.dir, "data"), "-U", "seadog", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return c.Serve(ctx)
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
func (c *Cluster) becomeOrdinary() error {
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.ParseUint(u.Uid, 10, 32)
		gid, _ := strconv.ParseUint(u.Gid, 10, 32)
		c.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		return os.Chown(c.dir, int(uid), int(gid))
	}
	return fmt.Errorf("%w: neither postgres nor nobody is a user", ErrAbsent)
}

func (c *Cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.Dir = c.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.as, Setpgid: true}
	return cmd
}

// Serve starts the server of a cluster that was stopped, and waits until it answers.
func (c *Cluster) Serve(ctx context.Context) error {
	log, err := os.OpenFile(filepath.Join(c.dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	c.server = c.command("postgres", "-D", filepath.Join(c.dir, "data"), "-k", c.dir, "-c", "listen_addresses=", "-c", "max_connections=200")
	c.server.Stdout, c.server.Stderr = log, log
	if err := c.server.Start(); err != nil {
		c.server = nil
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, c.DSN("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			text, _ := os.ReadFile(log.Name())
			return fmt.Errorf("PostgreSQL does not answer: %w\n%s", err, text)
		}
	}
}

// Stop stops the server: SIGINT in order, SIGQUIT at once and without a checkpoint.
func (c *Cluster) Stop(sig syscall.Signal) error {
	if c.server == nil {
		return nil
	}
	err := c.server.Process.Signal(sig)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	_ = c.server.Wait() // an immediate stop is not a success
	c.server = nil
	return err
}

// Remove stops the server and deletes everything.
func (c *Cluster) Remove() error {
	return errors.Join(c.Stop(syscall.SIGQUIT), os.RemoveAll(c.dir))
}

// Database creates an empty database and returns its name.
func (c *Cluster) Database(ctx context.Context) (name string, err error) {
	conn, err := pgx.Connect(ctx, c.DSN("postgres"))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	name = fmt.Sprintf("seadog%d", c.databases.Add(1))
	if _, err := conn.Exec(ctx, "create database "+name); err != nil {
		return "", err
	}
	return name, nil
}

// DSN is the address of a database. Its password is a sentinel: the server
// wants none, and it must be seen nowhere.
func (c *Cluster) DSN(database string) string {
	u := c.url(database)
	u.RawQuery = url.Values{"host": {c.dir}}.Encode()
	return u.String()
}

// Through is [Cluster.DSN] for whoever reaches the server by a proxy at that host:port.
func (c *Cluster) Through(proxy, database string) string {
	u := c.url(database)
	u.Host = proxy
	return u.String()
}

func (c *Cluster) url(database string) *url.URL {
	return &url.URL{Scheme: "postgres", User: url.UserPassword("seadog", "sentinel-password"), Path: "/" + database}
}

// SocketDir returns the directory of the server's socket.
func (c *Cluster) SocketDir() string { return c.dir }

// Socket returns the path of the server's socket.
func (c *Cluster) Socket() string { return filepath.Join(c.dir, ".s.PGSQL.5432") }
