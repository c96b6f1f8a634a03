package git_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/git"
	"github.com/seadog/seadog/deployer/process"
)

func TestMain(m *testing.M) {
	if err := process.Adopt(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// origin is a repository that others push to.
type origin struct {
	t   *testing.T
	dir string // with a worktree
}

func newOrigin(t *testing.T) origin {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("git is not installed")
		}
		t.Skip("SKIPPED: git is not installed")
	}
	o := origin{t, filepath.Join(t.TempDir(), "origin")}
	o.git("init", "--quiet", "--initial-branch=main", o.dir)
	o.commit("first")
	return o
}

func (o origin) git(args ...string) string {
	o.t.Helper()
	cmd := exec.Command("git", args...)
	if args[0] != "init" {
		cmd.Dir = o.dir
	}
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Ana", "GIT_AUTHOR_EMAIL=ana@example.org", "GIT_COMMITTER_NAME=Ana", "GIT_COMMITTER_EMAIL=ana@example.org",
		"GIT_ALLOW_PROTOCOL=file",
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		o.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit commits a file of that name and returns the commit.
func (o origin) commit(name string) string {
	o.t.Helper()
	o.write(name, name+"\n")
	o.git("add", "--all")
	o.git("commit", "--quiet", "--message", name+"\n\nand a body")
	return o.git("rev-parse", "HEAD")
}

func (o origin) write(name, content string) {
	o.t.Helper()
	if err := os.WriteFile(filepath.Join(o.dir, name), []byte(content), 0o600); err != nil {
		o.t.Fatal(err)
	}
}

// forget makes the repository lose what no branch or tag reaches.
func (o origin) forget() {
	o.t.Helper()
	o.git("reflog", "expire", "--expire=now", "--all")
	o.git("gc", "--quiet", "--prune=now")
}

// environment is what the service would give, with a home of its own.
func environment(t *testing.T) []string {
	t.Helper()
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
}

// mirror returns a mirror of remote that runs git under a deadline of limit.
func mirror(t *testing.T, remote string, limit time.Duration) git.Mirror {
	t.Helper()
	var count atomic.Int64
	return git.Mirror{
		Dir: filepath.Join(t.TempDir(), "mirror.git"), Remote: remote, Env: environment(t),
		Exec: func(ctx context.Context, c process.Command) (process.Exit, error) {
			c.Marker = fmt.Sprintf("%s-%d-%d", t.Name(), os.Getpid(), count.Add(1))
			c.Timeout = deployer.Timeout{Deadline: limit}
			c.Grace = 200 * time.Millisecond
			if c.Line == nil {
				c.Line = func(_ process.Stream, line []byte) { t.Logf("%s", line) }
			}
			return process.Run(ctx, c)
		},
	}
}

const plenty = 30 * time.Second

func fetch(t *testing.T, m git.Mirror, ref, commit string) string {
	t.Helper()
	got, err := m.Fetch(t.Context(), ref, commit, 0)
	if err != nil {
		t.Fatalf("fetch %s %s: %v", ref, commit, err)
	}
	return got
}

// checkout makes a worktree and returns its directory.
func checkout(t *testing.T, m git.Mirror, commit string, submodules bool) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "worktrees", "17")
	if err := m.Checkout(t.Context(), commit, dir, submodules); err != nil {
		t.Fatal(err)
	}
	return dir
}

func exists(t *testing.T, path string) bool {
	t.Helper()
	_, err := os.Lstat(path)
	return err == nil
}

func wantInvalid(t *testing.T, err error, text string) {
	t.Helper()
	if deployer.CodeOf(err) != deployer.CodeInvalid || !strings.Contains(err.Error(), text) {
		t.Errorf("error = %v (%s), want an invalid one with %q", err, deployer.CodeOf(err), text)
	}
}
