package guard

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"slices"
)

const requestIDHeader = "X-Request-Id"

// HTTP makes s tell the guard about its requests. It must be called before s
// serves, and after s was configured otherwise; the listeners come from
// [Guard.Listen]. Requests' contexts are derived from the server's own, and so
// end with that, not with [Guard.Run]. HTTP/2 is switched off: many requests
// share a connection there, so that none of them could be given up alone.
func (g *Guard) HTTP(s *http.Server) {
	handler := s.Handler
	if handler == nil {
		handler = http.DefaultServeMux
	}
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serve(handler, w, r) })
	s.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
	s.Protocols = new(http.Protocols)
	s.Protocols.SetHTTP1(true)

	connContext := s.ConnContext
	s.ConnContext = func(ctx context.Context, nc net.Conn) context.Context {
		if c := Of(nc); c != nil {
			ctx = c.serveHTTP(ctx, nc)
		}
		if connContext != nil {
			ctx = connContext(ctx, nc)
		}
		return ctx
	}
	connState := s.ConnState
	s.ConnState = func(nc net.Conn, state http.ConnState) {
		if c := Of(nc); c != nil {
			c.state(state)
		}
		if connState != nil {
			connState(nc, state)
		}
	}
}

// serveHTTP prepares the connection for net/http, which has contexts of its own.
func (c *Conn) serveHTTP(ctx context.Context, outer net.Conn) context.Context {
	c.exact = &boundary{}
	switch outer.(type) {
	case *Conn, *tlsConn:
	default:
		// Something is around the guard that encrypts, or worse: there is no
		// way to write an answer.
		c.sealed.Store(true)
		if c.raw != nil {
			c.seal()
		}
	}
	c.cancel(nil) // of the context that it had; nobody has it
	own, cancel := context.WithCancelCause(ctx)
	c.cancel = cancel
	c.ctx = &connContext{Context: own, conn: c}
	c.guard.table[c.index].Store(c) // again: the watchdog must see this one
	return c.ctx
}

func (c *Conn) state(state http.ConnState) {
	switch state {
	case http.StateIdle:
		c.Idle()
	case http.StateClosed:
		c.Closed()
	case http.StateHijacked:
		c.Hijacked()
	}
}

func serve(next http.Handler, w http.ResponseWriter, r *http.Request) {
	c := FromContext(r.Context())
	if c == nil {
		next.ServeHTTP(w, r)
		return
	}
	c.length = r.ContentLength
	if r.TLS != nil && !r.TLS.HandshakeComplete {
		// The server copied it before there was a handshake, to a place that
		// all requests of the connection share.
		if t, ok := c.inner.(*tls.Conn); ok {
			*r.TLS = t.ConnectionState()
		}
	}
	var id string
	if ids := r.Header[requestIDHeader]; len(ids) > 0 {
		id = ids[0]
	}
	if !c.Begin(Begin{ID: id, Route: -1}) {
		return
	}
	if c.Ending() {
		w.Header().Set("Connection", "close")
	}
	next.ServeHTTP(w, r)
	if c.Ending() { // too late if the answer has begun
		w.Header().Set("Connection", "close")
	}
}

// RouteNumber returns the number of a route, for adapters. It panics if
// Config.Routes does not name it: that is a mistake in the program.
func (g *Guard) RouteNumber(name string) int {
	i := slices.Index(g.routes, name)
	if i < 0 {
		panic(fmt.Sprintf("guard: Config.Routes does not name the route %q", name))
	}
	return i
}

// Route returns what goes around the handler of a route. It panics if
// Config.Routes does not name it.
func (g *Guard) Route(name string, l Limits) func(http.Handler) http.Handler {
	i := g.RouteNumber(name)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if c := FromContext(r.Context()); c != nil && !c.Enter(i, l) {
				body, retry := c.Overloaded()
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Retry-After", retry)
				w.WriteHeader(http.StatusServiceUnavailable)
				_, _ = w.Write(body) // the client may be gone
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}
