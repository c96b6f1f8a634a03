package guard_test

import (
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/guard"
)

func TestTheServerKnowsAboutTLS(t *testing.T) {
	t.Parallel()
	for _, s := range servers {
		if !s.tls {
			continue
		}
		g := single(t, watchdog.Policy{})
		tg := s.serve(t, g, func(c call) string {
			if guard.Of(c.conn) != c.conn || guard.FromContext(c.conn.Context()) != c.conn {
				t.Error("not found")
			}
			return "x"
		})
		c := tg.dial()
		c.get("/")
		c.want(http.StatusOK, "x")
		_ = c.Close()
	}
	g := single(t, watchdog.Policy{})
	seen := make(chan bool, 1)
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hs := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		seen <- r.TLS != nil && r.TLS.HandshakeComplete
	})}
	g.HTTP(hs)
	runServer(t, hs, g.ListenTLS(inner, tlsConfig()), "")
	c := target{server{network: "tcp", tls: true}, t, inner.Addr().String()}.dial()
	c.get("/")
	c.want(http.StatusOK, "")
	if !<-seen {
		t.Error("the request does not know about TLS")
	}
}

func TestUnderTLSOfTheServerARequestIsCutOff(t *testing.T) {
	t.Parallel()
	g := single(t, quick)
	s := newStuck()
	defer s.free()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hs := &http.Server{Handler: s, TLSConfig: tlsConfig()}
	g.HTTP(hs)
	done := make(chan error, 1)
	ln := g.Listen(inner)
	go func() { done <- hs.ServeTLS(ln, "", "") }()
	c := target{server{network: "tcp", tls: true}, t, inner.Addr().String()}.dial()
	c.get("/")
	<-s.entered
	if a, err := io.ReadAll(c.r); len(a) != 0 {
		t.Errorf("%q, %v", a, err)
	}
	eventually(t, "the kill is reported", func() bool { return len(g.killed()) == 1 })
	s.free()
	<-s.late
	_ = hs.Close()
	<-done
}
