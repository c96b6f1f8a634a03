package postgres_test

import (
	"context"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/postgres"
	"github.com/seadog/seadog/deployer/record"
	"github.com/seadog/seadog/deployer/storetest"
)

// TestStore runs what can share a cluster.
func TestStore(t *testing.T) {
	cluster := storetest.StartCluster(t)
	t.Run("conformance", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) func() deployer.Store {
			dsn := cluster.Database(t)
			return func() deployer.Store { return open(t, dsn) }
		})
	})
	for name, test := range map[string]func(*testing.T, *storetest.Cluster){
		"many may open at once":                      manyMayOpenAtOnce,
		"listening hears what can be claimed":        listenHears,
		"a silent database is unavailable in time":   silentDatabase,
		"a statement at fault is internal":           statementAtFault,
		"a stopped writer loses its transaction":     stoppedWriter,
		"the deadlock of two transactions is solved": deadlock,
	} {
		t.Run(name, func(t *testing.T) { test(t, cluster) })
	}
}

func open(t testing.TB, dsn string) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), postgres.Config{DSN: deployer.NewSecret(dsn)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestNoErrorShowsTheDSN(t *testing.T) {
	for name, dsn := range map[string]string{
		"not a DSN":       "postgres://u:sentinel@host:not-a-port/db",
		"bad option":      "host=/nowhere password=sentinel connect_timeout=x",
		"nobody listens":  "postgres://u:sentinel@127.0.0.1:1/db",
		"no such socket":  "host=/nowhere user=u password=sentinel dbname=db",
		"no such machine": "postgres://u:sentinel@sentinel.invalid/db",
	} {
		_, err := postgres.Open(t.Context(), postgres.Config{DSN: deployer.NewSecret(dsn), Deadline: 5 * time.Second})
		switch code := deployer.CodeOf(err); {
		case err == nil:
			t.Errorf("%s: no error", name)
		case code != deployer.CodeInvalid && code != deployer.CodeUnavailable:
			t.Errorf("%s: code %s", name, code)
		case strings.Contains(err.Error(), "sentinel"), strings.Contains(err.Error(), "://"):
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := (postgres.Config{}).Validate(); deployer.CodeOf(err) != deployer.CodeInvalid {
		t.Errorf("got %v", err)
	}
}

func manyMayOpenAtOnce(t *testing.T, cluster *storetest.Cluster) {
	dsn := cluster.Database(t)
	errs := make(chan error)
	for range 12 {
		go func() {
			s, err := postgres.Open(t.Context(), postgres.Config{DSN: deployer.NewSecret(dsn)})
			if err == nil {
				err = s.Close()
			}
			errs <- err
		}()
	}
	for range 12 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func listenHears(t *testing.T, cluster *storetest.Cluster) {
	dsn := cluster.Database(t)
	s, other := open(t, dsn), open(t, dsn)
	ctx, cancel := context.WithCancel(t.Context())
	rings, done := make(chan struct{}, 100), make(chan error, 1)
	go func() { done <- s.Listen(ctx, func() { rings <- struct{}{} }) }()
	heard := func(what string) {
		t.Helper()
		select {
		case <-rings:
		case <-time.After(10 * time.Second):
			t.Fatalf("not heard: %s", what)
		}
	}
	heard("the connection")
	intake := deployer.Intake{Hook: "hook", Wanted: []deployer.Order{{Project: "web", Trigger: deployer.TriggerPush, Ref: "refs/heads/main"}}}
	if _, err := other.Accept(t.Context(), intake); err != nil {
		t.Fatal(err)
	}
	heard("a delivery")
	if _, _, err := other.Enqueue(t.Context(), deployer.Order{Project: "api", Trigger: deployer.TriggerManual}); err != nil {
		t.Fatal(err)
	}
	heard("an order")
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestListenComesBack(t *testing.T) {
	cluster := storetest.StartCluster(t)
	s := open(t, cluster.Database(t))
	ctx, cancel := context.WithCancel(t.Context())
	rings, done := make(chan struct{}, 100), make(chan error, 1)
	go func() { done <- s.Listen(ctx, func() { rings <- struct{}{} }) }()
	<-rings
	cluster.Stop(t, syscall.SIGINT)
	if err := s.Ping(t.Context()); deployer.CodeOf(err) != deployer.CodeUnavailable {
		t.Errorf("without a server: got %v, want unavailable", err)
	}
	cluster.Start(t)
	select {
	case <-rings:
	case <-time.After(10 * time.Second):
		t.Error("no connection after the server came back")
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func silentDatabase(t *testing.T, cluster *storetest.Cluster) {
	proxy := newProxy(t, cluster.Socket())
	s := open(t, strings.Replace(cluster.Database(t), url.QueryEscape(cluster.SocketDir()), url.QueryEscape(proxy.dir), 1))
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	proxy.silent.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	begun := time.Now()
	for name, call := range map[string]func() error{
		"ping":   func() error { return s.Ping(ctx) },
		"accept": func() error { _, err := s.Accept(ctx, storetest.StormIntake("x", 0, 0)); return err },
		"read":   func() error { _, err := s.Tally(ctx); return err },
	} {
		if err := call(); deployer.CodeOf(err) != deployer.CodeUnavailable {
			t.Errorf("%s: got %v, want unavailable", name, err)
		}
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	proxy.cut() // what is in the pipes has waited long enough
}

// proxy passes bytes between a socket and PostgreSQL's, until it is told to be silent.
type proxy struct {
	dir    string
	silent atomic.Bool
	mu     sync.Mutex // guards all below
	conns  []net.Conn
	gone   bool
	wg     sync.WaitGroup
}

func newProxy(t *testing.T, server string) *proxy {
	t.Helper()
	p := &proxy{dir: t.TempDir()}
	l, err := net.Listen("unix", filepath.Join(p.dir, filepath.Base(server)))
	if err != nil {
		t.Fatal(err)
	}
	p.wg.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			backend, err := net.Dial("unix", server)
			if err != nil {
				_ = client.Close()
				continue
			}
			p.keep(client, backend)
			p.wg.Go(func() { p.pass(client, backend) })
			p.wg.Go(func() { p.pass(backend, client) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); p.cut(); p.wg.Wait() })
	return p
}

func (p *proxy) keep(conns ...net.Conn) {
	p.mu.Lock()
	p.conns = append(p.conns, conns...)
	gone := p.gone
	p.mu.Unlock()
	if gone {
		p.cut()
	}
}

// cut closes all connections, also those to come.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone = true
	for _, c := range p.conns {
		_ = c.Close()
	}
}

func (p *proxy) pass(from, to net.Conn) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			_ = to.Close()
			return
		}
		if p.silent.Load() {
			continue
		}
		if _, err := to.Write(buf[:n]); err != nil {
			_, _ = io.Copy(io.Discard, from)
			return
		}
	}
}

func statementAtFault(t *testing.T, cluster *storetest.Cluster) {
	s := open(t, cluster.Database(t))
	err := s.Write(t.Context(), func(ctx context.Context, tx record.Tx) error {
		_, err := tx.Exec(ctx, "insert into nonsense values (1)")
		return err
	})
	if deployer.CodeOf(err) != deployer.CodeInternal {
		t.Errorf("got %v, want internal", err)
	}
}

func deadlock(t *testing.T, cluster *storetest.Cluster) {
	s := open(t, cluster.Database(t))
	var first sync.WaitGroup // of the first attempts, so that both hold what the other wants
	first.Add(2)
	lock := func(order ...string) error {
		attempt := 0
		return s.Write(t.Context(), func(ctx context.Context, tx record.Tx) error {
			attempt++
			if err := tx.Own(ctx, order[:1]); err != nil {
				return err
			}
			if attempt == 1 {
				first.Done()
				first.Wait()
			}
			return tx.Own(ctx, order[1:])
		})
	}
	errs := make(chan error, 2)
	go func() { errs <- lock("a", "b") }()
	go func() { errs <- lock("b", "a") }()
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
