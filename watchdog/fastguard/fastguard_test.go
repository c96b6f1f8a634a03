package fastguard_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"go.uber.org/goleak"

	"github.com/seadog/seadog/watchdog/fastguard"
	"github.com/seadog/seadog/watchdog/guard"
)

func TestMain(m *testing.M) {
	// fasthttp's clock never stops once a server has told the time.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"))
}

const patience = 20 * time.Second

// serve runs a Fiber app under a guard and returns a connection to it.
func serve(t *testing.T, route func(app *fiber.App, g *guard.Guard)) (net.Conn, *bufio.Reader) {
	t.Helper()
	g, stop := newGuard(t)
	t.Cleanup(stop)
	app := fiber.New(fiber.Config{DisableStartupMessage: true, Network: fiber.NetworkTCP})
	app.Server().MaxIdleWorkerDuration = 50 * time.Millisecond
	route(app, g)
	fastguard.Attach(g, app.Server())
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- app.Listener(g.Listen(ln)) }()
	nc, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = nc.Close()
		g.Drain()
		if err := app.ShutdownWithTimeout(patience); err != nil {
			t.Error(err)
		}
		<-done
	})
	_ = nc.SetDeadline(time.Now().Add(patience))
	return nc, bufio.NewReader(nc)
}

func ask(t *testing.T, nc net.Conn, path string) {
	t.Helper()
	if _, err := io.WriteString(nc, "GET "+path+" HTTP/1.1\r\nHost: x\r\nX-Request-Id: me\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, r *bufio.Reader, status int, part string) *http.Response {
	t.Helper()
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status || !strings.Contains(string(text), part) {
		t.Fatalf("answer %d %q, %v; want %d with %q", resp.StatusCode, text, err, status, part)
	}
	return resp
}

func TestARouteHasItsOwnDeadline(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	cause := make(chan error, 1)
	nc, r := serve(t, func(app *fiber.App, g *guard.Guard) {
		app.Get("/a", fastguard.Route(g, "/a", guard.Limits{Deadline: 100 * time.Millisecond}), func(c *fiber.Ctx) error {
			ctx := fastguard.Conn(c.Context()).Context()
			<-ctx.Done()
			cause <- context.Cause(ctx)
			<-release
			return c.SendString("late")
		})
		app.Get("/b", func(c *fiber.Ctx) error { return c.SendString(fastguard.Conn(c.Context()).ID()) })
	})
	defer close(release)
	ask(t, nc, "/b")
	want(t, r, http.StatusOK, "me")
	ask(t, nc, "/a")
	if id := want(t, r, http.StatusGatewayTimeout, `"timeout"`).Header.Get("X-Request-Id"); id != "me" {
		t.Errorf("id %q", id)
	}
	var harakiri *guard.HarakiriError
	if err := <-cause; !errors.As(err, &harakiri) || harakiri.Route != "/a" || !errors.Is(err, guard.ErrHarakiri) {
		t.Errorf("cause: %v", err)
	}
	if _, err := r.ReadByte(); err != io.EOF {
		t.Errorf("not the end: %v", err)
	}
}

func TestAStreamLivesAsLongAsItIsTouched(t *testing.T) {
	t.Parallel()
	const limit = 300 * time.Millisecond
	silent := make(chan struct{})
	ended := make(chan error, 1)
	nc, r := serve(t, func(app *fiber.App, g *guard.Guard) {
		app.Get("/a", fastguard.Route(g, "/a", guard.Limits{Deadline: limit, Stream: true}), func(c *fiber.Ctx) error {
			conn := fastguard.Conn(c.Context())
			c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
				tick := time.NewTicker(limit / 10)
				defer tick.Stop()
				for {
					select {
					case <-silent:
						<-conn.Context().Done()
						ended <- context.Cause(conn.Context())
						return
					case <-tick.C:
						conn.Touch()
						_, _ = w.WriteString("data: x\n\n")
						_ = w.Flush()
					}
				}
			})
			return nil
		})
	})
	begun := time.Now()
	ask(t, nc, "/a")
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	event := make([]byte, 9)
	for time.Since(begun) < 3*limit+time.Second { // longer than one that has begun may be silent
		if _, err := io.ReadFull(resp.Body, event); err != nil || string(event) != "data: x\n\n" {
			t.Fatalf("%q, %v", event, err)
		}
	}
	close(silent)
	if err := <-ended; !errors.Is(err, guard.ErrHarakiri) {
		t.Errorf("cause: %v", err)
	}
}

func TestAnUnguardedServerWorksTheSame(t *testing.T) {
	t.Parallel()
	g, stop := newGuard(t)
	defer stop()
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/a", fastguard.Route(g, "/a", guard.Limits{}), func(c *fiber.Ctx) error {
		if fastguard.Conn(c.Context()) != nil {
			t.Error("a guarded connection")
		}
		return c.SendString("a")
	})
	fastguard.Attach(g, app.Server())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://x/a", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := app.Test(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("status %d", resp.StatusCode)
	}
}
