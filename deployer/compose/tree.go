package compose

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// tree is a worktree that paths must not lead out of, neither by their words
// nor by symbolic links. Paths are looked up through [os.Root], which follows no link out of it.
type tree struct {
	path string
	root *os.Root
}

func openTree(path string) (*tree, error) {
	if !filepath.IsAbs(path) {
		return nil, fmt.Errorf("worktree %q is not an absolute path", path)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open worktree: %w", err)
	}
	return &tree{path: filepath.Clean(path), root: root}, nil
}

func (t *tree) close() { _ = t.root.Close() }

// local returns the path relative to the tree of a name in a file of dir. One
// that leads out of the tree is not local in the sense of [filepath.IsLocal].
func (t *tree) local(dir, name string) string {
	if !filepath.IsAbs(name) {
		return filepath.Join(dir, name)
	}
	rel, err := filepath.Rel(t.path, name)
	if err != nil {
		return ".."
	}
	return rel
}

// holdsFile returns an error unless path, relative to the tree, is a regular
// file in it. The message says what it is for and what it was called.
func (t *tree) holdsFile(what, name, path string) error {
	info, err := t.stat(what, name, path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return invalid("%s %q is not in the repository", what, name)
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return invalid("%s %q is not a regular file", what, name)
	}
	return nil
}

// holdsDir returns an error unless path, relative to the tree, is a directory in it.
func (t *tree) holdsDir(what, path string) error {
	if path == "" {
		return nil
	}
	if filepath.IsAbs(path) {
		return invalid("%s %q is an absolute path", what, path).WithHint("name it relative to the repository")
	}
	info, err := t.stat(what, path, path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return invalid("%s %q is not in the repository", what, path)
	case err != nil:
		return err
	case !info.IsDir():
		return invalid("%s %q is not a directory", what, path)
	}
	return nil
}

// holds returns an error if the absolute path leads out of the tree. What is
// not there leads nowhere.
func (t *tree) holds(what, path string) error {
	_, err := t.stat(what, path, t.local("", path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// missing reports whether nothing is there at the absolute path inside the tree.
func (t *tree) missing(path string) bool {
	_, err := t.root.Stat(t.local("", path))
	return errors.Is(err, fs.ErrNotExist)
}

// stat looks path up inside the tree. Its error is public, or [fs.ErrNotExist].
func (t *tree) stat(what, name, path string) (fs.FileInfo, error) {
	if strings.ContainsRune(path, 0) || !filepath.IsLocal(path) {
		return nil, invalid("%s %q leads out of the repository", what, name)
	}
	info, err := t.root.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fs.ErrNotExist
	case err != nil:
		return nil, invalid("%s %q cannot be used: a symbolic link leads out of the repository, or it cannot be read", what, name).Because(err)
	}
	return info, nil
}
