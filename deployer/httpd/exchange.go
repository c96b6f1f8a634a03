package httpd

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/budget"
)

// exchange is one request on its way through its handler. Strings taken from c
// are gone when the handler returns; whatever lives longer must be cloned.
type exchange struct {
	c     *fiber.Ctx
	ctx   context.Context //nolint:containedctx // an exchange lives no longer than its context
	whole context.Context //nolint:containedctx // ctx without the time of the handler: a stream goes on after it
	route *route
	id    string // of the request
	token Token  // who asks; zero on routes without scope

	// What it turned out to be about, for the log; 0 and "" if nothing.
	delivery, deployment int64
	incident             string
}

// wrap is everything that happens around every handler.
func (s *Server) wrap(r route) fiber.Handler {
	passage := s.passage(&r)
	return func(c *fiber.Ctx) error {
		started := time.Now()
		watched, id, room := s.cfg.Warden.Enter(c.Context(), passage)
		ctx, ledger := budget.Start(watched, r.path, s.cfg.Limits.QueryBudget)
		if r.timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, r.timeout)
			defer cancel()
		}
		x := &exchange{c: c, ctx: ctx, whole: watched, route: &r, id: id}
		s.prepare(c, x.id)
		var err error
		if room {
			err = s.run(x)
		} else {
			err = errNoRoom
		}
		if err != nil {
			s.answerFailure(x, err)
		}
		if incident, gaveUp := s.cfg.Warden.GaveUp(watched); gaveUp {
			x.incident = incident
			c.Status(fiber.StatusGatewayTimeout) // for the log and the counters; the client has it already
		}
		s.record(x, err, time.Since(started), ledger)
		return nil
	}
}

// errNoRoom refuses what an overloaded process would only make wait.
var errNoRoom = deployer.Errorf(deployer.CodeUnavailable, "too much is going on here").WithHint("try again in a few seconds")

// run authorizes and handles, and turns a panic into an error.
func (s *Server) run(x *exchange) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	if x.route.scope != "" {
		if x.token, err = s.authorize(x.c, x.route.scope); err != nil {
			return err
		}
	}
	return x.route.handle(x)
}

// panicked is the error of a handler that panicked. The stack goes to the log.
func panicked(p any) error {
	return deployer.Errorf(deployer.CodeInternal, "internal error").Because(fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
}

// prepare sets what every answer carries.
func (s *Server) prepare(c *fiber.Ctx, id string) {
	c.Set(fiber.HeaderXRequestID, id)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderXFrameOptions, "DENY")
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	c.Set(fiber.HeaderCacheControl, "no-store")
}

// record writes the log line of a request and counts it.
func (s *Server) record(x *exchange, err error, took time.Duration, ledger *budget.Ledger) {
	status := x.c.Response().StatusCode()
	s.cfg.Observer.Request(x.route.path, status)
	if over, exceeded := ledger.Over(); exceeded {
		s.cfg.Observer.OverBudget(x.route.path)
		s.cfg.Log.Warn("query budget exceeded", slog.String(deployer.KeyRoute, x.route.path),
			slog.String(deployer.KeyRequest, x.id), slog.Int(deployer.KeyQueries, over.Queries), slog.Int(deployer.KeyLimit, over.Limit),
			slog.String(deployer.KeyStatement, over.Statement), slog.Int(deployer.KeyRepeats, over.Repeats))
	}
	s.logRequest(x, err, took)
}

func (s *Server) logRequest(x *exchange, err error, took time.Duration) {
	status := x.c.Response().StatusCode()
	level := slog.LevelDebug
	if status >= fiber.StatusInternalServerError {
		level = slog.LevelWarn
	}
	if !s.cfg.Log.Enabled(s.base, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String(deployer.KeyMethod, strings.Clone(x.c.Method())), slog.String(deployer.KeyRoute, x.route.path), slog.Int(deployer.KeyStatus, status),
		slog.Duration(deployer.KeyDuration, took), slog.String(deployer.KeyRequest, x.id),
		slog.String(deployer.KeyClient, s.clientIP(x.c)),
	}
	if x.delivery != 0 {
		attrs = append(attrs, slog.Int64(deployer.KeyDelivery, x.delivery))
	}
	if x.deployment != 0 {
		attrs = append(attrs, slog.Int64(deployer.KeyDeployment, x.deployment))
	}
	if x.incident != "" {
		attrs = append(attrs, slog.String(deployer.KeyIncident, x.incident))
	}
	if err != nil {
		attrs = append(attrs, slog.Any(deployer.KeyError, err))
	}
	s.cfg.Log.LogAttrs(s.base, level, "request", attrs...)
}

// json answers with v.
func (x *exchange) json(status int, v any) error {
	encoded, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	x.c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	x.c.Status(status).Response().SetBodyRaw(append(encoded, '\n'))
	return nil
}

// requestID returns the id that the client, or a proxy, gave the request, if
// it can be printed and is not long, else a new one.
func requestID(rctx *fasthttp.RequestCtx) string {
	const longest = 64
	given := string(rctx.Request.Header.Peek(fiber.HeaderXRequestID))
	if given != "" && len(given) <= longest && strings.IndexFunc(given, notIDRune) < 0 {
		return given
	}
	return fmt.Sprintf("%016x", rand.Uint64()) //nolint:gosec // it names, it does not protect
}

func notIDRune(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '-' && r != '_' && r != '.'
}
