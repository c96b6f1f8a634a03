package handoff

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// unixAddress returns the path of a Unix socket's address.
func unixAddress(address string) (string, bool) {
	if path, ok := strings.CutPrefix(address, unixPrefix); ok {
		return path, true
	}
	return address, strings.HasPrefix(address, "/")
}

// staleProbe bounds the question whether somebody listens. The answer of a
// local socket is immediate, unless its queue is full: then somebody does.
const staleProbe = time.Second

// removeStale removes the socket file at path if nobody listens on it. It
// touches nothing that is not a socket.
func removeStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s exists and is not a socket", path)
	}
	d := net.Dialer{Timeout: staleProbe}
	conn, err := d.DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		_ = conn.Close()
		return fmt.Errorf("%s is in use by another process", path)
	case errors.Is(err, unix.ECONNREFUSED):
		return os.Remove(path)
	}
	return fmt.Errorf("see who listens on %s: %w", path, err)
}

// unixPath is a socket file that this process made.
type unixPath struct {
	path string
	info fs.FileInfo
}

// claimPath sets mode and owner, and remembers which file it was.
func claimPath(path string, mode fs.FileMode, owner string) (unixPath, error) {
	p := unixPath{path: path}
	var err error
	if p.info, err = os.Lstat(path); err != nil {
		return p, err
	}
	uid, gid, err := lookupOwner(owner)
	if err != nil {
		return p, err
	}
	if err := os.Lchown(path, uid, gid); err != nil {
		return p, err
	}
	return p, os.Chmod(path, mode.Perm())
}

// remove unlinks the file unless another process has put its own there since.
func (p unixPath) remove() error {
	now, err := os.Lstat(p.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(now, p.info) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.Remove(p.path)
}

// lookupOwner resolves "user:group"; -1 leaves one as it is.
func lookupOwner(owner string) (uid, gid int, err error) {
	uid, gid = -1, -1
	name, group, _ := strings.Cut(owner, ":")
	if name != "" {
		u, err := user.Lookup(name)
		if err != nil {
			return 0, 0, fmt.Errorf("owner of socket: %w", err)
		}
		if uid, err = strconv.Atoi(u.Uid); err != nil {
			return 0, 0, fmt.Errorf("owner of socket: %w", err)
		}
	}
	if group != "" {
		g, err := user.LookupGroup(group)
		if err != nil {
			return 0, 0, fmt.Errorf("group of socket: %w", err)
		}
		if gid, err = strconv.Atoi(g.Gid); err != nil {
			return 0, 0, fmt.Errorf("group of socket: %w", err)
		}
	}
	return uid, gid, nil
}
