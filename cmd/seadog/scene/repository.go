package scene

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Branch is what sample repositories are pushed on.
const Branch = "main"

// Repository is a sample project's Git repository, as a forge would have it.
type Repository struct{ Dir string }

// NewRepository creates an empty repository.
func NewRepository(ctx context.Context, dir string) (*Repository, error) {
	r := &Repository{Dir: dir}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	_, err := r.git(ctx, "init", "--quiet", "--initial-branch", Branch)
	return r, err
}

// Write puts files into the working tree; they are part of the next commit.
func (r *Repository) Write(files map[string]string) error {
	for name, text := range files {
		path := filepath.Join(r.Dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Commit commits the working tree and returns the commits before and after it;
// before is all zeros for the first one, as forges have it.
func (r *Repository) Commit(ctx context.Context, message string) (before, after string, err error) {
	before, err = r.git(ctx, "rev-parse", "--quiet", "--verify", "HEAD")
	if err != nil {
		before = strings.Repeat("0", 40)
	}
	if _, err := r.git(ctx, "add", "--all"); err != nil {
		return "", "", err
	}
	if _, err := r.git(ctx, "-c", "user.name=sample", "-c", "user.email=sample@example.com", "-c", "gc.auto=0",
		"commit", "--quiet", "--allow-empty", "--message", message); err != nil {
		return "", "", err
	}
	after, err = r.git(ctx, "rev-parse", "HEAD")
	return before, after, err
}

func (r *Repository) git(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", r.Dir}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(string(out)))
	}
	return strings.TrimSpace(string(out)), nil
}

// CopyExecutable copies a program into a build context.
func CopyExecutable(to, from string) error {
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
