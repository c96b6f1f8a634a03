package httpd_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer/httpd"
)

// trusting makes prefix a trusted proxy.
func trusting(prefix string) func(*httpd.Config) {
	return func(c *httpd.Config) {
		if prefix != "" {
			c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix(prefix)}
		}
	}
}

func TestARepositoryIsRecognisedByItsName(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		configured, pushed string
		same               bool
	}{
		{"git@github.com:acme/web.git", "acme/web", true},
		{"git@github.com:acme/web.git", "Acme/Web", true},
		{"https://github.com/acme/web", "acme/web", true},
		{"https://github.com/acme/web/", "acme/web", true},
		{"https://bot:pw@github.com/acme/web.git", "acme/web", true},
		{"ssh://git@git.example.org:7999/ops/web.git", "OPS/web", true},
		{"https://git.example.org/scm/ops/web.git", "OPS/web", true},
		{"https://example.org/gitlab/group/sub/web.git", "group/sub/web", true},
		{"git@gh-alias:web.git", "acme/web", true},
		{"/srv/git/web.git", "acme/other", true},
		{"./web", "acme/other", true},
		{"file:///srv/git/web.git", "acme/other", true},
		{"", "acme/web", true},
		{"https://github.com/acme/web", "", true},
		{"https://github.com/acme/web", "acme/webshop", false},
		{"https://github.com/acme/web", "other/web", false},
		{"git@github.com:acme/web.git", "acme/api", false},
		{"https://github.com/notacme/web", "acme/web", false},
	} {
		if got := httpd.SameRepository(test.configured, test.pushed); got != test.same {
			t.Errorf("%q and %q: got %v", test.configured, test.pushed, got)
		}
	}
}

func FuzzRepositoryNames(f *testing.F) {
	f.Add("https://user:pw@example.org/a.git", "acme/a")
	f.Add("git@example.org:a.git", "a")
	f.Add("://::", "/")
	f.Fuzz(func(t *testing.T, remote, pushed string) {
		httpd.SameRepository(remote, pushed)
	})
}

func TestAConfigurationThatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	s := start(t)
	for says, breaks := range map[string]func(*httpd.Config){
		"no store":        func(c *httpd.Config) { c.Store = nil },
		"no transcripts":  func(c *httpd.Config) { c.Book = nil },
		"no log":          func(c *httpd.Config) { c.Log = nil },
		"no token":        func(c *httpd.Config) { c.Tokens = nil },
		"leaves no room":  func(c *httpd.Config) { c.Limits.BodyBudget = 20 << 20 },
		"negative time":   func(c *httpd.Config) { c.Limits.Poll = -time.Second },
		"negative size":   func(c *httpd.Config) { c.Limits.Body = -1 },
		"negative number": func(c *httpd.Config) { c.Limits.Streams = -1 },
		"used twice":      func(c *httpd.Config) { c.Hooks = append(c.Hooks, c.Hooks[0]) },
		"unknown project": func(c *httpd.Config) { c.Projects = c.Projects[1:] },
		"invalid":         func(c *httpd.Config) { c.Projects[0].Name = "../x" },
	} {
		_, err := httpd.New(broken(s, breaks))
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v", says, err)
		}
	}
}
