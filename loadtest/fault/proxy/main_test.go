package proxy_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/loadtest/fault"
	"github.com/seadog/seadog/loadtest/fault/proxy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// scene is an upstream and a proxy before it, running.
type scene struct {
	*proxy.Proxies
	network, address string // of the proxy
	conns            chan net.Conn
}

// ways are the kinds of sockets that a proxy stands between.
var ways = map[string]struct{ in, out string }{
	"tcp to tcp": {"tcp", "tcp"}, "tcp to unix": {"tcp", "unix"}, "unix to tcp": {"unix", "tcp"}, "unix to unix": {"unix", "unix"},
}

// set starts a proxy named "db" of one way. What the upstream accepts comes out of conns.
func set(t *testing.T, in, out string) *scene {
	t.Helper()
	dir := t.TempDir()
	address := "127.0.0.1:0"
	if out == "unix" {
		address = filepath.Join(dir, "upstream")
	}
	l, err := net.Listen(out, address)
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{Proxies: proxy.New(slog.New(slog.DiscardHandler)), network: in, conns: make(chan net.Conn, 2000)}
	if in == "unix" {
		s.address = filepath.Join(dir, "proxy")
		err = s.ListenUnix("db", l.Addr().String(), s.address)
	} else {
		s.address, err = s.Listen("db", l.Addr().String())
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var gone sync.WaitGroup
	gone.Go(func() { _ = s.Run(ctx) })
	gone.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.conns <- c
		}
	})
	t.Cleanup(func() {
		cancel()
		_ = l.Close()
		gone.Wait()
		close(s.conns)
		for c := range s.conns {
			_ = c.Close()
		}
	})
	return s
}

// tcp is the usual scene.
func tcp(t *testing.T) *scene {
	t.Helper()
	return set(t, "tcp", "tcp")
}

// dial connects, and returns both ends.
func (s *scene) dial(t *testing.T) (client, server net.Conn) {
	t.Helper()
	client, err := net.Dial(s.network, s.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	select {
	case server = <-s.conns:
	case <-time.After(patience):
		t.Fatal("nobody came to the upstream")
	}
	t.Cleanup(func() { _ = server.Close() })
	for _, c := range []net.Conn{client, server} {
		if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
	}
	return client, server
}

func (s *scene) disturb(t *testing.T, d fault.Disturbance) fault.Handle {
	t.Helper()
	if d.Direction == "" {
		d.Direction = fault.Downstream
	}
	if d.Share == 0 {
		d.Share = 1
	}
	h, err := s.Disturb(t.Context(), "db", d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Undo() })
	return h
}

func undo(t *testing.T, h fault.Handle) {
	t.Helper()
	for range 2 {
		if err := h.Undo(); err != nil {
			t.Error(err)
		}
	}
}

func write(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

// expect reads exactly this.
func expect(t *testing.T, c net.Conn, text string) {
	t.Helper()
	b := make([]byte, len(text))
	if n, err := io.ReadFull(c, b); err != nil || string(b) != text {
		t.Fatalf("got %q, %v, want %q", b[:n], err, text)
	}
}

// silent makes sure that nothing comes: not for a moment, in which everything
// that is not held back would be there.
func silent(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	var b [64]byte
	if n, err := c.Read(b[:]); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %q, %v, want nothing", b[:n], err)
	}
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
}

// ends makes sure that nothing more comes, and returns how it ended.
func ends(t *testing.T, c net.Conn) error {
	t.Helper()
	var b [64]byte
	n, err := c.Read(b[:])
	if n > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %q, %v, want an end", b[:n], err)
	}
	return err
}

// passes makes sure that a connection is as it was.
func passes(t *testing.T, client, server net.Conn) {
	t.Helper()
	write(t, client, "question")
	expect(t, server, "question")
	write(t, server, "answer")
	expect(t, client, "answer")
}

// random returns bytes that do not look like others.
func random(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{})
	_, _ = r.Read(b)
	return b
}

func sum(b []byte) [32]byte { return sha256.Sum256(b) }
