package lab

import (
	"context"
	"fmt"
	"math"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/seadog/seadog/watchdog/fastguard"
	"github.com/seadog/seadog/watchdog/guard"
	"github.com/seadog/seadog/watchdog/lock"
)

// route is one path of the application.
type route struct {
	method, path string
	limits       guard.Limits
	handle       func(*app, *fiber.Ctx) error
}

func (r route) name() string { return r.method + " " + r.path }

// routes are all paths. Each is given its name and its limits where it is
// registered, because only there its final route is known.
func routes() []route {
	return []route{
		{"GET", "/health", guard.Limits{Essential: true}, (*app).health},
		{"GET", "/echo", guard.Limits{}, (*app).echo},
		{"POST", "/echo", guard.Limits{}, (*app).echo},
		{"GET", "/stream", guard.Limits{Stream: true}, (*app).stream},
		{"POST", "/webhook", guard.Limits{}, (*app).webhook},

		{"GET", "/sleep", guard.Limits{}, (*app).sleep},
		{"GET", "/spin", guard.Limits{}, (*app).spin},
		{"GET", "/cspin", guard.Limits{}, (*app).cspin},
		{"GET", "/deadlock", guard.Limits{}, (*app).deadlock},
		{"GET", "/lockorder", guard.Limits{}, (*app).lockorder},
		{"GET", "/crash", guard.Limits{}, (*app).crash},
		{"GET", "/freeze", guard.Limits{}, (*app).freeze},
		{"GET", "/leak", guard.Limits{}, (*app).leak},
		{"GET", "/burn", guard.Limits{}, (*app).burn},
		{"GET", "/hot", guard.Limits{}, (*app).hot},
		{"GET", "/blackhole", guard.Limits{}, (*app).blackhole},
		{"GET", "/lease", guard.Limits{}, (*app).lease},
	}
}

func routeNames() []string {
	var names []string
	for _, r := range routes() {
		names = append(names, r.name())
	}
	return names
}

// app is the application of one process, and what its faults ruin.
type app struct {
	guard  *guard.Guard // nil if nothing watches
	faults string
	hooks  *hooks          // nil if there is no database
	intake context.Context // streams end with it
	pid    string

	accounts *pair         // of /deadlock
	ledgers  *trackedPair  // of /lockorder
	hole     sync.Mutex    // of /blackhole
	leases   chan struct{} // of /lease; full when none is left
	pace     func() int    // of /burn: turns of its loop in a millisecond

	mu     sync.Mutex // guards leaked
	leaked [][]byte
}

const bodyLimit = 26 << 20

// newApp returns the application; g may be nil.
func newApp(intake context.Context, g *guard.Guard, c Config, graph *lock.Graph, h *hooks) *fiber.App {
	a := &app{
		guard: g, faults: c.Faults, hooks: h, intake: intake, pid: strconv.Itoa(os.Getpid()),
		accounts: newPair(), ledgers: newTrackedPair(graph), pace: sync.OnceValue(calibrate),
		leases: make(chan struct{}, leases),
	}
	f := fiber.New(fiber.Config{
		DisableStartupMessage: true, BodyLimit: bodyLimit,
		ReadTimeout: 30 * time.Second, IdleTimeout: time.Minute,
	})
	for _, r := range routes() {
		var handlers []fiber.Handler
		if g != nil {
			handlers = append(handlers, fastguard.Route(g, r.name(), r.limits))
		}
		f.Add(r.method, r.path, append(handlers, func(c *fiber.Ctx) error {
			c.Set("X-Pid", a.pid)
			return r.handle(a, c)
		})...)
	}
	if g != nil {
		fastguard.Attach(g, f.Server())
	}
	f.Server().MaxIdleWorkerDuration = 2 * time.Second // or it looks as if it leaked for a while after a load
	return f
}

func (a *app) health(c *fiber.Ctx) error { return c.SendString("ok") }

func (a *app) echo(c *fiber.Ctx) error { return c.Send(c.Body()) }

// context returns what a request may wait with: it ends when the request is
// given up. Nothing ever ends it if nothing watches.
func (a *app) context(c *fiber.Ctx) context.Context {
	if conn := fastguard.Conn(c.Context()); a.guard != nil && conn != nil {
		return lock.WithHolder(conn.Context(), lock.Holder{
			Request: conn.ID(), Route: c.Method() + " " + c.Route().Path, Slot: conn.Slot(), Generation: conn.Generation(),
		})
	}
	return a.intake
}

const longest = time.Hour

// span reads a duration in seconds from the query; def if there is none.
func span(c *fiber.Ctx, name string, def time.Duration) (time.Duration, error) {
	text := c.Query(name)
	if text == "" {
		return def, nil
	}
	s, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(s) || s < 0 || s > longest.Seconds() {
		return 0, fiber.NewError(fiber.StatusBadRequest, fmt.Sprintf("%s: must be between 0 and %.0f", name, longest.Seconds()))
	}
	return time.Duration(s * float64(time.Second)), nil
}

// number reads a number from the query.
func number(c *fiber.Ctx, name string, most int) (int, error) {
	n, err := strconv.Atoi(c.Query(name, "1"))
	if err != nil || n < 0 || n > most {
		return 0, fiber.NewError(fiber.StatusBadRequest, fmt.Sprintf("%s: must be between 0 and %d", name, most))
	}
	return n, nil
}
