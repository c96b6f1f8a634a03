package httpd

import (
	"context"
	"net"
	"time"

	"github.com/valyala/fasthttp"
)

// Warden watches over requests from outside of their handlers: it answers for
// those that do not end, and it knows when a client has gone. Its methods are
// called from the goroutines of connections and must not block.
type Warden interface {
	// Attach is called once, before the server accepts.
	Attach(s *fasthttp.Server)
	// Enter is told which route a request takes. It returns the context of the
	// request, which ends when the request is given up or the connection is
	// gone, the request's id, and whether there is room for it: if not, it must
	// be refused.
	Enter(rctx *fasthttp.RequestCtx, p Passage) (ctx context.Context, id string, room bool)
	// Touch is told that the stream on a connection is alive.
	Touch(c net.Conn)
	// GaveUp reports whether a context ended because its request was given up:
	// then the client was answered 504, whatever the handler does now. It returns
	// the incident that it was told.
	GaveUp(ctx context.Context) (incident string, gaveUp bool)
}

// Passage is what a [Warden] must know of a request.
type Passage struct {
	Route string
	// Limit is how long it may take, or, if it is a Stream, be silent; 0: what
	// the warden thinks right.
	Limit  time.Duration
	Stream bool
	// Essential requests are served however overloaded the process is.
	Essential bool
}

// passage is what the warden is told of requests of a route. Health checks are
// how others find out that the process is overloaded, and a delivery that is
// refused may never come again. Pages can wait.
func (s *Server) passage(r *route) Passage {
	return Passage{
		Route: r.path, Limit: s.patience(r), Stream: r.stream,
		Essential: r.scope == "" && r.fail == nil,
	}
}

// patience is how long a request of a route may take before its worker is
// thought to be stuck. A delivery waits for its body, which is the client's
// doing, and for the store. A live log has to be silent for several heartbeats.
func (s *Server) patience(r *route) time.Duration {
	l := s.cfg.Limits
	switch {
	case r.stream:
		return l.WriteTimeout + 2*l.Heartbeat
	case r.timeout == 0 && r.body > 0:
		return l.BodyWait + l.BodyTimeout + 2*l.AcceptTimeout
	}
	return 0
}

// unwatched is the absence of a warden: only the end of the service ends a request.
type unwatched struct{ server *Server }

func (unwatched) Attach(*fasthttp.Server) {}

func (u unwatched) Enter(rctx *fasthttp.RequestCtx, _ Passage) (context.Context, string, bool) {
	return u.server.base, requestID(rctx), true
}

func (unwatched) Touch(net.Conn) {}

func (unwatched) GaveUp(context.Context) (string, bool) { return "", false }
