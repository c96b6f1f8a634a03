package demo

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// branch is what the sample repository is pushed on.
const branch = "main"

const dockerfile = `FROM scratch
COPY seadog /seadog
COPY version /version
ENTRYPOINT ["/seadog", "demo-site"]
`

// composeFile publishes the site on a port of this machine only. %d is the port.
const composeFile = `services:
  site:
    build: .
    ports: ["127.0.0.1:%d:` + sitePort + `"]
    stop_grace_period: 1s
    healthcheck:
      test: ["CMD", "/seadog", "demo-site", "--health"]
      interval: 1s
      timeout: 2s
      retries: 3
`

// repository is the sample project's Git repository, as a forge would have it.
type repository struct{ dir string }

// newRepository creates the repository with everything but a version. The
// image is made of this very binary, so that nothing has to be pulled.
func newRepository(ctx context.Context, dir, executable string, port int) (*repository, error) {
	r := &repository{dir: dir}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if _, err := r.git(ctx, "init", "--quiet", "--initial-branch", branch); err != nil {
		return nil, err
	}
	if err := copyFile(filepath.Join(dir, "seadog"), executable); err != nil {
		return nil, fmt.Errorf("copy the sample binary: %w", err)
	}
	files := map[string]string{
		"Dockerfile":   dockerfile,
		"compose.yaml": fmt.Sprintf(composeFile, port),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// commit records a version and returns the commits before and after it; before
// is all zeros for the first one, as forges have it.
func (r *repository) commit(ctx context.Context, version string) (before, after string, err error) {
	before, err = r.git(ctx, "rev-parse", "--quiet", "--verify", "HEAD")
	if err != nil {
		before = strings.Repeat("0", 40)
	}
	if err := os.WriteFile(filepath.Join(r.dir, "version"), []byte(version+"\n"), 0o644); err != nil {
		return "", "", err
	}
	if _, err := r.git(ctx, "add", "--all"); err != nil {
		return "", "", err
	}
	if _, err := r.git(ctx, "-c", "user.name=demo", "-c", "user.email=demo@example.com",
		"commit", "--quiet", "--message", "Release version "+version); err != nil {
		return "", "", err
	}
	after, err = r.git(ctx, "rev-parse", "HEAD")
	return before, after, err
}

func (r *repository) git(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", r.dir}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(string(out)))
	}
	return strings.TrimSpace(string(out)), nil
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
