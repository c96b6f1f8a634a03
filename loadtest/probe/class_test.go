package probe_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/probe"
)

// once handles the first request of a connection.
func once(then func(c net.Conn)) func(*server, net.Conn) {
	return func(s *server, c net.Conn) {
		if _, err := s.read(bufio.NewReader(c)); err == nil {
			then(c)
		}
	}
}

func TestFailuresHaveAClassWithoutAddresses(t *testing.T) {
	t.Parallel()
	good := loadtest.Expect{Status: []int{200}}
	for name, spec := range map[string]struct {
		handle func(*server, net.Conn)
		base   func(*server) string
		expect loadtest.Expect
		want   string
	}{
		"closed":         {handle: once(func(net.Conn) {}), expect: good, want: "broken: connection closed"},
		"closed, and so": {handle: once(func(net.Conn) {}), expect: loadtest.Expect{Status: []int{200}, Closed: true}, want: "ok: "},
		"reset": {handle: once(func(c net.Conn) {
			_ = c.(*net.TCPConn).SetLinger(0)
			_ = c.Close()
		}), expect: good, want: "broken: connection reset"},
		"refused": {
			base: func(s *server) string {
				_ = s.Close()
				return s.url()
			}, expect: loadtest.Expect{Closed: true}, want: "broken: connection refused",
		},
		"no such host": {base: func(*server) string { return "http://nowhere.invalid:80" }, expect: good, want: "broken: no such host"},
		"other protocol": {
			handle: once(func(c net.Conn) { _, _ = io.WriteString(c, "SSH-2.0-OpenSSH_9.2p1 Debian\r\n\r\n") }),
			expect: good, want: "broken: malformed answer",
		},
		"half an answer": {
			handle: once(func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345") }),
			expect: good, want: "broken: connection closed",
		},
		"plain where TLS is expected": {
			handle: func(_ *server, c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") },
			base:   func(s *server) string { return strings.Replace(s.url(), "http:", "https:", 1) },
			expect: good, want: "broken: tls",
		},
		"another status": {handle: saying("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno"), expect: good, want: "unexpected: status 503"},
		"strange status": {handle: saying("HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n"), expect: good, want: "unexpected: status beyond 599"},
		"too long": {
			handle: saying("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n12345678901"),
			expect: loadtest.Expect{Status: []int{200}, MaxBody: 10}, want: "unexpected: answer too long",
		},
		"as long as it may be": {
			handle: saying("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1234567890"),
			expect: loadtest.Expect{Status: []int{200}, MaxBody: 10}, want: "ok: ",
		},
		"chunked and too long": {
			handle: saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n12345678901234567890\r\n0\r\n\r\n"),
			expect: loadtest.Expect{MaxBody: 10}, want: "unexpected: answer too long",
		},
		"text missing": {
			handle: saying(ok), expect: loadtest.Expect{Contains: "okay"}, want: "unexpected: answer without the text that was expected",
		},
		"text missing, no body": {
			handle: saying("HTTP/1.1 204 No Content\r\n\r\n"), expect: loadtest.Expect{Contains: "okay"}, want: "unexpected: answer without the text that was expected",
		},
		"text there": {handle: saying(ok), expect: loadtest.Expect{Contains: "k"}, want: "ok: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, c loadtest.Client) {
				handle := spec.handle
				if handle == nil {
					handle = silent
				}
				s := serve(t, handle)
				base := s.url()
				if spec.base != nil {
					base = spec.base(s)
				}
				p := open(t, base, c)
				for range 2 { // what is used again has forgotten
					got := send(p, request(t, "POST", base, "body", spec.expect))
					if text := got.Outcome.String() + ": " + got.Class; text != spec.want {
						t.Errorf("got %s, want %s", text, spec.want)
					}
					if got.Done < got.Sent || got.Sent == 0 {
						t.Errorf("sent %s, done %s", got.Sent, got.Done)
					}
				}
			})
		})
	}
}

func TestTimeOutsSayWhatWasWaitedFor(t *testing.T) {
	t.Parallel()
	for want, spec := range map[string]struct {
		handle func(*server, net.Conn)
		secure bool
	}{
		"timeout without an answer": {handle: silent},
		"timeout within the answer": {handle: once(func(c net.Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
			silent(nil, c)
		})},
		"timeout while connecting": {handle: silent, secure: true},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, c loadtest.Client) {
				s := serve(t, spec.handle)
				base := s.url()
				if spec.secure {
					base = strings.Replace(base, "http:", "https:", 1)
				}
				c.Timeout = 100 * time.Millisecond
				p := open(t, base, c)
				for range 3 {
					got := send(p, request(t, "GET", base, "", loadtest.Expect{}))
					if got.Outcome != loadtest.TimedOut || got.Class != want {
						t.Errorf("got %s: %s", got.Outcome, got.Class)
					}
					if got.Service() < c.Timeout {
						t.Errorf("given up after %s", got.Service())
					}
					if wants := want == "timeout within the answer"; (got.First > 0) != wants || wants && got.TTFB() >= got.Service() {
						t.Errorf("first byte at %s", got.First)
					}
				}
			})
		})
	}
}

func TestWaitingForAConnectionTimesOut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c loadtest.Client) {
		s := serve(t, silent)
		c.MaxConns, c.Timeout = 1, 2*time.Second
		p := open(t, s.url(), c)
		outcomes := make(chan loadtest.Outcome)
		for range 2 {
			go func() { outcomes <- send(p, request(t, "GET", s.url(), "", loadtest.Expect{})).Outcome }()
		}
		await(t, "both in flight", func() bool { _, n := p.Inflight(0); return n == 2 })
		if open, dialed := p.Connections(); open > 1 || dialed > 1 {
			t.Errorf("%d connections, %d dialed", open, dialed)
		}
		for range 2 {
			if got := <-outcomes; got != loadtest.TimedOut {
				t.Errorf("got %s", got)
			}
		}
	})
}

func TestATextIsFoundWhereverItIs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c loadtest.Client) {
		for _, text := range []string{"x", "needle", strings.Repeat("long", 3000)} {
			for _, before := range []int{0, 8<<10 - 3, 8 << 10, 100_000} {
				body := strings.Repeat("-", before) + text + strings.Repeat("-", 50)
				s := serve(t, saying(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)))
				p := open(t, s.url(), c)
				for _, want := range []bool{true, false} {
					expect := text
					if !want {
						expect += "?"
					}
					got := send(p, request(t, "GET", s.url(), "", loadtest.Expect{Contains: expect}))
					if (got.Outcome == loadtest.OK) != want || got.BytesIn != int64(len(body)) {
						t.Errorf("%d bytes after %d: %s, %d bytes in", len(text), before, got.Outcome, got.BytesIn)
					}
				}
			}
		}
	})
}

// roundTripper is a client of a test's own.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAMillionDifferentErrorsAreOneClass(t *testing.T) {
	t.Parallel()
	errors, n := 1_000_000, 0
	if testing.Short() {
		errors = 100_000
	}
	p := run(t, probe.Config{
		Client: client(loadtest.NetHTTP), BaseURL: "http://127.0.0.1:1", Start: time.Now(),
		Through: roundTripper(func(*http.Request) (*http.Response, error) {
			n++
			return nil, fmt.Errorf("no answer from 10.0.0.1:%d", n)
		}),
	})
	classes := map[string]int{}
	r := request(t, "GET", "http://127.0.0.1:1", "", loadtest.Expect{})
	for range errors {
		classes[send(p, r).Class]++
	}
	if len(classes) != 1 || classes["other"] != errors {
		t.Errorf("got %d classes", len(classes))
	}
}

func TestAnAnswerThatComesBeforeTheRequestIsOver(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c loadtest.Client) {
		s := serve(t, func(_ *server, c net.Conn) {
			if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				_, _ = io.WriteString(c, "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
				_ = c.(*net.TCPConn).CloseWrite()
				silent(nil, c)
			}
		})
		p := open(t, s.url(), c)
		body := strings.Repeat("x", 30<<20)
		for range 3 {
			got := send(p, request(t, "POST", s.url(), body, loadtest.Expect{Status: []int{413}}))
			if got.Outcome != loadtest.OK || got.Status != 413 {
				t.Errorf("got %s %q %d", got.Outcome, got.Class, got.Status)
			}
		}
	})
}

func TestWhatIsWrongWithAProbeIsSaid(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]probe.Config{
		"client: requests need a timeout; write one, like 5s":             {BaseURL: "http://a", Client: loadtest.Client{}},
		`base_url "a" is none; write http://host:port`:                    {BaseURL: "a"},
		`client: there is no transport "curl"; write nethttp or fasthttp`: {BaseURL: "http://a", Client: loadtest.Client{Transport: "curl", Timeout: 1}},
	} {
		if _, err := probe.New(c); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
