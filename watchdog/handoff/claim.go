package handoff

import (
	"fmt"
	"net"
	"os"
)

// Inheritance is what a worker got from its master.
type Inheritance struct {
	Manifest   Manifest
	Control    *Control
	Scoreboard *os.File
	Listeners  map[string]net.Listener
	Doorbells  map[string]*Doorbell
}

// Claim marks every inherited descriptor close-on-exec, takes the manifest out
// of the environment, and opens what it lists. It must be the first thing that
// a worker does, and is done once.
func Claim() (*Inheritance, error) {
	if err := closeAllOnExec(); err != nil {
		return nil, err
	}
	value, ok := os.LookupEnv(Variable)
	if !ok {
		return nil, ErrNoManifest
	}
	if err := os.Unsetenv(Variable); err != nil {
		return nil, fmt.Errorf("remove manifest from environment: %w", err)
	}
	m, err := ParseManifest(value)
	if err != nil {
		return nil, err
	}
	in := &Inheritance{Manifest: m, Listeners: map[string]net.Listener{}, Doorbells: map[string]*Doorbell{}}
	for i, e := range m.Files {
		if err := in.open(e, Held{firstInherited + i}); err != nil {
			return nil, fmt.Errorf("inherit %s %s: %w", e.Role, e.Name, err)
		}
	}
	for _, d := range in.Doorbells {
		if err := d.open(); err != nil {
			return nil, err
		}
	}
	return in, nil
}

func (in *Inheritance) open(e entry, h Held) (err error) {
	switch e.Role {
	case roleControl:
		in.Control, err = openControl(h)
	case roleScoreboard:
		in.Scoreboard = os.NewFile(h.FD(), "scoreboard")
	case roleListener:
		in.Listeners[e.Name], err = openListener(h, e.Name)
	case roleRing:
		in.doorbell(e.Name).ring = h
	case roleHear:
		in.doorbell(e.Name).hear = h
	}
	return err
}

func (in *Inheritance) doorbell(name string) *Doorbell {
	if in.Doorbells[name] == nil {
		in.Doorbells[name] = &Doorbell{name: name}
	}
	return in.Doorbells[name]
}

// openListener makes a net.Listener of h, and leaves only the listener's own
// descriptor open. Closing it unlinks nothing.
func openListener(h Held, name string) (net.Listener, error) {
	f := os.NewFile(h.FD(), name)
	defer f.Close()
	l, err := net.FileListener(f)
	if err != nil {
		return nil, err
	}
	if u, ok := l.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
	}
	return l, nil
}
