package probe_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/probe"
)

// closing answers the first request of each connection, reads the second and
// goes away. That is when clients repeat requests.
func closing(s *server, c net.Conn) {
	in := bufio.NewReader(c)
	if _, err := s.read(in); err != nil {
		return
	}
	_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	_, _ = s.read(in)
}

func TestARequestIsSentOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c loadtest.Client) {
		for name, spec := range map[string]struct {
			method, body string
			header       http.Header
		}{
			"GET":                         {method: "GET"},
			"GET with a body":             {method: "GET", body: "x"},
			"HEAD":                        {method: "HEAD"},
			"OPTIONS":                     {method: "OPTIONS"},
			"DELETE":                      {method: "DELETE"},
			"POST":                        {method: "POST", body: "x"},
			"POST without a body":         {method: "POST"},
			"idempotent POST":             {method: "POST", body: "x", header: http.Header{"Idempotency-Key": {"1"}}},
			"idempotent POST, no body":    {method: "POST", header: http.Header{"Idempotency-Key": {"1"}}},
			"x-idempotent POST, no body":  {method: "POST", header: http.Header{"X-Idempotency-Key": {"1"}}},
			"idempotent PUT with a body":  {method: "PUT", body: "x", header: http.Header{"X-Idempotency-Key": {"1"}}},
			"idempotent PATCH, no header": {method: "PATCH", body: "x"},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := serve(t, closing)
				p := open(t, s.url(), c)
				r := request(t, spec.method, s.url(), spec.body, loadtest.Expect{Status: []int{200}})
				for name, values := range spec.header {
					r.Header[name] = values
				}
				const pairs = 5
				for range pairs {
					if first := send(p, r); first.Outcome != loadtest.OK || first.Reused {
						t.Fatalf("first: %+v", first)
					}
					second := send(p, r)
					if second.Outcome != loadtest.Broken || second.Class != "connection closed" || !second.Reused {
						t.Fatalf("second: %s %q, reused: %v", second.Outcome, second.Class, second.Reused)
					}
				}
				if got := s.requests.Load(); got != 2*pairs {
					t.Errorf("the server saw %d requests, %d were sent", got, 2*pairs)
				}
			})
		}
	})
}

// TestTheClientBelowWouldSendTwice keeps the test above honest: without noRetry
// the same server sees more than was sent.
func TestTheClientBelowWouldSendTwice(t *testing.T) {
	t.Parallel()
	s := serve(t, closing)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	for range 2 {
		resp, err := (&http.Client{Transport: transport}).Get(s.url())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	if got := s.requests.Load(); got != 3 {
		t.Errorf("the server saw %d requests of 2", got)
	}
}

func TestWhatGoesOverTheWire(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c loadtest.Client) {
		seen := make(chan *http.Request, 1)
		s := serve(t, func(s *server, c net.Conn) {
			for in := bufio.NewReader(c); ; {
				r, err := s.read(in)
				if err != nil {
					return
				}
				seen <- r
				_, _ = io.WriteString(c, "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
			}
		})
		p := open(t, s.url(), c)
		for _, method := range []string{"GET", "POST", "DELETE"} {
			for _, body := range []string{"", "twelve bytes"} {
				r := request(t, method, s.url()+"/a/b%20c?d=e", body, loadtest.Expect{Status: []int{302}})
				r.Host = "example.org"
				r.Header = http.Header{"User-Agent": {"test"}, "X-Two": {"1", "2"}}
				got := send(p, r)
				if got.Outcome != loadtest.OK || got.Status != 302 || got.BytesOut != int64(len(body)) {
					t.Errorf("%s %q: %+v", method, body, got)
				}
				w := <-seen
				if w.Method != method || w.RequestURI != "/a/b%20c?d=e" || w.Host != "example.org" || len(w.Header["X-Two"]) != 2 || w.UserAgent() != "test" {
					t.Errorf("%s %q: the server got %+v", method, body, w)
				}
				if w.ContentLength != int64(len(body)) || len(w.TransferEncoding) > 0 {
					t.Errorf("%s %q: length %d, %v", method, body, w.ContentLength, w.TransferEncoding)
				}
				for _, name := range []string{"Accept-Encoding", "Connection", "X-Vegeta-Seq"} {
					if v := w.Header.Get(name); v != "" {
						t.Errorf("%s %q: %s: %s", method, body, name, v)
					}
				}
			}
		}
		if n := s.requests.Load(); n != 6 {
			t.Errorf("the server saw %d requests: redirects are not followed", n)
		}
	})
}

func TestConnectionsAreFreshIfAsked(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c loadtest.Client) {
		s := serve(t, saying(ok))
		for _, fresh := range []bool{false, true} {
			before := s.connections.Load()
			c.FreshConns = fresh
			p := open(t, s.url(), c)
			r := request(t, "GET", s.url(), "", loadtest.Expect{})
			for i := range 5 {
				if got := send(p, r); got.Reused != (!fresh && i > 0) {
					t.Errorf("fresh %v, request %d: reused: %v", fresh, i, got.Reused)
				}
			}
			want := int64(1)
			if fresh {
				want = 5
			}
			if got := s.connections.Load() - before; got != want {
				t.Errorf("fresh %v: %d connections", fresh, got)
			}
			if _, dialed := p.Connections(); int64(dialed) != want {
				t.Errorf("fresh %v: dialed %d", fresh, dialed)
			}
		}
	})
}

// TestAConnectionThatEndedWhileIdleIsNotUsed: nothing was sent on it, so the
// next request goes out on another one, and succeeds.
func TestAConnectionThatEndedWhileIdleIsNotUsed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c loadtest.Client) {
		gone := make(chan struct{}, 10)
		s := serve(t, func(s *server, c net.Conn) {
			_, _ = s.read(bufio.NewReader(c))
			_, _ = io.WriteString(c, ok)
			c.Close()
			gone <- struct{}{}
		})
		p := open(t, s.url(), c)
		r := request(t, "POST", s.url(), "x", loadtest.Expect{Status: []int{200}})
		for range 3 {
			if got := send(p, r); got.Outcome != loadtest.OK {
				t.Fatalf("got %s %q", got.Outcome, got.Class)
			}
			<-gone
			idle(t, p)
		}
		if got := s.requests.Load(); got != 3 {
			t.Errorf("the server saw %d requests of 3", got)
		}
	})
}

// idle waits until a client can know that its connections have ended: net/http
// has noticed, or so much time has passed that fastHTTP looks.
func idle(t *testing.T, p *probe.Probe) {
	t.Helper()
	rounds := 0
	await(t, "idle", func() bool {
		rounds++
		open, _ := p.Connections()
		return open == 0 || rounds > 30
	})
}
