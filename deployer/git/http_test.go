package git_test

import (
	"errors"
	"io/fs"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/process"
)

const (
	user     = "deploy"
	password = "s3cr3t/p@ss w0rd"
	inURL    = "deploy:s3cr3t%2Fp%40ss%20w0rd@"
)

// forge serves a repository over smart HTTP, with basic authentication.
type forge struct {
	*httptest.Server
	stall atomic.Bool // answers with half a pack, and then nothing

	mu   sync.Mutex
	seen []string // processes that had the password in their arguments
}

func newForge(t *testing.T, o origin) *forge {
	t.Helper()
	backend := "/usr/lib/git-core/git-http-backend"
	if path := o.git("--exec-path"); path != "" {
		backend = filepath.Join(path, "git-http-backend")
	}
	if !exists(t, backend) {
		if os.Getenv("CI") == "true" {
			t.Fatal("git-http-backend is not installed")
		}
		t.Skip("SKIPPED: git-http-backend is not installed")
	}
	handler := &cgi.Handler{
		Path: backend, InheritEnv: []string{"PATH"},
		Env: []string{"GIT_PROJECT_ROOT=" + filepath.Dir(o.dir), "GIT_HTTP_EXPORT_ALL=1", "HOME=/nonexistent"},
	}
	f := &forge{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.look()
		if u, p, ok := r.BasicAuth(); !ok || u != user || p != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="forge"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		if f.stall.Load() && r.Method == http.MethodPost {
			halfOf(handler, w, r)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

// look reads the arguments of every process, as ps would.
func (f *forge) look() {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		b, _ := os.ReadFile(file)
		if s := string(b); strings.Contains(s, password) || strings.Contains(s, inURL) || strings.Contains(s, "s3cr3t") {
			f.mu.Lock()
			f.seen = append(f.seen, strings.ReplaceAll(s, "\x00", " "))
			f.mu.Unlock()
		}
	}
}

// halfOf answers with the first half of a pack, and then with nothing until the client goes.
func halfOf(h http.Handler, w http.ResponseWriter, r *http.Request) {
	whole := httptest.NewRecorder()
	h.ServeHTTP(whole, r)
	body := whole.Body.Bytes()
	if len(body) < 5000 { // the references
		w.Header().Set("Content-Type", whole.Header().Get("Content-Type"))
		_, _ = w.Write(body)
		return
	}
	w.Header().Set("Content-Type", whole.Header().Get("Content-Type"))
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

func (f *forge) remote(userinfo string) string {
	return strings.Replace(f.URL, "http://", "http://"+userinfo, 1) + "/origin/.git"
}

func TestHTTPWithAPassword(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	older := o.commit("second")
	newest := o.commit("third")
	f := newForge(t, o)
	m := mirror(t, f.remote(inURL), plenty)
	home := strings.TrimPrefix(m.Env[1], "HOME=")
	if err := os.WriteFile(home+"/.gitconfig", []byte("[credential]\n\thelper = store\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := fetch(t, m, "refs/heads/main", ""); got != newest {
		t.Errorf("commit = %s, want %s", got, newest)
	}
	fetch(t, m, "refs/heads/main", older)
	checkout(t, m, older, true)

	t.Run("shows it to no list of processes", func(t *testing.T) {
		if len(f.seen) > 0 {
			t.Errorf("seen in %q", f.seen)
		}
	})
	t.Run("writes it to no file", func(t *testing.T) {
		for _, dir := range []string{m.Dir, home} {
			err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
				if err != nil || !e.Type().IsRegular() {
					return err
				}
				b, err := os.ReadFile(path)
				if strings.Contains(string(b), "s3cr3t") {
					t.Errorf("it is in %s", path)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("that is wrong or missing ends at once, without a question", func(t *testing.T) {
		for _, userinfo := range []string{"deploy:wrong@", ""} {
			_, err := mirror(t, f.remote(userinfo), plenty).Fetch(t.Context(), "refs/heads/main", newest, 0)
			var exit *process.ExitError
			if !errors.As(err, &exit) || exit.Exit.Cause != deployer.CauseStepFailed {
				t.Errorf("%q: %v", userinfo, err)
			}
			if strings.Contains(err.Error(), "wrong") {
				t.Errorf("the error repeats the password: %v", err)
			}
		}
	})
}

func TestAFetchThatIsKilledInTheMiddleCanBeRepeated(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	for i := range 50 {
		o.write("data", strings.Repeat(strings.Repeat(string(rune('a'+i%26)), i)+o.dir, 400))
		o.commit("file" + string(rune('A'+i)))
	}
	want := o.git("rev-parse", "HEAD")
	f := newForge(t, o)
	m := mirror(t, f.remote(inURL), 2*time.Second)
	f.stall.Store(true)
	_, err := m.Fetch(t.Context(), "refs/heads/main", want, -1)
	var exit *process.ExitError
	if !errors.As(err, &exit) || exit.Exit.Cause != deployer.CauseDeadline {
		t.Fatalf("error = %v", err)
	}
	f.stall.Store(false)
	if err := m.Repair(); err != nil {
		t.Fatal(err)
	}
	again := mirror(t, m.Remote, plenty)
	again.Dir = m.Dir
	if got := fetch(t, again, "refs/heads/main", want); got != want {
		t.Errorf("commit = %s", got)
	}
	if dir := checkout(t, again, want, false); !exists(t, dir+"/data") {
		t.Error("files are missing")
	}
}
