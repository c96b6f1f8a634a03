package git

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/seadog/seadog/deployer"
)

// Checkout makes a detached worktree of exactly commit at dir, an absolute path
// at which there is nothing yet. Submodules are fetched, recursively, if asked for; one
// with a local URL only if the remote is local itself. Symbolic links are left
// as they are in the repository: whoever follows one has to see where it leads.
func (m Mirror) Checkout(ctx context.Context, commit, dir string, submodules bool) error {
	if !deployer.ValidCommit(commit) {
		return invalid("%.100q is no full commit name", commit)
	}
	if err := m.outside(dir); err != nil {
		return err
	}
	if _, err := os.Lstat(dir); err == nil {
		return deployer.Errorf(deployer.CodeConflict, "worktree %s is there already", dir)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o750); err != nil {
		return fmt.Errorf("create worktree: %w", err)
	}
	if err := m.mirror(ctx, "worktree", "add", "--force", "--detach", "--no-checkout", "--", dir, commit); err != nil {
		return err
	}
	// Apart from "add", because only checkout can show progress.
	if err := m.run(ctx, dir, "checkout", "--progress", "--force", "--detach", "--no-recurse-submodules", commit, "--"); err != nil {
		return err
	}
	if !submodules {
		return nil
	}
	return m.submodules(ctx, dir)
}

func (m Mirror) submodules(ctx context.Context, dir string) error {
	// The mirror remembers the URLs of earlier commits.
	if err := m.run(ctx, dir, "submodule", "--quiet", "sync", "--recursive"); err != nil {
		return err
	}
	update := []string{"submodule", "update", "--init", "--recursive", "--force", "--checkout", "--progress", "--jobs=1"}
	err := m.run(ctx, dir, append(update, "--depth=1")...)
	if err != nil && refused(err) {
		// A server that does not give out a commit by name gives it out as history.
		err = m.run(ctx, dir, update...)
	}
	return err
}

// outside refuses a directory that is not absolute, or that the mirror is in or contains.
func (m Mirror) outside(dir string) error {
	within := func(inner, outer string) bool {
		rel, err := filepath.Rel(outer, inner)
		return err == nil && (rel == "." || filepath.IsLocal(rel))
	}
	if !filepath.IsAbs(dir) || filepath.Clean(dir) != dir || strings.ContainsAny(dir, "\n\r\x00") || within(dir, m.Dir) || within(m.Dir, dir) {
		return deployer.Errorf(deployer.CodeInternal, "%q cannot be a worktree of %s", dir, m.Dir)
	}
	return nil
}

// Release deletes the worktree at dir and makes the mirror forget it. It is no
// error if there is none.
func (m Mirror) Release(ctx context.Context, dir string) error {
	if err := m.outside(dir); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("delete worktree: %w", err)
	}
	if _, err := os.Stat(filepath.Join(m.Dir, "HEAD")); err != nil {
		return nil
	}
	if err := m.mirror(ctx, "worktree", "prune", "--expire=now"); err != nil {
		return err
	}
	// Here, because nothing waits for it: packs that nothing needs any more.
	err := m.mirror(ctx, "gc", "--auto", "--quiet")
	return err
}
