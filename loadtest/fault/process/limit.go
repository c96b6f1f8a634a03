package process

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// Limited is processes that may open no more descriptors than they were given.
type Limited struct {
	list []limited

	mu      sync.Mutex
	undone  bool
	err     error
	effects map[string]uint64
}

type limited struct {
	*Process
	before  unix.Rlimit
	release func()
}

// Limit lowers the soft limit of descriptors of processes, so that they can open
// spare more and then get EMFILE; it takes them over. The hard limit stays, so
// that nothing is needed to restore it but to be who we are.
func Limit(list []*Process, spare int, g *Guardian) (*Limited, error) {
	l := &Limited{effects: map[string]uint64{}}
	for i, p := range list {
		one, err := limit(p, spare, g)
		if err != nil {
			closeAll(list[i:])
			return nil, errors.Join(fmt.Errorf("limit descriptors of process %d: %w", p.PID, err), l.Undo())
		}
		l.list = append(l.list, one)
		l.effects["limited"]++
	}
	return l, nil
}

func limit(p *Process, spare int, g *Guardian) (limited, error) {
	one := limited{Process: p}
	if err := unix.Prlimit(p.PID, unix.RLIMIT_NOFILE, nil, &one.before); err != nil {
		return limited{}, err
	}
	lowest, err := bound(p.PID, spare)
	if err != nil {
		return limited{}, err
	}
	if lowest >= one.before.Cur {
		return limited{}, fmt.Errorf("it may open %d descriptors, and has fewer than %d left: there is nothing to lower", one.before.Cur, spare)
	}
	one.release, err = g.Guard(fmt.Sprintf("limit %s %d %d", p.name(), one.before.Cur, one.before.Max))
	if err != nil {
		return limited{}, err
	}
	if err := p.setLimit(unix.Rlimit{Cur: lowest, Max: one.before.Max}); err != nil {
		one.release()
		return limited{}, err
	}
	return one, nil
}

// setLimit sets the limit of descriptors. The call knows the process by its
// number only; that it is there before and after means that it was the one.
func (p *Process) setLimit(l unix.Rlimit) error {
	if err := p.Signal(0); err != nil {
		return err
	}
	if err := unix.Prlimit(p.PID, unix.RLIMIT_NOFILE, &l, nil); err != nil {
		return err
	}
	return p.Signal(0)
}

// bound returns the limit under which a process has spare free descriptors:
// numbers that are free below the highest one in use count, because the lowest
// free one is taken first.
func bound(pid, spare int) (uint64, error) {
	dir, err := os.Open("/proc/" + strconv.Itoa(pid) + "/fd")
	if err != nil {
		return 0, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return 0, err
	}
	used := make(map[int]bool, len(names))
	for _, name := range names {
		if fd, err := strconv.Atoi(name); err == nil {
			used[fd] = true
		}
	}
	next := 0
	for free := 0; ; next++ {
		if used[next] {
			continue
		}
		if free == spare {
			return uint64(next), nil
		}
		free++
	}
}

// Undo restores the limits. A process that is gone needs none.
func (l *Limited) Undo() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.undone {
		return l.err
	}
	l.undone = true
	var errs []error
	for _, p := range l.list {
		switch err := p.setLimit(p.before); {
		case errors.Is(err, ErrGone), errors.Is(err, unix.ESRCH):
			l.effects["gone"]++
		case err != nil:
			errs = append(errs, fmt.Errorf("restore limit of process %d: %w", p.PID, err))
		}
		p.release()
		p.Close()
	}
	l.err = errors.Join(errs...)
	return l.err
}

// Effects counts processes that were limited, and that were gone at the end.
func (l *Limited) Effects() map[string]uint64 { return copyOf(&l.mu, l.effects) }

func copyOf(mu *sync.Mutex, m map[string]uint64) map[string]uint64 {
	mu.Lock()
	defer mu.Unlock()
	return maps.Clone(m)
}
