package gate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/cgi"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// forge serves a repository by HTTP, as a Git host does, so that there is a
// network between the service and it. It has the same one for every project.
type forge struct {
	address string
	server  *http.Server
	served  sync.WaitGroup
}

func newForge(ctx context.Context, dir string) (*forge, error) {
	out, err := exec.CommandContext(ctx, "git", "--exec-path").Output()
	if err != nil {
		return nil, fmt.Errorf("find git: %w", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	git := &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(out)), "git-http-backend"), InheritEnv: []string{"PATH"},
		Env: []string{
			"GIT_PROJECT_ROOT=" + dir, "GIT_HTTP_EXPORT_ALL=1", "HOME=/nonexistent", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*",
		},
	}
	f := &forge{address: l.Addr().String(), server: &http.Server{Handler: anyName(git), ReadHeaderTimeout: 10 * time.Second}}
	f.served.Go(func() { _ = f.server.Serve(l) })
	return f, nil
}

// anyName answers for every project's name with the one repository.
func anyName(git http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, path, ok := strings.Cut(r.URL.Path, ".git/")
		if !ok {
			http.NotFound(w, r)
			return
		}
		r.URL.Path = "/.git/" + path
		git.ServeHTTP(w, r)
	})
}

// remote is where a repository is fetched from through whoever forwards address.
func remote(address, name string) string { return "http://" + address + "/" + name + ".git" }

func (f *forge) close() error {
	err := f.server.Close()
	f.served.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
