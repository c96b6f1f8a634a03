package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	_ "modernc.org/sqlite" // the driver of the plain peer

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/httpd"
	"github.com/seadog/seadog/deployer/transcript"
	"github.com/seadog/seadog/watchdog"
)

// What BenchmarkWebhooks compares with runs in processes of its own: this test
// binary again, told by the environment to be a peer.
const (
	peerVariable = "SEADOG_BENCH_PEER" // plain or storeless
	peerData     = "SEADOG_BENCH_DATA" // a directory of its own
	peerHooks    = 8
	peerSecret   = "bench-secret-bench-secret"
)

func hookNames() []string {
	names := make([]string, peerHooks)
	for i := range names {
		names[i] = fmt.Sprintf("p%d", i)
	}
	return names
}

// TestBenchPeer is no test: it is the main function of a peer. The listening
// socket is descriptor 3; the end of standard input is the end of the peer.
func TestBenchPeer(t *testing.T) {
	kind := os.Getenv(peerVariable)
	if kind == "" {
		return
	}
	listener, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { // ends with the process
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	serve := map[string]func(context.Context, net.Listener) error{"plain": servePlain, "storeless": serveStoreless}[kind]
	if err := serve(ctx, listener); err != nil {
		t.Fatal(err)
	}
}

// servePlain is what one would write in an afternoon: Fiber, the signature, one
// SQLite transaction per webhook, synchronous=FULL. It parses nothing and
// decides nothing.
func servePlain(ctx context.Context, l net.Listener) error {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(os.Getenv(peerData), "plain.db")+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, `CREATE TABLE delivery (id INTEGER PRIMARY KEY, external TEXT NOT NULL UNIQUE,
		hook TEXT NOT NULL, event TEXT NOT NULL, received INTEGER NOT NULL, bytes INTEGER NOT NULL)`); err != nil {
		return err
	}
	insert, err := db.PrepareContext(ctx, `INSERT INTO delivery (external, hook, event, received, bytes) VALUES (?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer insert.Close()
	app := fiber.New(fiber.Config{DisableStartupMessage: true, BodyLimit: 26 << 20})
	app.Post("/hooks/:hook", func(c *fiber.Ctx) error {
		mac := hmac.New(sha256.New, []byte(peerSecret))
		mac.Write(c.Body())
		given, err := hex.DecodeString(strings.TrimPrefix(c.Get("X-Hub-Signature-256"), "sha256="))
		if err != nil || !hmac.Equal(given, mac.Sum(nil)) {
			return c.SendStatus(fiber.StatusUnauthorized)
		}
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }() // nothing to undo after the commit
		res, err := tx.StmtContext(ctx, insert).ExecContext(ctx, strings.Clone(c.Get("X-GitHub-Delivery")),
			strings.Clone(c.Params("hook")), strings.Clone(c.Get("X-GitHub-Event")), time.Now().UnixMicro(), len(c.Body()))
		if err != nil {
			return err
		}
		if err := tx.Commit(); err != nil {
			return err
		}
		id, err := res.LastInsertId()
		if err != nil {
			return err
		}
		return c.Status(fiber.StatusAccepted).JSON(fiber.Map{"id": id})
	})
	stop := context.AfterFunc(ctx, func() { _ = app.Shutdown() })
	defer stop()
	return app.Listener(l)
}

// serveStoreless is our own handler, with everything but the store.
func serveStoreless(ctx context.Context, l net.Listener) error {
	cfg := httpd.Config{
		Store: &forgetful{}, Book: noLogs{}, Tailer: noLogs{}, Ring: func() {}, Version: "bench",
		Tokens: []httpd.Token{{Name: "bench", Scope: deployer.ScopeAdmin}},
		Log:    slog.New(slog.DiscardHandler),
	}
	for _, name := range hookNames() {
		cfg.Hooks = append(cfg.Hooks, deployer.Hook{
			Name: name, Provider: deployer.GitHub, Projects: []string{name}, Secrets: []deployer.Secret{deployer.NewSecret(peerSecret)},
		})
		cfg.Projects = append(cfg.Projects, deployer.Project{Name: name, Hook: name, Select: deployer.Selector{Branches: []string{"main"}}})
	}
	server, err := httpd.New(cfg)
	if err != nil {
		return err
	}
	return server.Run(ctx, []net.Listener{l})
}

// forgetful is a store that accepts and keeps nothing.
type forgetful struct {
	deployer.Store
	last atomic.Int64
}

func (f *forgetful) Accept(_ context.Context, in deployer.Intake) (deployer.Delivery, error) {
	d := deployer.Delivery{
		ID: f.last.Add(1), Hook: in.Hook, Provider: in.Provider, ExternalID: in.ExternalID,
		Event: in.Event, ReceivedAt: in.ReceivedAt, Bytes: in.Bytes, Decisions: in.Ignored,
	}
	for _, o := range in.Wanted {
		d.Decisions = append(d.Decisions, deployer.Decision{Project: o.Project, Ref: o.Ref, Commit: o.Commit, Verdict: deployer.VerdictCoalesced, Deployment: 1})
	}
	return d, nil
}

// noLogs has nothing to read and nothing to follow.
type noLogs struct{}

func (noLogs) Read(int64, transcript.Position, int) ([]transcript.Record, transcript.Position, error) {
	return nil, transcript.Position{}, nil
}

func (noLogs) Follow(context.Context, int64, transcript.Position) (<-chan []transcript.Record, error) {
	return nil, errors.New("nothing to follow")
}

// startPeer runs processes of one kind on one listening socket until the test
// ends, and returns its address.
func startPeer(tb testing.TB, kind string, processes int) string {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	file, err := listener.(*net.TCPListener).File()
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	executable, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	for range processes {
		cmd := exec.Command(executable, "-test.run=^TestBenchPeer$")
		cmd.Env = append(os.Environ(), peerVariable+"="+kind, peerData+"="+tb.TempDir())
		if kind == "storeless" { // as the workers of the service
			cmd.Env = append(append(cmd.Env, httpEnv(watchdog.Recycle{})...), fmt.Sprintf("GOMAXPROCS=%d", watchdog.DefaultProcs(runtime.NumCPU())))
		}
		cmd.ExtraFiles = []*os.File{file}
		runChild(tb, cmd, nil)
	}
	if err := listener.Close(); err != nil { // the children have it now
		tb.Fatal(err)
	}
	return listener.Addr().String()
}
