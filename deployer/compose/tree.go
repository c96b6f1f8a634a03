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

// holdsFile returns an error unless path, relative to the tree, is a regular
// file in it. What it is for and name say so in the message.
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

func (t *tree) holdsDir(what, path string) error {
	if path == "" {
		return nil
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
	rel, err := filepath.Rel(t.path, path)
	if err != nil {
		rel = ".."
	}
	_, err = t.stat(what, path, rel)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// stat looks path up inside the tree. Its error is public, or [fs.ErrNotExist].
func (t *tree) stat(what, name, path string) (fs.FileInfo, error) {
	switch {
	case filepath.IsAbs(name) && filepath.IsAbs(path):
		return nil, invalid("%s %q is an absolute path", what, name).WithHint("name it relative to the compose directory")
	case strings.ContainsRune(path, 0) || !filepath.IsLocal(path):
		return nil, invalid("%s %q leads out of the repository", what, name)
	}
	info, err := t.root.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fs.ErrNotExist
	}
	if err != nil {
		return nil, invalid("%s %q cannot be used: a symbolic link leads out of the repository, or it cannot be read", what, name).Because(err)
	}
	return info, nil
}

// missing reports whether nothing is there at the absolute path inside the tree.
func (t *tree) missing(path string) bool {
	rel, err := filepath.Rel(t.path, path)
	if err != nil {
		return true
	}
	_, err = t.root.Stat(rel)
	return errors.Is(err, fs.ErrNotExist)
}

func isAbsent(err error) bool { return errors.Is(err, fs.ErrNotExist) }
