package httpd

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/seadog/seadog/deployer"
)

// Site is what somebody else serves on the same listeners, under the same
// bounds, deadlines and watch as the API: the web UI. The zero value is none.
type Site struct {
	Pages []Page
	// Fail answers a request for a page that failed, and one of a browser that
	// asked for a page that there is not.
	Fail func(v *Visit, status int, public *deployer.Error)
}

// Page is one route of a [Site]. Who may see it is up to its handler.
type Page struct {
	Method string
	Path   string // as OpenAPI writes it; also the label in log and metrics
	Body   int64  // bytes that its body may have
	Stream bool   // it answers with [Visit.Stream]
	Handle func(*Visit) error
}

// Visit is one request for a page. What Fiber returns is gone when the handler
// returns; strings that live longer must be cloned.
type Visit struct {
	x      *exchange
	server *Server
}

// Fiber returns the request and its answer.
func (v *Visit) Fiber() *fiber.Ctx { return v.x.c }

// Context ends when the time of the handler is over, when the request is given
// up, and when its client has gone.
func (v *Visit) Context() context.Context { return v.x.ctx }

// ID names the request in log and incidents.
func (v *Visit) ID() string { return v.x.id }

// About tells the log which deployment the request is about.
func (v *Visit) About(deployment int64) { v.x.deployment = deployment }

// Client is where the request came from; it may be a claim, see [Config.TrustedProxies].
func (v *Visit) Client() string { return v.server.clientIP(v.x.c) }

// Secure reports whether the client speaks TLS: to this server, or to a trusted
// proxy that says so.
func (v *Visit) Secure() bool { return v.server.secure(v.x.c) }

// Form reads the body as a form. It can be called once.
func (v *Visit) Form() (url.Values, error) {
	kind, _, _ := strings.Cut(v.x.c.Get(fiber.HeaderContentType), ";")
	if !strings.EqualFold(strings.TrimSpace(kind), fiber.MIMEApplicationForm) {
		return nil, deployer.Errorf(deployer.CodeInvalid, "this takes a form")
	}
	body, err := v.server.bodies.read(v.x.ctx, v.x.c.Context(), v.x.route.body)
	if err != nil {
		return nil, err
	}
	defer body.free()
	form, err := url.ParseQuery(string(body.bytes))
	if err != nil {
		return nil, deployer.Errorf(deployer.CodeInvalid, "the form cannot be read")
	}
	return form, nil
}

// Stream answers with what write sends, on the goroutine of the connection and
// after the handler returned. There is room for Limits.Streams of them.
func (v *Visit) Stream(kind string, write func(*Stream) error) error {
	return v.server.stream(v.x, kind, write)
}

// pages returns the routes of the site.
func (s *Server) pages() []route {
	var table []route
	for _, p := range s.cfg.Site.Pages {
		table = append(table, route{
			method: p.Method, path: p.Path, body: p.Body, stream: p.Stream, timeout: s.cfg.Limits.CallTimeout,
			handle: func(x *exchange) error { return p.Handle(&Visit{x, s}) },
			fail:   func(x *exchange, status int, public *deployer.Error) { s.cfg.Site.Fail(&Visit{x, s}, status, public) },
		})
	}
	return table
}

// lost answers a browser that asked for a page that there is not. It returns
// false for everybody else.
func (s *Server) lost(c *fiber.Ctx, id string, status int, public *deployer.Error) bool {
	browsing := slices.Contains([]string{fiber.MethodGet, fiber.MethodHead}, c.Method()) &&
		strings.Contains(c.Get(fiber.HeaderAccept), fiber.MIMETextHTML)
	if !browsing || s.cfg.Site.Fail == nil || strings.HasPrefix(c.Path(), "/api/") || strings.HasPrefix(c.Path(), "/hooks/") {
		return false
	}
	ctx, cancel := context.WithTimeout(s.base, time.Second)
	defer cancel()
	failed(c, status)
	s.cfg.Site.Fail(&Visit{&exchange{c: c, ctx: ctx, whole: ctx, route: &route{path: routeNone}, id: id}, s}, status, public)
	return true
}
