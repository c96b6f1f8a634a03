package proxy_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/loadtest/fault"
	"github.com/seadog/seadog/loadtest/fault/proxy"
)

func TestUndisturbedConnectionsPassAsTheyAre(t *testing.T) {
	t.Parallel()
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := set(t, way.in, way.out)
			client, server := s.dial(t)
			question, answer := random(1<<20), random(3<<20)
			var gone sync.WaitGroup
			gone.Go(func() {
				got, err := io.ReadAll(server) // until the client says that no more comes
				if err != nil || !bytes.Equal(got, question) {
					t.Errorf("the upstream got %d bytes, %v", len(got), err)
				}
				if _, err := server.Write(answer); err != nil {
					t.Error(err)
				}
				_ = server.Close()
			})
			if _, err := client.Write(question); err != nil {
				t.Fatal(err)
			}
			if err := client.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(client)
			if err != nil || !bytes.Equal(got, answer) {
				t.Errorf("the client got %d bytes, %v", len(got), err)
			}
			gone.Wait()
		})
	}
}

func TestWhoHangsUpIsHungUpOn(t *testing.T) {
	t.Parallel()
	s := tcp(t)
	client, server := s.dial(t)
	_ = client.Close()
	if err := ends(t, server); !errors.Is(err, io.EOF) {
		t.Errorf("the upstream got %v", err)
	}
	_ = server.Close()
	client, server = s.dial(t)
	if err := server.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	_ = server.Close()
	ends(t, client)
}

func TestUpstreamThatIsAbsentEndsTheConnection(t *testing.T) {
	t.Parallel()
	p := proxy.New(slog.New(slog.DiscardHandler))
	address, err := p.Listen("db", filepath.Join(t.TempDir(), "absent"))
	if err != nil {
		t.Fatal(err)
	}
	run(t, p)
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ends(t, c)
}

// run runs proxies until the test ends.
func run(t testing.TB, p *proxy.Proxies) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var gone sync.WaitGroup
	gone.Go(func() {
		if err := p.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		cancel()
		gone.Wait()
	})
}

func TestConnectionsAreTakenBeforeProxiesRun(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := proxy.New(slog.New(slog.DiscardHandler))
	address, err := p.Listen("db", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	client, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	write(t, client, "early")
	run(t, p)
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	expect(t, server, "early")
}

func TestProxiesEndWithTheirContextAndTakeConnectionsAlong(t *testing.T) {
	t.Parallel()
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := set(t, way.in, way.out)
			s.dial(t) // they run
			second := filepath.Join(t.TempDir(), "second")
			if err := s.ListenUnix("late", "127.0.0.1:1", second); err == nil || !strings.Contains(err.Error(), "run already") {
				t.Errorf("opened while they run: %v", err)
			}
			if err := s.Run(t.Context()); err == nil {
				t.Error("they run twice")
			}
		})
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := proxy.New(slog.New(slog.DiscardHandler))
	address, err := p.Listen("db", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error)
	go func() { done <- p.Run(ctx) }()
	client, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	passes(t, client, server)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	ends(t, client)
	ends(t, server)
	if _, err := net.Dial("tcp", address); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("connecting afterwards: %v", err)
	}
	if _, err := p.Disturb(t.Context(), "db", fault.Disturbance{Kind: fault.Down}); err == nil {
		t.Error("a closed proxy can be shut")
	}
}

func TestProxiesThatNeverRanAreClosed(t *testing.T) {
	t.Parallel()
	p := proxy.New(slog.New(slog.DiscardHandler))
	address, err := p.Listen("db", "127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "socket")
	if err := p.ListenUnix("engine", "127.0.0.1:1", path); err != nil {
		t.Fatal(err)
	}
	p.Close()
	p.Close()
	if _, err := net.Dial("tcp", address); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("connecting afterwards: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket: %v", err)
	}
}

func TestProxiesThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	p := proxy.New(slog.New(slog.DiscardHandler))
	defer p.Close()
	for upstream, want := range map[string]string{
		"": "want host:port", "here": "want host:port", "192.0.2.1:5432": "not a host of the loopback", "example.com:80": "not a host of the loopback",
	} {
		if _, err := p.Listen("db", upstream); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", upstream, err)
		}
	}
	for _, upstream := range []string{"localhost:5432", "tcp://127.0.0.1:5432", "[::1]:5432", "unix:///run/x", "/run/x"} {
		if _, err := p.Listen(upstream, upstream); err != nil {
			t.Error(err)
		}
	}
	if _, err := p.Listen("/run/x", "/run/x"); err == nil || !strings.Contains(err.Error(), "there is one of that name") {
		t.Errorf("twice: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.ListenUnix("x", "/run/x", file); err == nil || !strings.Contains(err.Error(), "something already") {
		t.Errorf("over a file: %v", err)
	}
	if _, err := p.Disturb(t.Context(), "nobody", fault.Disturbance{Kind: fault.Reset}); err == nil || !strings.Contains(err.Error(), "none of that name") {
		t.Errorf("a proxy that is not there: %v", err)
	}
	if _, err := p.Disturb(t.Context(), "/run/x", fault.Disturbance{Kind: "politeness"}); err == nil || !strings.Contains(err.Error(), "no disturbance") {
		t.Errorf("an unknown disturbance: %v", err)
	}
}

func TestConnectionsOfAProxyAreBounded(t *testing.T) {
	t.Parallel()
	s := tcp(t)
	const most = 1024
	for range most {
		s.dial(t)
	}
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ends(t, c)
}

func TestDockerEngineAnswersThroughAProxy(t *testing.T) {
	t.Parallel()
	const socket = "/var/run/docker.sock"
	if _, err := os.Stat(socket); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("SKIPPED: no Docker engine here")
	}
	p := proxy.New(slog.New(slog.DiscardHandler))
	path := filepath.Join(t.TempDir(), "engine")
	if err := p.ListenUnix("engine", socket, path); err != nil {
		t.Fatal(err)
	}
	run(t, p)
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}
	defer transport.CloseIdleConnections()
	res, err := (&http.Client{Transport: transport, Timeout: patience}).Get("http://engine/_ping")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); err != nil || string(b) != "OK" {
		t.Errorf("got %q, %v", b, err)
	}
}
