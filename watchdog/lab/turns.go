package lab

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// turns lets one process at a time write. SQLite's own waiting sleeps longer
// and longer, which starves whoever is unlucky. Two locks make it fair: who
// waits for the turn holds the gate, so who just wrote queues up behind. The
// kernel gives both back when their holder dies, and one that is frozen is
// killed by the watchdog.
type turns struct {
	gate, turn *os.File
}

func openTurns(path string) (*turns, error) {
	gate, err := os.OpenFile(path+".gate", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	turn, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, errors.Join(err, gate.Close())
	}
	return &turns{gate: gate, turn: turn}, nil
}

func (t *turns) take() error {
	if err := flock(t.gate, unix.LOCK_EX); err != nil {
		return err
	}
	err := flock(t.turn, unix.LOCK_EX)
	return errors.Join(err, flock(t.gate, unix.LOCK_UN))
}

func (t *turns) release() error { return flock(t.turn, unix.LOCK_UN) }

func (t *turns) close() error { return errors.Join(t.gate.Close(), t.turn.Close()) }

func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("lock %s: %w", f.Name(), err)
		}
	}
}
