package web

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Key is what sessions are sealed with. All HTTP workers of a machine have the
// same one, and it outlives them, so that nobody has to sign in again because a
// worker was replaced.
type Key [32]byte

// OpenKey returns the key in the file at path, and makes the file, readable by
// its owner only, if it is not there. Any number of processes may do that at
// once: who is first makes the key, the others get the same.
func OpenKey(path string) (Key, error) {
	key, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := makeKey(path); err != nil {
		return Key{}, fmt.Errorf("make the key of sessions: %w", err)
	}
	return readKey(path)
}

func readKey(path string) (Key, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return Key{}, fmt.Errorf("read the key of sessions: %w", err)
	}
	var key Key
	switch {
	case !info.Mode().IsRegular() || info.Size() != int64(len(key)):
		return Key{}, fmt.Errorf("%s is no key of sessions: remove it, and everybody signs in again", path)
	case info.Mode().Perm()&0o077 != 0:
		return Key{}, fmt.Errorf("others can read %s: remove it, and everybody signs in again", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return Key{}, fmt.Errorf("read the key of sessions: %w", err)
	}
	if len(text) != len(key) {
		return Key{}, fmt.Errorf("%s is no key of sessions: remove it, and everybody signs in again", path)
	}
	return Key(text), nil
}

// makeKey writes a new key beside path and links it there: a link, unlike a
// renaming, does not replace what another process was quicker to put there.
func makeKey(path string) (err error) {
	var key Key
	_, _ = rand.Read(key[:]) // never fails
	f, err := os.CreateTemp(filepath.Dir(path), ".new-key-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.Write(key[:]) // CreateTemp makes files that only their owner can read
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
