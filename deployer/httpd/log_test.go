package httpd_test

import (
	"bytes"
	"context"
	"net"
	"regexp"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/seadog/seadog/deployer/httpd"
)

// line waits for the line of a request to that route and returns it.
func (s *service) line(method, route string) string {
	s.t.Helper()
	found := ""
	eventually(s.t, "the request is in the log", func() bool {
		for l := range strings.Lines(s.log.String()) {
			if strings.Contains(l, "msg=request method="+method+" route="+route) {
				found = l
			}
		}
		return found != ""
	})
	return found
}

func TestALineOfARequestNamesWhatItIsAbout(t *testing.T) {
	t.Parallel()
	s := start(t)
	body := push("refs/heads/main", commitA, commitB)
	s.do("POST", "/hooks/gh", bytes.NewReader(body), "X-GitHub-Event", "push", "Content-Type", "application/json",
		"X-Hub-Signature-256", sign(body), "X-Request-ID", "req-1")
	if l := s.line("POST", "/hooks/{hook}"); !regexp.MustCompile(` request=req-1 .*delivery=\d+ deployment=\d+`).MatchString(l) {
		t.Errorf("line: %s", l)
	}
	s.do("GET", "/api/v1/deployments/4711", nil, "X-Request-ID", "req-2", "Authorization", "Bearer "+readToken)
	if l := s.line("GET", "/api/v1/deployments/{id}"); !strings.Contains(l, " request=req-2 ") || !strings.Contains(l, " deployment=4711") || strings.Contains(l, "delivery=") {
		t.Errorf("line: %s", l)
	}
}

// harsh is a warden that gives everything up.
type harsh struct{}

func (harsh) Attach(*fasthttp.Server) {}
func (harsh) Enter(*fasthttp.RequestCtx, httpd.Passage) (context.Context, string, bool) {
	return context.Background(), "req-3", true
}
func (harsh) Touch(net.Conn)                        {}
func (harsh) GaveUp(context.Context) (string, bool) { return "incident-1", true }

func TestALineOfARequestThatWasGivenUpNamesTheIncident(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *httpd.Config) { c.Warden = harsh{} })
	s.do("GET", "/healthz", nil)
	if l := s.line("GET", "/healthz"); !strings.Contains(l, " status=504 ") || !strings.Contains(l, " request=req-3 ") || !strings.Contains(l, " incident=incident-1") {
		t.Errorf("line: %s", l)
	}
}
