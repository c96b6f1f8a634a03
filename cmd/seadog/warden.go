package main

import (
	"context"
	"errors"
	"net"

	"github.com/valyala/fasthttp"

	"github.com/seadog/seadog/deployer/httpd"
	"github.com/seadog/seadog/watchdog/fastguard"
	"github.com/seadog/seadog/watchdog/guard"
)

// warden lets the guard of an HTTP worker watch over the deployer's requests.
type warden struct {
	guard  *guard.Guard
	routes map[string]int
}

func newWarden(g *guard.Guard) warden {
	w := warden{guard: g, routes: map[string]int{}}
	for i, name := range httpRoutes() {
		w.routes[name] = i
	}
	return w
}

// Attach implements [httpd.Warden].
func (w warden) Attach(s *fasthttp.Server) { fastguard.Attach(w.guard, s) }

// Enter implements [httpd.Warden].
func (w warden) Enter(rctx *fasthttp.RequestCtx, p httpd.Passage) (ctx context.Context, id string, room bool) {
	c := fastguard.Conn(rctx)
	room = c.Enter(w.routes[p.Route], guard.Limits{Deadline: p.Limit, Stream: p.Stream, Essential: p.Essential})
	return c.Context(), c.ID(), room
}

// Touch implements [httpd.Warden].
func (w warden) Touch(c net.Conn) {
	if guarded := guard.Of(c); guarded != nil {
		guarded.Touch()
	}
}

// GaveUp implements [httpd.Warden].
func (warden) GaveUp(ctx context.Context) (incident string, gaveUp bool) {
	cause, gaveUp := errors.AsType[*guard.HarakiriError](context.Cause(ctx))
	if gaveUp {
		incident = cause.Incident
	}
	return incident, gaveUp
}
