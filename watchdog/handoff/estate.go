package handoff

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// EstateVariable is the environment variable that carries what a master leaves to the executable that it runs
// in its own place: same process, same descriptors, same children.
const EstateVariable = "SEADOG_ESTATE"

// Survivor is a worker that lives on while its master becomes another executable.
type Survivor struct {
	Pool        string `json:"pool"`
	Index       int    `json:"index"`
	Incarnation uint64 `json:"incarnation"`
	PID         int    `json:"pid"`
	Started     uint64 `json:"started"` // clock ticks since boot
	Begun       int64  `json:"begun"`   // CLOCK_MONOTONIC, ns
	Serving     bool   `json:"serving"` // it takes new work
	Stderr      string `json:"stderr,omitempty"`

	Control *Control `json:"-"`
	FD      int      `json:"control"` // of Control
}

// estate is the variable's value.
type estate struct {
	PID       int          `json:"pid"` // whose it is
	Sockets   []keptSocket `json:"sockets"`
	Survivors []Survivor   `json:"survivors"`
}

type keptSocket struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	FD      int    `json:"fd"`
}

// Bequeath makes all sockets and the control sockets of survivors outlive an
// execve(2), and returns the environment for it. If that fails, take back
// makes everything as it was.
func (s *Sockets) Bequeath(survivors []Survivor) (env []string, takeBack func(), err error) {
	e := estate{PID: os.Getpid()}
	var open, dups []int
	takeBack = func() {
		for _, fd := range open {
			unix.CloseOnExec(fd)
		}
		for _, fd := range dups {
			_ = unix.Close(fd)
		}
	}
	for name, h := range s.all {
		if _, err := unix.FcntlInt(h.FD(), unix.F_SETFD, 0); err != nil {
			takeBack()
			return nil, nil, fmt.Errorf("keep socket %s: %w", name, err)
		}
		open = append(open, h.fd)
		e.Sockets = append(e.Sockets, keptSocket{name, s.specs[name], h.fd})
	}
	for _, w := range survivors {
		if w.FD, err = w.Control.lasting(); err != nil {
			takeBack()
			return nil, nil, fmt.Errorf("keep control socket: %w", err)
		}
		dups = append(dups, w.FD)
		e.Survivors = append(e.Survivors, w)
	}
	value, err := json.Marshal(e)
	if err != nil {
		takeBack()
		return nil, nil, fmt.Errorf("encode estate: %w", err)
	}
	env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(activationVariables, name)
	})
	return append(env, EstateVariable+"="+string(value)), takeBack, nil
}

// Survivors are the workers that this process had before it became this
// executable; none if it did not.
func (s *Sockets) Survivors() []Survivor { return s.survivors }

// lasting returns a duplicate that stays open when another executable is run.
func (c *Control) lasting() (fd int, err error) {
	raw, err := c.conn.SyscallConn()
	if err != nil {
		return -1, err
	}
	var dup error
	if err := raw.Control(func(own uintptr) { fd, dup = unix.FcntlInt(own, unix.F_DUPFD, firstInherited) }); err != nil {
		return -1, err
	}
	return fd, dup
}

// takeEstate reads the variable and removes it. What was left for another
// process is none of ours.
func takeEstate() (estate, error) {
	value, ok := os.LookupEnv(EstateVariable)
	if !ok {
		return estate{}, nil
	}
	if err := os.Unsetenv(EstateVariable); err != nil {
		return estate{}, fmt.Errorf("remove %s from environment: %w", EstateVariable, err)
	}
	e, err := parseEstate(value)
	if err != nil || e.PID != os.Getpid() {
		return estate{}, err
	}
	for _, k := range e.Sockets {
		unix.CloseOnExec(k.FD)
	}
	for i := range e.Survivors {
		w := &e.Survivors[i]
		unix.CloseOnExec(w.FD)
		if w.Control, err = openControl(Held{w.FD}); err != nil {
			return estate{}, fmt.Errorf("take over worker %d: %w", w.PID, err)
		}
	}
	return e, nil
}

func parseEstate(value string) (estate, error) {
	var e estate
	if err := json.Unmarshal([]byte(value), &e); err != nil {
		return estate{}, fmt.Errorf("read %s: %w", EstateVariable, err)
	}
	seen := map[int]bool{}
	take := func(fd int) bool {
		fresh := fd >= firstInherited && !seen[fd]
		seen[fd] = true
		return fresh
	}
	for _, k := range e.Sockets {
		if k.Name == "" || !take(k.FD) {
			return estate{}, fmt.Errorf("read %s: bad socket %q", EstateVariable, k.Name)
		}
	}
	for _, w := range e.Survivors {
		if w.Pool == "" || w.PID <= 1 || w.Index < -1 || !take(w.FD) {
			return estate{}, fmt.Errorf("read %s: bad worker %d", EstateVariable, w.PID)
		}
	}
	return e, nil
}

// socket takes the socket that was made for spec out of the estate.
func (e *estate) socket(spec Spec) (Held, bool) {
	i := slices.IndexFunc(e.Sockets, func(k keptSocket) bool { return k.Name == spec.Name && k.Address == spec.Address })
	if i < 0 {
		return Held{}, false
	}
	h := Held{e.Sockets[i].FD}
	e.Sockets = slices.Delete(e.Sockets, i, i+1)
	return h, true
}

// close gives back the sockets that nobody wants any more.
func (e *estate) close() error {
	var errs []error
	for _, k := range e.Sockets {
		if err := unix.Close(k.FD); err != nil {
			errs = append(errs, fmt.Errorf("close socket %s: %w", k.Name, err))
		}
	}
	return errors.Join(errs...)
}

// inherit keeps a socket that this process had before it became this
// executable, and the file that belongs to it.
func (s *Sockets) inherit(spec Spec, h Held) error {
	if err := s.keep(spec.Name, h); err != nil {
		return err
	}
	path, ok := unixAddress(spec.Address)
	if !ok || strings.HasPrefix(path, "@") || strings.HasPrefix(spec.Address, systemdPrefix) {
		return nil
	}
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("find the file of a socket: %w", err)
	}
	s.paths = append(s.paths, unixPath{path: path, info: info})
	return nil
}
