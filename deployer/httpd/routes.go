package httpd

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/seadog/seadog/deployer"
)

// route is one line of the route table.
type route struct {
	method  string
	path    string         // as OpenAPI writes it; also the label in log and metrics
	pattern string         // as the router writes it
	scope   deployer.Scope // that a token needs; "" asks for none
	handle  func(*exchange) error
	timeout time.Duration // of the whole handler; 0: the handler has deadlines of its own
	body    int64         // bytes
	stream  bool          // the answer goes on after the handler returned
	// fail answers when handle failed; nil: JSON.
	fail func(x *exchange, status int, public *deployer.Error)
}

// requestBody is the limit of API routes; their bodies are a few words.
const requestBody = 64 << 10

// routes is the route table of hooks and API. The router is filled from it, and
// a test holds openapi.json against it.
func (s *Server) routes() []route {
	const read, deploy = deployer.ScopeRead, deployer.ScopeDeploy
	call := s.cfg.Limits.CallTimeout
	table := []route{
		{method: "POST", path: "/hooks/{hook}", handle: s.deliver, body: s.cfg.Limits.Body},
		{method: "POST", path: "/hooks/{hook}/{token}", handle: s.deliver, body: s.cfg.Limits.Body},

		{method: "GET", path: "/healthz", handle: s.healthz},
		{method: "GET", path: "/readyz", handle: s.readyz, timeout: call},
		{method: "GET", path: "/api/v1/openapi.json", handle: s.openapi},

		{method: "GET", path: "/api/v1/status", scope: read, handle: s.status, timeout: call},
		{method: "GET", path: "/api/v1/projects", scope: read, handle: s.listProjects, timeout: call},
		{method: "GET", path: "/api/v1/projects/{project}", scope: read, handle: s.showProject, timeout: call},
		{method: "POST", path: "/api/v1/projects/{project}/deploy", scope: deploy, handle: s.deploy, timeout: call, body: requestBody},
		{method: "POST", path: "/api/v1/projects/{project}/redeploy", scope: deploy, handle: s.redeploy, timeout: call, body: requestBody},
		{method: "POST", path: "/api/v1/projects/{project}/rollback", scope: deploy, handle: s.rollback, timeout: call, body: requestBody},
		{method: "PUT", path: "/api/v1/projects/{project}/lock", scope: deploy, handle: s.lock, timeout: call, body: requestBody},
		{method: "DELETE", path: "/api/v1/projects/{project}/lock", scope: deploy, handle: s.unlock, timeout: call},
		{method: "GET", path: "/api/v1/locks", scope: read, handle: s.listLocks, timeout: call},

		{method: "GET", path: "/api/v1/deployments", scope: read, handle: s.listDeployments, timeout: call},
		{method: "GET", path: "/api/v1/deployments/{id}", scope: read, handle: s.showDeployment, timeout: call},
		{method: "POST", path: "/api/v1/deployments/{id}/cancel", scope: deploy, handle: s.cancel, timeout: call, body: requestBody},
		{method: "GET", path: "/api/v1/deployments/{id}/logs", scope: read, handle: s.logs, timeout: call, stream: true},

		{method: "GET", path: "/api/v1/deliveries", scope: read, handle: s.listDeliveries, timeout: call},
		{method: "GET", path: "/api/v1/deliveries/{id}", scope: read, handle: s.showDelivery, timeout: call},
	}
	return table
}

// all returns the routes of the API and of the site.
func (s *Server) all() []route {
	table := append(s.routes(), s.pages()...)
	brackets := strings.NewReplacer("{", ":", "}", "")
	for i := range table {
		table[i].pattern = brackets.Replace(table[i].path)
	}
	return table
}

// headerReceived sets what depends on the route before the body is touched.
// How much of it is read is up to the handler; the limit here only bounds what
// is read ahead.
func (s *Server) headerReceived(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
	if bytes.HasPrefix(h.RequestURI(), []byte("/hooks/")) {
		return fasthttp.RequestConfig{
			ReadTimeout:        s.bodies.timeout(int64(h.ContentLength())),
			MaxRequestBodySize: int(s.cfg.Limits.Body),
		}
	}
	return fasthttp.RequestConfig{ReadTimeout: s.bodies.timeout(requestBody), MaxRequestBodySize: defaultBody}
}

func (s *Server) healthz(x *exchange) error {
	x.c.Set(fiber.HeaderContentType, "text/plain; charset=utf-8")
	return x.c.SendString("ok\n")
}

// readyz says whether a delivery would be accepted.
func (s *Server) readyz(x *exchange) error {
	if err := s.ready.ask(x.ctx, s.cfg.Store); err != nil {
		return deployer.Errorf(deployer.CodeUnavailable, "the store does not take writes").Because(err)
	}
	return x.json(fiber.StatusOK, ready{Ready: true})
}

// readiness asks the store at most once a second, because the question is a
// write, and strangers may ask.
type readiness struct {
	mu    sync.Mutex
	asked time.Time
	err   error
}

func (r *readiness) ask(ctx context.Context, store deployer.Store) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.asked) < time.Second {
		return r.err
	}
	r.err = store.Ping(ctx)
	r.asked = time.Now()
	return r.err
}

type ready struct {
	Ready bool `json:"ready"`
}
