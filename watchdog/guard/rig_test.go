package guard_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/guard"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

func TestMain(m *testing.M) {
	// fasthttp's clock never stops once a server has told the time.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"))
}

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

var routes = []string{"/a", "/b"}

// regions returns the regions of a pool, each begun, the first one accepting.
func regions(t testing.TB, n, slots int) []*scoreboard.Region {
	t.Helper()
	board, file, err := scoreboard.Create(scoreboard.Layout{
		Pools:  []scoreboard.PoolLayout{{Name: "http", Regions: n, Slots: slots}},
		Routes: routes,
	})
	if err != nil {
		t.Fatal(err)
	}
	// It stays mapped: a server says last of all that a connection has ended,
	// and nobody waits for that.
	_ = file.Close()
	pool, err := board.Pool("http")
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range pool.Regions() {
		r.Begin(1, i)
		r.SetState(watchdog.Ready)
	}
	pool.Regions()[0].Promote()
	return pool.Regions()
}

// rig is a guard that runs.
type rig struct {
	*guard.Guard
	region *scoreboard.Region

	mu    sync.Mutex
	kills []watchdog.Kill
}

func (r *rig) killed() []watchdog.Kill {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]watchdog.Kill(nil), r.kills...)
}

func config(region *scoreboard.Region) guard.Config {
	return guard.Config{Region: region, Routes: routes, TaskGrace: 200 * time.Millisecond, Log: slog.New(slog.DiscardHandler)}
}

func start(t testing.TB, region *scoreboard.Region, p watchdog.Policy) *rig {
	t.Helper()
	r := &rig{region: region}
	cfg := config(region)
	cfg.Policy = p
	cfg.Killed = func(k watchdog.Kill) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.kills = append(r.kills, k)
	}
	g, err := guard.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.Guard = g
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return r
}

// single returns a guard over a region of its own.
func single(t testing.TB, p watchdog.Policy) *rig {
	t.Helper()
	return start(t, regions(t, 1, 1024)[0], p)
}

// serve runs an HTTP server under the guard and returns its address.
func (r *rig) serve(t testing.TB, h http.Handler, change ...func(*http.Server)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	for _, c := range change {
		c(s)
	}
	r.HTTP(s)
	return runServer(t, s, r.Listen(ln), ln.Addr().String())
}

func runServer(t testing.TB, s *http.Server, ln net.Listener, addr string) string {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- s.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("shut down: %v", err)
			_ = s.Close()
		}
		<-done
	})
	return addr
}

// client is one connection that speaks HTTP as it is written.
type client struct {
	net.Conn
	t testing.TB
	r *bufio.Reader
}

func dial(t testing.TB, addr string) *client {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	return speak(t, nc)
}

func speak(t testing.TB, nc net.Conn) *client {
	_ = nc.SetDeadline(time.Now().Add(patience))
	return &client{nc, t, bufio.NewReader(nc)}
}

func (c *client) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.Conn, text); err != nil {
		c.t.Fatalf("send: %v", err)
	}
}

func (c *client) get(path string) { c.t.Helper(); c.send(get(path)) }

func getAs(id, path string) string {
	return fmt.Sprintf("GET %s HTTP/1.1\r\nHost: x\r\nX-Request-Id: %s\r\n\r\n", path, id)
}

func get(path string) string { return fmt.Sprintf("GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path) }

type answer struct {
	*http.Response
	text string
}

// answer reads one answer; nil if the connection ended instead.
func (c *client) answer() *answer {
	c.t.Helper()
	if _, err := c.r.Peek(1); err != nil {
		return nil
	}
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatalf("malformed answer: %v", err)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatalf("malformed body: %v", err)
	}
	return &answer{resp, string(text)}
}

// want reads an answer with that status and something in its body.
func (c *client) want(status int, part string) *answer {
	c.t.Helper()
	a := c.answer()
	switch {
	case a == nil:
		c.t.Fatalf("the connection ended; want %d", status)
	case a.StatusCode != status || !strings.Contains(a.text, part):
		c.t.Fatalf("answer %d %q; want %d with %q", a.StatusCode, a.text, status, part)
	}
	return a
}

// wantEnd expects the connection to end without a byte more.
func (c *client) wantEnd() {
	c.t.Helper()
	if b, err := c.r.ReadByte(); err != io.EOF {
		rest, _ := io.ReadAll(c.r)
		c.t.Fatalf("not the end of the connection: %v, %q", err, append([]byte{b}, rest...))
	}
}

// eventually waits until the condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !holds(); {
		if time.Now().After(end) {
			t.Fatalf("did not happen: %s", what)
		}
		<-tick.C
	}
}

func (r *rig) phase(slot int) scoreboard.Phase { return r.region.Slots()[slot].Token().Phase() }

func (r *rig) phases(p scoreboard.Phase) (n int) {
	slots := r.region.Used()
	for i := range slots {
		if slots[i].Token().Phase() == p {
			n++
		}
	}
	return n
}
