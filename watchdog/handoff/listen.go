package handoff

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Spec describes one listening socket.
type Spec struct {
	Name string // by which pools list it
	// Address is "host:port", "unix:/path" (or just "/path"), "unix:@name" for
	// an abstract socket, or "systemd:NAME" for one that systemd passed under
	// that FileDescriptorName.
	Address string

	// Of Unix sockets with a path.
	Mode  os.FileMode // 0660 if 0
	Owner string      // "user", "user:group" or ":group"; unchanged if empty
}

const (
	unixPrefix    = "unix:"
	systemdPrefix = "systemd:"
	defaultMode   = 0o660
)

// Sockets are the listening sockets of a service, held by its master.
type Sockets struct {
	all   map[string]Held
	addrs map[string]net.Addr
	specs map[string]string // address as it was asked for, by name
	paths []unixPath

	survivors []Survivor
}

// Listen makes all sockets or none. It takes systemd's variables out of the
// environment, whether a socket of systemd is asked for or not. In a process
// that became another executable it takes over the sockets that it had.
func Listen(ctx context.Context, specs []Spec) (*Sockets, error) {
	s := &Sockets{all: map[string]Held{}, addrs: map[string]net.Addr{}, specs: map[string]string{}}
	given, err := takeActivation()
	if err != nil {
		return nil, err
	}
	left, err := takeEstate()
	if err != nil {
		return nil, err
	}
	s.survivors = left.Survivors
	for _, spec := range specs {
		h, had := left.socket(spec)
		if had {
			err = s.inherit(spec, h)
		} else {
			err = s.add(ctx, spec, given)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("listen on %s: %w", spec.Address, err), s.Release())
		}
		s.specs[spec.Name] = spec.Address
	}
	if err := left.close(); err != nil {
		return nil, errors.Join(err, s.Release())
	}
	return s, nil
}

func (s *Sockets) add(ctx context.Context, spec Spec, given activation) error {
	if _, twice := s.all[spec.Name]; twice || spec.Name == "" {
		return fmt.Errorf("name %q is empty or used twice", spec.Name)
	}
	name, ok := strings.CutPrefix(spec.Address, systemdPrefix)
	if ok {
		h, err := given.socket(name)
		if err != nil {
			return err
		}
		return s.keep(spec.Name, h)
	}
	path, ok := unixAddress(spec.Address)
	if !ok {
		return s.bind(ctx, spec.Name, "tcp", spec.Address, nil)
	}
	if strings.HasPrefix(path, "@") {
		return s.bind(ctx, spec.Name, "unix", path, nil)
	}
	return s.addUnix(ctx, spec, path)
}

// addUnix replaces a socket file that nobody listens on any more.
func (s *Sockets) addUnix(ctx context.Context, spec Spec, path string) error {
	mode := spec.Mode
	if mode == 0 {
		mode = defaultMode
	}
	if err := removeStale(ctx, path); err != nil {
		return err
	}
	// The mode of the socket before bind(2) is the mode of the file after it:
	// at no moment is it wider than asked for.
	narrow := func(_, _ string, c syscall.RawConn) error {
		var err error
		if cerr := c.Control(func(fd uintptr) { err = unix.Fchmod(int(fd), uint32(mode.Perm())) }); cerr != nil {
			return cerr
		}
		return err
	}
	if err := s.bind(ctx, spec.Name, "unix", path, narrow); err != nil {
		return err
	}
	made, err := claimPath(path, mode, spec.Owner)
	s.paths = append(s.paths, made)
	return err
}

func (s *Sockets) bind(ctx context.Context, name, network, address string, control func(string, string, syscall.RawConn) error) error {
	l, err := listen(ctx, network, address, control)
	if err != nil {
		return err
	}
	if u, ok := l.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
	}
	defer l.Close() // the held duplicate keeps the socket
	h, err := hold(l.(syscall.Conn))
	if err != nil {
		return err
	}
	s.all[name], s.addrs[name] = h, l.Addr()
	return nil
}

// heirs is how long the workers of a master that was killed may keep its port.
const heirs = 2 * time.Second

// listen tries again for a while when the address is in use: whoever restarts a
// service that was killed is faster than its last workers.
func listen(ctx context.Context, network, address string, control func(string, string, syscall.RawConn) error) (net.Listener, error) {
	const pause = 50 * time.Millisecond
	lc := net.ListenConfig{Control: control}
	for begun := time.Now(); ; {
		l, err := lc.Listen(ctx, network, address)
		if !errors.Is(err, unix.EADDRINUSE) || time.Since(begun) > heirs {
			return l, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, err
		}
	}
}

// keep holds a socket that came from outside.
func (s *Sockets) keep(name string, h Held) error {
	dup, err := h.dup()
	if err != nil {
		return err
	}
	l, err := openListener(dup, name)
	if err != nil {
		return err
	}
	s.all[name], s.addrs[name] = h, l.Addr()
	return l.Close()
}

// Held returns the socket of that name.
func (s *Sockets) Held(name string) (Held, bool) {
	h, ok := s.all[name]
	return h, ok
}

// Addr returns where the socket of that name listens, nil if there is none.
func (s *Sockets) Addr(name string) net.Addr { return s.addrs[name] }

// Release closes all sockets and removes the socket files that [Listen] made.
// It is for the end of the process, when all workers are gone.
func (s *Sockets) Release() error {
	var errs []error
	for name, h := range s.all {
		if err := unix.Close(h.fd); err != nil {
			errs = append(errs, fmt.Errorf("close socket %s: %w", name, err))
		}
	}
	for _, p := range s.paths {
		errs = append(errs, p.remove())
	}
	s.all, s.paths = nil, nil
	return errors.Join(errs...)
}
