package httpd

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/seadog/seadog/deployer"
)

// statusOf maps the code of an error to the status of its answer.
func statusOf(code deployer.Code) int {
	switch code {
	case deployer.CodeInvalid:
		return fiber.StatusBadRequest
	case deployer.CodeUnauthorized:
		return fiber.StatusUnauthorized
	case deployer.CodeForbidden:
		return fiber.StatusForbidden
	case deployer.CodeNotFound:
		return fiber.StatusNotFound
	case deployer.CodeConflict:
		return fiber.StatusConflict
	case deployer.CodeTooLarge:
		return fiber.StatusRequestEntityTooLarge
	case deployer.CodeUnavailable:
		return fiber.StatusServiceUnavailable
	case deployer.CodeTimeout:
		return fiber.StatusGatewayTimeout
	case deployer.CodeInternal:
	}
	return fiber.StatusInternalServerError
}

// publicOf returns what a client may know of err, and the status to say it
// with. It is the one place where errors become answers.
func publicOf(err error) (int, *deployer.Error) {
	var known *deployer.Error
	if errors.As(err, &known) {
		if known.Code == deployer.CodeInternal {
			return fiber.StatusInternalServerError, internal()
		}
		return statusOf(known.Code), known
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return fiber.StatusServiceUnavailable, deployer.Errorf(deployer.CodeUnavailable, "no answer in time").
			WithHint("try again in a few seconds")
	}
	var routing *fiber.Error
	if errors.As(err, &routing) {
		return routing.Code, publicOfRouting(routing)
	}
	return fiber.StatusInternalServerError, internal()
}

func internal() *deployer.Error {
	return deployer.Errorf(deployer.CodeInternal, "internal error").
		WithHint("the service's log has the cause under the id of this request")
}

// publicOfRouting words what router and server refuse by themselves. Their own
// messages repeat what the client sent.
func publicOfRouting(err *fiber.Error) *deployer.Error {
	switch err.Code {
	case fiber.StatusNotFound:
		return deployer.Errorf(deployer.CodeNotFound, "there is nothing at this path")
	case fiber.StatusMethodNotAllowed:
		return deployer.Errorf(deployer.CodeInvalid, "this path does not take that method")
	case fiber.StatusRequestTimeout:
		return deployer.Errorf(deployer.CodeTimeout, "the request did not arrive in time")
	case fiber.StatusRequestEntityTooLarge:
		return deployer.Errorf(deployer.CodeTooLarge, "the body is too large")
	case fiber.StatusRequestHeaderFieldsTooLarge:
		return deployer.Errorf(deployer.CodeTooLarge, "the header is too large")
	}
	return deployer.Errorf(deployer.CodeInvalid, "this is not HTTP as it should be")
}

// answerFailure answers with the public part of err, in the way of the route.
func (s *Server) answerFailure(x *exchange, err error) {
	if x.route.fail == nil {
		s.fail(x.c, x.id, err)
		return
	}
	status, public := publicOf(err)
	failed(x.c, status)
	x.route.fail(x, status, public)
}

// failed clears what was answered so far, and sets what an answer of that status needs.
func failed(c *fiber.Ctx, status int) {
	c.Response().ResetBody()
	c.Status(status)
	switch status {
	case fiber.StatusServiceUnavailable:
		c.Set(fiber.HeaderRetryAfter, "5")
	case fiber.StatusRequestTimeout:
		c.Context().SetConnectionClose()
	}
}

// fail answers with the public part of err as JSON.
func (s *Server) fail(c *fiber.Ctx, id string, err error) {
	status, public := publicOf(err)
	failed(c, status)
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	if status == fiber.StatusUnauthorized {
		c.Set(fiber.HeaderWWWAuthenticate, `Bearer realm="seadog"`)
	}
	var p deployer.Problem
	p.Error.Code, p.Error.Message, p.Error.Hint, p.Error.Request = public.Code, public.Message, public.Hint, id
	encoded, merr := json.Marshal(p)
	if merr != nil {
		encoded = []byte(`{"error":{"code":"internal","message":"internal error"}}`)
	}
	c.Response().SetBodyRaw(append(encoded, '\n'))
}

// Labels of requests that no route took.
const (
	routeNone = "none"
)

// unrouted answers what no handler saw: unknown paths and methods, and what the
// server could not read. It is fiber's error handler.
func (s *Server) unrouted(c *fiber.Ctx, err error) error {
	started := time.Now()
	id := requestID(c.Context())
	s.prepare(c, id)
	if status, public := publicOf(err); !s.lost(c, id, status, public) {
		s.fail(c, id, err)
	}
	s.cfg.Observer.Request(routeNone, c.Response().StatusCode())
	s.logRequest(&exchange{c: c, route: &route{path: routeNone}, id: id}, err, time.Since(started))
	return nil
}

// refuseMethod answers methods that the router has never heard of.
func (s *Server) refuseMethod(rctx *fasthttp.RequestCtx) {
	c := s.app.AcquireCtx(rctx)
	defer s.app.ReleaseCtx(c)
	_ = s.unrouted(c, fiber.ErrMethodNotAllowed)
}
