package httpd_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer/httpd"
)

func TestADrainFinishesWhatIsUnderWayAndEndsStreams(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *httpd.Config) { c.Limits.AcceptTimeout = 500 * time.Millisecond })
	id := s.running()
	e := s.follow(id, "")
	e.next()
	s.store.hang.Store(true)
	c := s.dial()
	body := push("refs/heads/main", commitA, commitB)
	fmt.Fprintf(c, "POST /hooks/gh HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-GitHub-Event: push\r\nX-Hub-Signature-256: %s\r\nContent-Length: %d\r\n\r\n%s",
		sign(body), len(body), body)
	answered := make(chan string, 1)
	go func() {
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			answered <- err.Error()
			return
		}
		_ = res.Body.Close()
		answered <- res.Status
	}()
	eventually(t, "the delivery waits for the store", func() bool { return s.store.held.Load() > 0 })
	began := time.Now()
	s.stop()
	if _, ok := e.next(); ok {
		t.Error("the live log went on")
	}
	if got := <-answered; got != "503 Service Unavailable" {
		t.Errorf("the request under way got %q, want its own answer", got)
	}
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("the drain took %s", took)
	}
}

func TestADrainDoesNotWaitForEverForAClient(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *httpd.Config) { c.Limits.Drain = 100 * time.Millisecond })
	c := s.dial()
	fmt.Fprint(c, "POST /hooks/gh HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
	if a := s.do("GET", "/healthz", nil); a.status != 200 { // by now the other one was accepted
		t.Fatal(a)
	}
	began := time.Now()
	s.stop()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the drain took %s", took)
	}
}

func TestStartingAndStoppingAtAnyMomentLeavesNothing(t *testing.T) {
	t.Parallel()
	s := start(t)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			server, err := httpd.New(broken(s, func(*httpd.Config) {}))
			if err != nil {
				t.Error(err)
				return
			}
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Error(err)
				return
			}
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i)*time.Millisecond)
			defer cancel()
			if err := server.Run(ctx, []net.Listener{ln}); err != nil {
				t.Error(err)
			}
			if err := server.Run(ctx, []net.Listener{ln}); err == nil {
				t.Error("it ran twice")
			}
		})
	}
	wg.Wait()
}

func TestSeveralListenersAreServedAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t)
	server, err := httpd.New(broken(s, func(*httpd.Config) {}))
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(t.TempDir(), "s")
	unix, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	certified := httptest.NewTLSServer(nil) // only for its certificate
	defer certified.Close()
	over := tls.NewListener(plain, &tls.Config{Certificates: certified.TLS.Certificates})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx, []net.Listener{unix, tcp, over}) }()
	for _, at := range []net.Addr{unix.Addr(), tcp.Addr(), over.Addr()} {
		c, err := net.Dial(at.Network(), at.String())
		if err != nil {
			t.Fatal(err)
		}
		if at == over.Addr() {
			c = tls.Client(c, &tls.Config{InsecureSkipVerify: true})
		}
		fmt.Fprint(c, "GET /healthz HTTP/1.0\r\n\r\n")
		all, err := io.ReadAll(c)
		if err != nil || !strings.HasPrefix(string(all), "HTTP/1.1 200") {
			t.Errorf("%s: %q, %v", at, all, err)
		}
		_ = c.Close()
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// failing is a listener whose first accepts fail as they do without descriptors.
type failing struct {
	net.Listener
	left atomic.Int64
	err  error
}

func (l *failing) Accept() (net.Conn, error) {
	if l.left.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Err: l.err}
	}
	return l.Listener.Accept()
}

func TestRunningOutOfDescriptorsOnlyPausesAccepting(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err      syscall.Errno
		survives bool
	}{{syscall.EMFILE, true}, {syscall.ENFILE, true}, {syscall.ECONNABORTED, true}, {syscall.EBADF, false}} {
		s := start(t)
		server, err := httpd.New(broken(s, func(*httpd.Config) {}))
		if err != nil {
			t.Fatal(err)
		}
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ln := &failing{Listener: tcp, err: test.err}
		ln.left.Store(3)
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- server.Run(ctx, []net.Listener{ln}) }()
		if test.survives {
			res, err := s.client.Get("http://" + tcp.Addr().String() + "/healthz")
			if err != nil {
				t.Fatalf("%v: %v", test.err, err)
			}
			_ = res.Body.Close()
			cancel()
		}
		if err := <-done; (err == nil) != test.survives || err != nil && !errors.Is(err, test.err) {
			t.Errorf("after %v: Run returned %v", test.err, err)
		}
		cancel()
	}
}
