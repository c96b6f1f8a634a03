package e2e_test

import (
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// forge serves a repository by HTTP. While it is silent it takes requests and
// does not answer them until it is told to release them.
type forge struct {
	server  *httptest.Server
	silent  atomic.Bool
	held    atomic.Int64 // requests that it has not answered at once
	release func()
}

func newForge(t *testing.T, r *repository) *forge {
	t.Helper()
	backend := filepath.Join(r.git("--exec-path"), "git-http-backend")
	if _, err := os.Stat(backend); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("git-http-backend is not installed")
		}
		t.Skip("SKIPPED: git-http-backend is not installed")
	}
	git := &cgi.Handler{
		Path: backend, InheritEnv: []string{"PATH"},
		Env: []string{"GIT_PROJECT_ROOT=" + r.dir, "GIT_HTTP_EXPORT_ALL=1", "HOME=/nonexistent"},
	}
	released := make(chan struct{})
	f := &forge{release: sync.OnceFunc(func() { close(released) })}
	f.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if f.silent.Load() {
			f.held.Add(1)
			select {
			case <-released:
			case <-req.Context().Done():
				return
			}
		}
		_, req.URL.Path, _ = strings.Cut(req.URL.Path, ".git/")
		req.URL.Path = "/.git/" + req.URL.Path
		git.ServeHTTP(w, req)
	}))
	t.Cleanup(f.server.Close)
	t.Cleanup(f.release)
	return f
}

// remote is where a project is fetched from: the same repository for all of them.
func (f *forge) remote(project string) string { return f.server.URL + "/e2e/" + project + ".git" }
