package process

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Realm is the processes that may be disturbed: some roots and what descends
// from them. It may be used from several goroutines.
type Realm struct {
	roots []root
	file  string
	pool  Pool
}

// Pool returns the pids of a pool of the service: "worker", "runner", "master",
// "admin", in an order that means something to who reads "worker:1".
type Pool func(ctx context.Context, name string) ([]int, error)

// root is held by number and start time, because it may be gone for a while
// when the service is started anew.
type root struct {
	pid     int
	started uint64
}

// Config says what a realm is.
type Config struct {
	Roots   []int  // pids that the caller knows to be the service's, or its own
	PIDFile string // of the service, read anew each time; "": none
	Pool    Pool   // nil: the master is the service's process, its children are the workers
}

// ErrForeign is a process that is not the service's.
var ErrForeign = errors.New("not a process of the service under test")

// NewRealm notes who the roots are. One that is not there is an error.
func NewRealm(c Config) (*Realm, error) {
	r := &Realm{file: c.PIDFile, pool: c.Pool}
	for _, pid := range c.Roots {
		one, err := newRoot(pid)
		if err != nil {
			return nil, err
		}
		r.roots = append(r.roots, one)
	}
	return r, nil
}

func newRoot(pid int) (root, error) {
	if pid <= 1 || pid != os.Getpid() && descends(os.Getpid(), pid) {
		return root{}, fmt.Errorf("process %d: %w: this program descends from it, and much else may", pid, ErrForeign)
	}
	s, err := readStat(pid)
	if err != nil {
		return root{}, fmt.Errorf("look at process %d: %w", pid, err)
	}
	return root{pid, s.started}, nil
}

// main returns the process that the scenario's target names: that of the pid
// file, or the first root that is not ourselves.
func (r *Realm) main() (int, error) {
	if r.file != "" {
		return readPID(r.file)
	}
	for _, one := range r.roots {
		if one.pid != os.Getpid() {
			return one.pid, nil
		}
	}
	return 0, errors.New("which process the target is, is not known: give its pid or pid file")
}

func readPID(path string) (int, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("read pid file: %w", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || pid <= 1 {
		return 0, fmt.Errorf("read pid file %s: %.20q is no pid", path, b)
	}
	return pid, nil
}

// Want says which processes are meant. Of Pool, PID and File one is set; none
// is the service's own process.
type Want struct {
	Pool  string
	Index int // of the pool; -1: one of it, by the seed
	All   bool
	PID   int
	File  string
	Seed  uint64
}

const (
	// replacedWithin is how long a pool may lack the process that is meant: its
	// watchdog is about to start another. It is asked again all the while.
	replacedWithin = 3 * time.Second
	askAgain       = 50 * time.Millisecond
)

// Find opens the processes that are meant. The caller closes them. If one of
// them is not of the realm, or gone, none is opened; but a pool is given a moment
// to replace one that is gone.
func (r *Realm) Find(ctx context.Context, w Want) ([]*Process, error) {
	deadline := time.NewTimer(replacedWithin)
	defer deadline.Stop()
	for {
		found, err := r.find(ctx, w)
		if w.Pool == "" || !errors.Is(err, ErrGone) && !errors.Is(err, errFew) {
			return found, err
		}
		again := time.NewTimer(askAgain)
		select {
		case <-again.C:
		case <-deadline.C:
			return nil, err
		case <-ctx.Done():
			return nil, err
		}
	}
}

func (r *Realm) find(ctx context.Context, w Want) ([]*Process, error) {
	pids, err := r.pids(ctx, w)
	if err != nil {
		return nil, err
	}
	var found []*Process
	for _, pid := range pids {
		p, err := r.open(pid)
		if err != nil {
			closeAll(found)
			return nil, err
		}
		found = append(found, p)
	}
	return found, nil
}

// errFew is a pool that has not the process that is meant.
var errFew = errors.New("too few")

func (r *Realm) pids(ctx context.Context, w Want) ([]int, error) {
	switch {
	case w.PID != 0:
		return []int{w.PID}, nil
	case w.File != "":
		pid, err := readPID(w.File)
		return []int{pid}, err
	case w.Pool == "":
		pid, err := r.main()
		return []int{pid}, err
	}
	members, err := r.members(ctx, w.Pool)
	switch {
	case err != nil:
		return nil, fmt.Errorf("look for %s: %w", w.Pool, err)
	case len(members) == 0:
		return nil, fmt.Errorf("look for %s: %w: there is none", w.Pool, errFew)
	case w.All:
		return members, nil
	case w.Index >= len(members):
		return nil, fmt.Errorf("look for %s %d: %w: there are %d, counted from 0", w.Pool, w.Index, errFew, len(members))
	case w.Index >= 0:
		return members[w.Index : w.Index+1], nil
	}
	i := rand.New(rand.NewPCG(w.Seed, 0)).IntN(len(members))
	return members[i : i+1], nil
}

func (r *Realm) members(ctx context.Context, pool string) ([]int, error) {
	if r.pool != nil {
		return r.pool(ctx, pool)
	}
	master, err := r.main()
	if err != nil {
		return nil, err
	}
	switch pool {
	case "master":
		return []int{master}, nil
	case "worker":
		return children(master)
	}
	return nil, errors.New("who that is in this service is not known: give a pid or a pid file")
}

// open holds a process and makes sure that it is of the realm. The error is
// [ErrGone] if it has ended.
func (r *Realm) open(pid int) (*Process, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		err = ErrGone
	}
	if err != nil {
		return nil, fmt.Errorf("open process %d: %w", pid, err)
	}
	s, err := readStat(pid)
	p := &Process{PID: pid, started: s.started, fd: fd}
	if err == nil {
		err = r.owns(pid)
	}
	// What was read was this process's only if it has not been reaped meanwhile.
	if gone := p.Signal(0); gone != nil || s.ended() {
		err = cmp.Or(gone, ErrGone)
	}
	if err != nil {
		p.Close()
		return nil, fmt.Errorf("open process %d: %w", pid, err)
	}
	return p, nil
}

// owns reports as nil that a process is a root or descends from one.
func (r *Realm) owns(pid int) error {
	if pid <= 1 || descends(os.Getpid(), pid) {
		return fmt.Errorf("%w: this program descends from it", ErrForeign)
	}
	roots := r.roots
	if r.file != "" {
		main, err := r.main()
		if err != nil {
			return err
		}
		one, err := newRoot(main)
		if err != nil {
			return fmt.Errorf("pid file %s: %w", r.file, err)
		}
		roots = append(slices.Clip(roots), one)
	}
	for _, one := range roots {
		if s, err := readStat(one.pid); err == nil && s.started == one.started && descends(pid, one.pid) {
			return nil
		}
	}
	return ErrForeign
}

// descends reports whether a process is ancestor, or its child, and so on.
func descends(pid, ancestor int) bool {
	const deepest = 1000 // a chain that changes while it is followed must end
	for range deepest {
		if pid == ancestor {
			return true
		}
		s, err := readStat(pid)
		if err != nil || s.parent == 0 {
			return false
		}
		pid = s.parent
	}
	return false
}
