// Package fastguard puts a fasthttp or Fiber v2 server under a [guard.Guard].
//
// It owns nothing and starts no goroutine: it tells the guard, by the hooks
// that fasthttp has, when requests begin and end, and which routes they take.
// The server's listeners must come from [guard.Guard.Listen].
//
// What it relies on, and what a new version of fasthttp must be held against:
// a request is served by the goroutine of its connection; StateActive comes
// after the first byte was waited for with Peek(1) and before anything else;
// StateIdle comes after the answer was put into the buffer, which is written
// before the server waits for more; and StateClosed or StateHijacked comes
// last, whatever happened. MaxConnsPerIP must be 0: with it, the server wraps
// connections out of sight.
package fastguard

import (
	"bytes"
	"net"
	"unsafe"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/seadog/seadog/watchdog/guard"
)

// Attach makes s tell g about its requests. It must be called before s serves,
// and after its handler was set.
func Attach(g *guard.Guard, s *fasthttp.Server) {
	handler, connState := s.Handler, s.ConnState
	s.Handler = func(ctx *fasthttp.RequestCtx) { serve(handler, ctx) }
	s.ConnState = func(nc net.Conn, state fasthttp.ConnState) {
		if c := guard.Of(nc); c != nil {
			tell(c, state)
		}
		if connState != nil {
			connState(nc, state)
		}
	}
}

const requestID = "X-Request-Id"

func tell(c *guard.Conn, state fasthttp.ConnState) {
	switch state {
	case fasthttp.StateActive:
		c.Active()
	case fasthttp.StateIdle:
		c.Idle()
	case fasthttp.StateHijacked:
		c.Hijacked()
	case fasthttp.StateClosed:
		c.Closed()
	}
}

func serve(next fasthttp.RequestHandler, ctx *fasthttp.RequestCtx) {
	c := Conn(ctx)
	if c == nil {
		next(ctx)
		return
	}
	id := idOf(&ctx.Request.Header)
	// Begin copies the id before it returns.
	if !c.Begin(guard.Begin{ID: unsafe.String(unsafe.SliceData(id), len(id)), Route: -1, At: ctx.Time()}) {
		return
	}
	next(ctx)
	if c.Ending() {
		ctx.SetConnectionClose()
	}
}

// idOf returns the id that a client gave its request. Few do, and Peek costs as
// much as a third of all that the guard does; a header without a letter of the
// name does not have it.
func idOf(h *fasthttp.RequestHeader) []byte {
	raw := h.RawHeaders()
	if bytes.IndexByte(raw, 'q') < 0 && bytes.IndexByte(raw, 'Q') < 0 {
		return nil
	}
	return h.Peek(requestID)
}

// Conn returns the guarded connection of a request; nil if it is not guarded.
func Conn(ctx *fasthttp.RequestCtx) *guard.Conn { return guard.Of(ctx.Conn()) }

// Route returns the first handler of a Fiber route. It panics if the guard was
// not told the name.
func Route(g *guard.Guard, name string, l guard.Limits) fiber.Handler {
	i := g.RouteNumber(name)
	return func(f *fiber.Ctx) error {
		if c := Conn(f.Context()); c != nil && !c.Enter(i, l) {
			body, retry := c.Overloaded()
			f.Set(fiber.HeaderRetryAfter, retry)
			f.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
			return f.Status(fiber.StatusServiceUnavailable).Send(body)
		}
		return f.Next()
	}
}
