package guard_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/seadog/seadog/watchdog/fastguard"
	"github.com/seadog/seadog/watchdog/guard"
)

// call is a request, whatever serves it.
type call struct {
	conn *guard.Conn
	path string
	body string
}

// handler returns the body of the answer.
type handler func(c call) string

// server is one way to serve under a guard.
type server struct {
	name    string
	fast    bool
	tls     bool
	network string
}

var servers = []server{
	{name: "net-http", network: "tcp"},
	{name: "fasthttp", network: "tcp", fast: true},
	{name: "net-http-tls", network: "tcp", tls: true},
	{name: "fasthttp-tls", network: "tcp", fast: true, tls: true},
	{name: "fasthttp-unix", network: "unix", fast: true},
}

// each runs a test for every server.
func each(t *testing.T, test func(t *testing.T, s server)) {
	t.Parallel()
	for _, s := range servers {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			test(t, s)
		})
	}
}

// target is a server that runs.
type target struct {
	server
	t    testing.TB
	addr string
}

func (s server) serve(t testing.TB, r *rig, h handler) target {
	t.Helper()
	addr := "127.0.0.1:0"
	if s.network == "unix" {
		addr = filepath.Join(t.TempDir(), "s")
	}
	inner, err := net.Listen(s.network, addr)
	if err != nil {
		t.Fatal(err)
	}
	ln := r.Listen(inner)
	if s.tls {
		ln = r.ListenTLS(inner, tlsConfig())
	}
	tg := target{server: s, t: t, addr: inner.Addr().String()}
	if !s.fast {
		hs := &http.Server{
			ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0),
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				_, _ = io.WriteString(w, h(call{guard.FromContext(r.Context()), r.URL.Path, string(body)}))
			}),
		}
		r.HTTP(hs)
		runServer(t, hs, ln, "")
		return tg
	}
	runFast(t, r, &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		ctx.WriteString(h(call{fastguard.Conn(ctx), string(ctx.Path()), string(ctx.PostBody())}))
	}}, ln)
	return tg
}

func runFast(t testing.TB, r *rig, s *fasthttp.Server, ln net.Listener) {
	t.Helper()
	s.Logger, s.NoDefaultDate = quiet{}, true       // its clock never stops
	s.MaxIdleWorkerDuration = 50 * time.Millisecond // its goroutines end with the test
	s.CloseOnShutdown = true
	fastguard.Attach(r.Guard, s)
	done := make(chan error, 1)
	go func() { done <- s.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		r.Drain() // fasthttp itself waits for idle connections
		if err := s.ShutdownWithContext(ctx); err != nil {
			t.Errorf("shut down: %v", err)
		}
		<-done
	})
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}

// dial opens a connection; nil if it is refused.
func (tg target) dial() *client {
	tg.t.Helper()
	nc, err := net.Dial(tg.network, tg.addr)
	if err != nil {
		tg.t.Fatal(err)
	}
	if tg.tls {
		nc = tls.Client(nc, &tls.Config{InsecureSkipVerify: true})
	}
	tg.t.Cleanup(func() { _ = nc.Close() })
	return speak(tg.t, nc)
}

func tlsConfig() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{certificate()}}
}

var certificate = sync.OnceValue(func() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
})
