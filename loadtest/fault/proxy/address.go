package proxy

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// upstream is what a proxy leads to.
type upstream struct{ network, address string }

// parseUpstream reads host:port or a path.
func parseUpstream(text string) (upstream, error) {
	if path := strings.TrimPrefix(text, "unix://"); strings.HasPrefix(path, "/") {
		return upstream{"unix", path}, nil
	}
	address := strings.TrimPrefix(text, "tcp://")
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return upstream{}, fmt.Errorf("upstream %q: want host:port or the path of a socket", text)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return upstream{}, fmt.Errorf("upstream %q: not a host of the loopback", text)
	}
	return upstream{"tcp", address}, nil
}

// place is where a proxy listens. It is kept while nobody listens there, so that
// a proxy that is down comes up again where it was.
type place struct {
	network, address string
	holder           int // a socket that is bound to the same port and never listens; -1: none
	listener         net.Listener
}

// listen opens a place: the path of a socket, or a port of the loopback.
func listen(path string) (*place, error) {
	at := &place{network: "unix", address: path, holder: -1}
	if path == "" {
		holder, port, err := hold()
		if err != nil {
			return nil, fmt.Errorf("hold a port: %w", err)
		}
		at = &place{network: "tcp", address: fmt.Sprintf("127.0.0.1:%d", port), holder: holder}
	} else if _, err := os.Lstat(path); err == nil {
		return nil, fmt.Errorf("listen on %s: there is something already", path)
	}
	if err := at.open(); err != nil {
		return nil, errors.Join(err, at.leave())
	}
	return at, nil
}

// hold binds a socket to a free port. It does not listen: whoever connects is
// refused, unless a listener is bound to the port as well, and the kernel gives
// the port to nobody who asks for a free one.
func hold() (fd, port int, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, 0, err
	}
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	}
	var name unix.Sockaddr
	if err == nil {
		name, err = unix.Getsockname(fd)
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, 0, err
	}
	return fd, name.(*unix.SockaddrInet4).Port, nil
}

// open begins to listen.
func (p *place) open() error {
	if p.network == "tcp" {
		l, err := net.Listen("tcp", p.address)
		p.listener = l
		return err
	}
	// A socket that is down still has its file, and connecting is refused. The new
	// one takes its place in one step.
	fresh := p.address + ".new"
	l, err := net.Listen("unix", fresh)
	if err != nil {
		return err
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := os.Rename(fresh, p.address); err != nil {
		return errors.Join(err, l.Close(), os.Remove(fresh))
	}
	p.listener = l
	return nil
}

// shut stops listening, and keeps the place.
func (p *place) shut() error { return p.listener.Close() }

// leave gives the place up.
func (p *place) leave() error {
	if p.network == "unix" {
		if err := os.Remove(p.address); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	}
	return unix.Close(p.holder)
}
