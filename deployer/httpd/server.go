package httpd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/desk"
)

// Server is the HTTP plane of one worker process.
type Server struct {
	cfg     Config
	desk    *desk.Desk
	hooks   map[string]*hook
	methods []string // that the router knows

	app      *fiber.App
	handle   fasthttp.RequestHandler
	bodies   *bodies
	conns    *connections
	statuses *statuses
	streams  atomic.Int64
	ready    readiness

	// Set by Run before the first request; requests have no contexts of their own in fasthttp.
	ran     atomic.Bool
	serving context.Context //nolint:containedctx // ends when a drain begins; live logs end with it
	base    context.Context //nolint:containedctx // ends when the time for a drain is over; every request's comes from it
}

// hook is a deployer.Hook with its projects looked up.
type hook struct {
	deployer.Hook
	projects []deployer.Project
	refused  atomic.Int64 // Unix seconds of the last refusal that was logged as a warning
}

// New returns a server that accepts nothing until Run.
func New(cfg Config) (*Server, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	office, err := desk.New(desk.Config{Store: cfg.Store, Projects: cfg.Projects, Hooks: cfg.Hooks, Ring: cfg.Ring, Now: cfg.Now})
	if err != nil {
		return nil, fmt.Errorf("httpd: %w", err)
	}
	s := &Server{
		cfg:      cfg,
		desk:     office,
		hooks:    make(map[string]*hook, len(cfg.Hooks)),
		bodies:   newBodies(cfg.Limits),
		conns:    newConnections(),
		statuses: newStatuses(cfg.Store, cfg.Limits),
	}
	for _, h := range cfg.Hooks {
		known := &hook{Hook: h}
		for _, name := range h.Projects {
			p, err := office.Configured(name)
			if err != nil {
				return nil, fmt.Errorf("httpd: %w", err)
			}
			known.projects = append(known.projects, p)
		}
		s.hooks[h.Name] = known
	}
	if s.cfg.Warden == nil {
		s.cfg.Warden = unwatched{s}
	}
	s.app = s.newApp()
	s.handle = s.app.Handler()
	s.cfg.Warden.Attach(s.app.Server())
	return s, nil
}

// newApp configures router and server. ReduceMemoryUsage gives buffers back
// between requests, so that ten thousand idle connections hold none.
func (s *Server) newApp() *fiber.App {
	app := fiber.New(fiber.Config{
		CaseSensitive:                true,
		StrictRouting:                true,
		DisableStartupMessage:        true,
		BodyLimit:                    defaultBody,
		ReadTimeout:                  s.cfg.Limits.HeaderTimeout,
		WriteTimeout:                 s.cfg.Limits.WriteTimeout,
		IdleTimeout:                  s.cfg.Limits.IdleTimeout,
		ReadBufferSize:               longestHeader,
		Concurrency:                  s.cfg.Limits.Connections,
		ReduceMemoryUsage:            true,
		StreamRequestBody:            true,
		DisablePreParseMultipartForm: true,
		DisableDefaultContentType:    true,
		ErrorHandler:                 s.unrouted,
	})
	s.methods = app.Config().RequestMethods
	for _, r := range s.all() {
		app.Add(r.method, r.pattern, s.wrap(r))
		if r.method == fiber.MethodGet && !r.stream {
			app.Add(fiber.MethodHead, r.pattern, s.wrap(r))
		}
	}
	server := app.Server()
	server.Handler = s.top
	server.HeaderReceived = s.headerReceived
	server.MaxIdleWorkerDuration = idleWorker
	return app
}

// idleWorker is how long a goroutine of the server waits for a connection after
// its last one. A new one costs next to nothing, and a service at rest that holds
// a hundred looks like one that leaks.
const idleWorker = 2 * time.Second

// top sees every request, also those that no route matches.
func (s *Server) top(rctx *fasthttp.RequestCtx) {
	if !slices.Contains(s.methods, string(rctx.Method())) {
		s.refuseMethod(rctx)
	} else {
		s.handle(rctx)
	}
	// What is left of a body would be taken for the next request.
	if rctx.RequestBodyStream() != nil && unreadBody(&rctx.Request.Header) {
		rctx.SetConnectionClose()
		if c, ok := rctx.Conn().(*conn); ok {
			c.linger.Store(true)
		}
	}
}

// Run serves on all listeners until ctx ends; then it stops accepting, ends
// live logs, finishes what is under way for at most Limits.Drain, and closes
// what is left. It closes the listeners, returns nil when ctx ended, and may be
// called once.
func (s *Server) Run(ctx context.Context, listeners []net.Listener) error {
	if s.ran.Swap(true) {
		return errors.New("httpd: run twice")
	}
	if len(listeners) == 0 {
		return errors.New("httpd: no listener")
	}
	base, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	s.serving, s.base = ctx, base
	failed := make(chan error, len(listeners))
	accepting := make([]net.Listener, len(listeners))
	var wg sync.WaitGroup
	for i, ln := range listeners {
		accepting[i] = s.conns.listen(ctx, ln, s.cfg.Log)
		wg.Go(func() {
			if err := s.app.Server().Serve(accepting[i]); err != nil {
				failed <- fmt.Errorf("serve %s: %w", ln.Addr(), err)
			}
		})
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	stop()
	for _, ln := range accepting {
		_ = ln.Close()
	}
	s.partFromIdle()
	s.drain(ctx)
	cancel(errDrained)
	wg.Wait()
	s.conns.wait()
	return err
}

var errDrained = errors.New("the server was stopped")

// farewell is how long a warden has to close connections that are idle.
const farewell = 2500 * time.Millisecond

// partFromIdle lets a warden close idle connections. The server below would
// close them at once, and with them the request that a client is just sending.
func (s *Server) partFromIdle() {
	if _, nobody := s.cfg.Warden.(unwatched); !nobody {
		s.conns.waitFor(farewell)
	}
}

// drain waits for requests under way, and closes the connections of those that
// take too long.
func (s *Server) drain(ctx context.Context) {
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Limits.Drain)
	defer cancel()
	if err := s.app.Server().ShutdownWithContext(grace); err != nil {
		s.cfg.Log.Warn("requests did not finish in time", slog.Int(deployer.KeyCount, s.conns.count()),
			slog.Any(deployer.KeyError, err))
	}
	s.conns.closeAll()
}
