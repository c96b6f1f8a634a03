package git

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Repair removes what a killed git leaves behind in the mirror and what belongs to its
// worktrees: locks, unfinished packs, worktrees that were being made. It must only be called while
// no git runs there. Objects and references are not touched: git writes them
// in one step each.
func (m Mirror) Repair() error {
	if _, err := os.Stat(m.Dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	err := filepath.WalkDir(m.Dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case e.IsDir() || !m.leftover(path):
			return nil
		}
		return os.Remove(path)
	})
	if err != nil {
		return fmt.Errorf("repair mirror: %w", err)
	}
	return m.prune()
}

// leftover knows the temporary files of git: index.lock, shallow.lock,
// HEAD.lock, packed-refs.lock and the like, gc.pid, worktrees/*/locked, and in
// objects tmp_pack_…, tmp_idx_… and tmp_obj_….
func (m Mirror) leftover(path string) bool {
	name := filepath.Base(path)
	switch {
	case strings.HasSuffix(name, ".lock"), name == "gc.pid":
		return true
	case name == "locked":
		return filepath.Base(filepath.Dir(filepath.Dir(path))) == "worktrees"
	case strings.HasPrefix(name, "tmp_"):
		rel, err := filepath.Rel(m.Dir, path)
		return err == nil && (strings.HasPrefix(rel, "objects/") || strings.Contains(rel, "/objects/"))
	}
	return false
}

// prune forgets worktrees whose directory is gone or never was complete.
func (m Mirror) prune() error {
	entries, err := filepath.Glob(filepath.Join(m.Dir, "worktrees", "*"))
	if err != nil {
		return fmt.Errorf("list worktrees: %w", err)
	}
	for _, entry := range entries {
		link, err := os.ReadFile(filepath.Join(entry, "gitdir"))
		if err == nil {
			if _, err = os.Lstat(strings.TrimSpace(string(link))); err == nil {
				continue
			}
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("prune worktree: %w", err)
		}
		if err := os.RemoveAll(entry); err != nil {
			return fmt.Errorf("prune worktree: %w", err)
		}
	}
	return nil
}
