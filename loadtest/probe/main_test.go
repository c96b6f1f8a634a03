package probe_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/probe"
)

// childVariable makes the test binary one of the children in child_test.go.
const childVariable = "PROBE_TEST_CHILD"

func TestMain(m *testing.M) {
	if child := os.Getenv(childVariable); child != "" {
		os.Exit(runChild(child))
	}
	goleak.VerifyTestMain(m)
}

func transports() []loadtest.Transport {
	return []loadtest.Transport{loadtest.NetHTTP, loadtest.FastHTTP}
}

// each runs a test with every transport.
func each(t *testing.T, test func(*testing.T, loadtest.Client)) {
	t.Helper()
	for _, name := range transports() {
		t.Run(string(name), func(t *testing.T) {
			t.Parallel()
			test(t, client(name))
		})
	}
}

func client(name loadtest.Transport) loadtest.Client {
	return loadtest.Client{Transport: name, MaxConns: 64, Timeout: 10 * time.Second}
}

// open returns a probe of base that runs until the test ends.
func open(t testing.TB, base string, c loadtest.Client) *probe.Probe {
	t.Helper()
	return run(t, probe.Config{Client: c, BaseURL: base, Start: time.Now()})
}

func run(t testing.TB, c probe.Config) *probe.Probe {
	t.Helper()
	p, err := probe.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var reaper sync.WaitGroup
	reaper.Go(func() { _ = p.Run(ctx) })
	t.Cleanup(func() { p.Abort(); stop(); reaper.Wait(); p.Close() })
	return p
}

func request(t testing.TB, method, address string, body string, expect loadtest.Expect) *probe.Request {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return &probe.Request{Method: method, URL: u, Header: http.Header{"User-Agent": {"test"}}, Body: []byte(body), Expect: &expect}
}

func send(p *probe.Probe, r *probe.Request) loadtest.Sample {
	var s loadtest.Sample
	p.Send(r, &s)
	return s
}

// server is a raw server: what a connection gets to see is up to the test.
type server struct {
	net.Listener
	requests, connections atomic.Int64
}

func (s *server) url() string { return "http://" + s.Addr().String() }

// serve calls handle for every connection, in a goroutine that ends with the test.
func serve(t testing.TB, handle func(s *server, c net.Conn)) *server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{Listener: ln}
	var all sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	all.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			s.connections.Add(1)
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			all.Go(func() { defer c.Close(); handle(s, c) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return s
}

// read reads one request to its end, and counts it.
func (s *server) read(in *bufio.Reader) (*http.Request, error) {
	r, err := http.ReadRequest(in)
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	s.requests.Add(1)
	return r, nil
}

// saying returns a handler that answers every request with text.
func saying(text string) func(*server, net.Conn) {
	return func(s *server, c net.Conn) {
		for in := bufio.NewReader(c); ; {
			if _, err := s.read(in); err != nil {
				return
			}
			if _, err := io.WriteString(c, text); err != nil {
				return
			}
		}
	}
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// silent reads and says nothing.
func silent(_ *server, c net.Conn) { _, _ = io.Copy(io.Discard, c) }

func await(t testing.TB, what string, done func() bool) {
	t.Helper()
	over := time.After(10 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-over:
			t.Fatalf("%s: waited for 10 s in vain", what)
		}
	}
}
