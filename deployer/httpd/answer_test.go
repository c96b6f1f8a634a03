package httpd_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/httpd"
)

func TestAStoreThatHangsBoundsEveryAnswer(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *httpd.Config) { c.Limits.CallTimeout = 50 * time.Millisecond })
	s.store.hang.Store(true)
	for _, path := range []string{"/readyz", "/api/v1/status", "/api/v1/projects", "/api/v1/deployments/1", "/api/v1/deployments/1/logs"} {
		if a := s.call("GET", path, readToken, ``); a.status != 503 || a.header.Get("Retry-After") == "" {
			t.Errorf("%s: got %s, want 503", path, a)
		}
	}
	if a := s.do("GET", "/healthz", nil); a.status != 200 || string(a.body) != "ok\n" {
		t.Errorf("healthz: got %s", a)
	}
}

func TestCausesGoToTheLogAndNotToTheClient(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		errors.New("dial unix /run/secret-place: no such file"),
		deployer.Errorf(deployer.CodeInternal, "the message of secret-place").WithHint("look at secret-place"),
		deployer.Errorf(deployer.CodeConflict, "public").Because(errors.New("secret-place")),
	} {
		s := start(t)
		s.store.fail.Store(&err)
		a := s.do("GET", "/api/v1/status", nil, "Authorization", "Bearer "+readToken, "X-Request-Id", "find-me")
		if p := a.problem(t).Error; p.Code != deployer.CodeOf(err) || p.Request != "find-me" || strings.Contains(a.String(), "secret-place") {
			t.Errorf("%v: got %s", err, a)
		}
		eventually(t, "the cause is in the log under the id", func() bool {
			log := s.log.String()
			return strings.Contains(log, "secret-place") && strings.Contains(log, "request=find-me")
		})
	}
}

func TestAPanicCostsOneRequest(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *httpd.Config) { c.Now = func() time.Time { panic("sentinel-panic") } })
	a := s.deliver("push", "1", push("refs/heads/main", commitA, commitB))
	if a.status != 500 || strings.Contains(a.String(), "sentinel-panic") {
		t.Errorf("got %s, want a plain 500", a)
	}
	eventually(t, "the stack is in the log", func() bool {
		return strings.Contains(s.log.String(), "sentinel-panic") && strings.Contains(s.log.String(), "hooks.go")
	})
	if a := s.do("GET", "/healthz", nil); a.status != 200 {
		t.Errorf("afterwards: %s", a)
	}
}

func TestEveryAnswerCarriesItsIDAndTheSecurityHeaders(t *testing.T) {
	t.Parallel()
	s := start(t)
	for given, kept := range map[string]bool{
		"abc-DEF_1.2": true, "": false, strings.Repeat("x", 65): false, "a b": false, "<script>": false, `a"b`: false,
	} {
		for _, path := range []string{"/healthz", "/nowhere", "/api/v1/status"} {
			a := s.do("GET", path, nil, "X-Request-Id", given)
			id := a.header.Get("X-Request-Id")
			if (id == given) != kept || id == "" {
				t.Errorf("%s: id %q for %q", path, id, given)
			}
			if a.header.Get("Server") != "" || a.header.Get("X-Content-Type-Options") != "nosniff" ||
				!strings.Contains(a.header.Get("Content-Security-Policy"), "default-src 'none'") || a.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: headers %v", path, a.header)
			}
		}
	}
}

func TestHeadIsAnsweredLikeGetWithoutABody(t *testing.T) {
	t.Parallel()
	s := start(t)
	if a := s.do("HEAD", "/healthz", nil); a.status != 200 || len(a.body) != 0 {
		t.Errorf("got %s", a)
	}
}

func TestHostileHostsChangeNothing(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, host := range []string{"evil.example", "localhost:1", "../../etc/passwd", "[::1]", "a b", "", strings.Repeat("a", 5000)} {
		c := s.dial()
		fmt.Fprintf(c, "GET /api/v1/projects HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n", host, readToken)
		buf := make([]byte, 64<<10)
		n, _ := c.Read(buf)
		first, _, _ := strings.Cut(string(buf[:n]), "\r\n")
		if first != "HTTP/1.1 200 OK" && first != "HTTP/1.1 400 Bad Request" {
			t.Errorf("host %.30q: got %q", host, first)
		}
		if strings.Contains(string(buf[:n]), "evil") {
			t.Errorf("host %q is repeated", host)
		}
	}
}

func TestAHeaderTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := s.do("GET", "/healthz", nil, "X-Big", strings.Repeat("x", 9<<10))
	if a.status != 431 || a.problem(t).Error.Code != deployer.CodeTooLarge {
		t.Errorf("got %s, want 431", a)
	}
}

func TestTheLogNamesTheClientBehindTrustedProxiesOnly(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ trusted, forwarded, want string }{
		"no proxy is trusted":         {"", "203.0.113.9", "client=127.0.0.1"},
		"the peer is":                 {"127.0.0.0/8", "203.0.113.9", "client=203.0.113.9"},
		"what the client made up":     {"127.0.0.0/8", "198.51.100.1, 203.0.113.9", "client=203.0.113.9"},
		"a chain of trusted ones":     {"127.0.0.0/8", "203.0.113.9, 127.0.0.7", "client=203.0.113.9"},
		"what is no address is no ip": {"127.0.0.0/8", "x\" level=ERROR", "client=127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, trusting(test.trusted))
			s.do("GET", "/nowhere", nil, "X-Forwarded-For", test.forwarded)
			eventually(t, test.want, func() bool { return strings.Contains(s.log.String(), test.want) })
		})
	}
}

// TestNoSecretLeavesTheService sends every secret in and looks for it in all that comes out.
func TestNoSecretLeavesTheService(t *testing.T) {
	t.Parallel()
	s := start(t)
	populate(t, s)
	var out strings.Builder
	paths := []string{
		"status", "projects", "projects/web", "locks", "deployments", "deployments/3", "deployments/3/logs", "deliveries",
		"deliveries/1", "openapi.json", "projects/" + secret,
	}
	s.deliver("push", "1", push("refs/heads/main", commitA, commitB))
	s.do("POST", "/hooks/hub/"+secret, strings.NewReader("{}"))
	s.do("POST", "/hooks/hub/"+secret+"x", strings.NewReader("{}"))
	s.do("POST", "/hooks/gh/"+secret, strings.NewReader("{}"))
	for _, token := range []string{readToken, deployToken, adminToken, "sentinel-unknown-token"} {
		for _, path := range paths {
			a := s.call("GET", "/api/v1/"+path, token, ``)
			fmt.Fprintln(&out, a.String(), a.header)
		}
		out.WriteString(s.call("POST", "/api/v1/projects/web/deploy", token, `{"ref":"sentinel ref"}`).String())
		out.WriteString(s.call("POST", "/api/v1/projects/web/rollback", token, ``).String())
	}
	s.stop()
	out.WriteString(s.log.String())
	out.WriteString(s.counted.String())
	if i := strings.Index(out.String(), "sentinel"); i >= 0 {
		text := out.String()
		t.Errorf("found in: …%s…", text[max(0, i-200):min(len(text), i+100)])
	}
}
