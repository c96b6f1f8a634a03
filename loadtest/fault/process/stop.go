package process

import (
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// Stopped is processes that were stopped.
type Stopped struct {
	list  []*Process
	guard []func()

	mu      sync.Mutex
	undone  bool
	err     error
	effects map[string]uint64
}

// Stop sends SIGSTOP to processes and waits until they have stopped; it takes
// them over. A watchdog may be quicker and kill one, which is no error: it is
// counted as gone. If one cannot be stopped, all go on.
func Stop(list []*Process, g *Guardian) (*Stopped, error) {
	s := &Stopped{effects: map[string]uint64{}}
	for i, p := range list {
		if err := s.stop(p, g); err != nil {
			err = errors.Join(fmt.Errorf("stop process %d: %w", p.PID, err), s.Undo())
			closeAll(list[i:])
			return nil, err
		}
	}
	return s, nil
}

func (s *Stopped) stop(p *Process, g *Guardian) error {
	if st, err := readStat(p.PID); err == nil && st.started == p.started && st.stopped() {
		return errors.New("somebody else has stopped it already")
	}
	release, err := g.Guard("continue " + p.name())
	if err != nil {
		return err
	}
	s.list, s.guard = append(s.list, p), append(s.guard, release)
	err = p.Signal(unix.SIGSTOP)
	gone := errors.Is(err, ErrGone)
	if err != nil && !gone {
		return err
	}
	if !gone {
		if gone, err = p.waitStopped(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.effects["stopped"]++
	if gone {
		s.effects["gone at once"]++
	}
	return nil
}

// Undo sends SIGCONT. A process that is gone by then was replaced by who
// watches over it, or had enough: it is counted.
func (s *Stopped) Undo() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.undone {
		return s.err
	}
	s.undone = true
	var errs []error
	for _, p := range s.list {
		switch err := p.Signal(unix.SIGCONT); {
		case errors.Is(err, ErrGone):
			s.effects["gone"]++
		case err != nil:
			errs = append(errs, fmt.Errorf("continue process %d: %w", p.PID, err))
		}
		p.Close()
	}
	for _, release := range s.guard {
		release()
	}
	s.err = errors.Join(errs...)
	return s.err
}

// Effects counts what was stopped, and what was gone when it should go on.
func (s *Stopped) Effects() map[string]uint64 { return copyOf(&s.mu, s.effects) }

// Kill sends SIGKILL to processes, and closes them. It returns how many there were to kill.
func Kill(list []*Process) (uint64, error) {
	defer closeAll(list)
	var killed uint64
	var errs []error
	for _, p := range list {
		switch err := p.Signal(unix.SIGKILL); {
		case err == nil:
			killed++
		case !errors.Is(err, ErrGone):
			errs = append(errs, err)
		}
	}
	if killed == 0 && len(errs) == 0 {
		errs = append(errs, ErrGone)
	}
	return killed, errors.Join(errs...)
}
