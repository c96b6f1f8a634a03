package process

import (
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/deployer"
)

const (
	defaultGrace = 10 * time.Second
	// killTime is how long KILL is repeated before the rest is given up as
	// unkillable (uninterruptible sleep, another user's process).
	killTime = 5 * time.Second
	// look is the pause between two looks at /proc while something is dying.
	look = 20 * time.Millisecond
)

// hunt finds and ends the processes of one command, or of one marker.
type hunt struct {
	marker string
	leader int            // session and group of the command while it is not reaped, 0 if there is none
	since  uint64         // start time of the command: nothing that it left behind is older
	seen   map[int]uint64 // pid → start time of everything that was ever a target
}

func newHunt(marker string, leader int) *hunt {
	h := &hunt{marker: marker, leader: leader, seen: map[int]uint64{}}
	if p, err := readProc(leader); err == nil && leader != 0 {
		h.since = p.started
	}
	return h
}

// targets looks once for what is alive. What was a target once stays one, also
// when it has lost its parents since.
func (h *hunt) targets() ([]proc, error) {
	list, err := processes()
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	children := make(map[int][]proc, len(list))
	var found []proc
	chosen := map[int]bool{}
	choose := func(p proc) {
		if !chosen[p.pid] && !p.gone() {
			chosen[p.pid] = true
			h.seen[p.pid] = p.started
			found = append(found, p)
		}
	}
	for _, p := range list {
		children[p.parent] = append(children[p.parent], p)
		if h.own(p) {
			choose(p)
		}
	}
	for i := 0; i < len(found); i++ { // found grows: descendants of descendants
		for _, child := range children[found[i].pid] {
			choose(child)
		}
	}
	return found, nil
}

func (h *hunt) own(p proc) bool {
	if p.gone() {
		return false
	}
	if h.leader != 0 && (p.pid == h.leader || p.group == h.leader || p.session == h.leader) {
		return true
	}
	if started, ok := h.seen[p.pid]; ok && started == p.started {
		return true
	}
	return p.started >= h.since && carries(p.pid, h.marker)
}

// signal sends sig to p unless its pid belongs to another process by now.
func signal(p proc, sig unix.Signal) {
	fd, err := unix.PidfdOpen(p.pid, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	// From here on the pidfd cannot change its process, so a matching start
	// time proves that it is the one that was chosen.
	now, err := readProc(p.pid)
	if err != nil || now.started != p.started || now.gone() {
		return
	}
	_ = unix.PidfdSendSignal(fd, sig, nil, 0) // the next look shows whether it helped
}

// end ends everything: TERM, grace, KILL, until two looks in a row find
// nothing. It returns what could not be killed.
func (h *hunt) end(ctx context.Context, grace time.Duration) ([]proc, error) {
	if grace <= 0 {
		grace = defaultGrace
	}
	found, err := h.quiet()
	if err != nil || len(found) == 0 {
		return nil, err
	}
	for _, p := range found {
		signal(p, unix.SIGTERM)
	}
	over := time.Now().Add(grace)
	for time.Now().Before(over) && ctx.Err() == nil {
		pause(ctx, min(look, time.Until(over)))
		if found, err = h.quiet(); err != nil || len(found) == 0 {
			return nil, err
		}
	}
	over = time.Now().Add(killTime)
	for {
		h.killGroup()
		for _, p := range found {
			signal(p, unix.SIGKILL)
		}
		if found, err = h.quiet(); err != nil || len(found) == 0 {
			return nil, err
		}
		if time.Now().After(over) {
			return found, nil
		}
		pause(context.WithoutCancel(ctx), look/4)
	}
}

// quiet returns the targets; none only if two looks in a row found none. Even
// they miss a relay in which every process starts the next one and exits: it
// is always elsewhere. So the group is killed then, whatever it may contain.
func (h *hunt) quiet() ([]proc, error) {
	for range 2 {
		if found, err := h.targets(); err != nil || len(found) > 0 {
			return found, err
		}
	}
	h.killGroup()
	return nil, nil
}

// killGroup kills the whole group of the command in one call: the kernel lets
// nothing fork its way past it. The leader is not reaped yet, so the id is its own.
func (h *hunt) killGroup() {
	if h.leader != 0 {
		_ = unix.Kill(-h.leader, unix.SIGKILL)
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Sweep ends every process on this machine that carries exactly this marker:
// TERM, grace (10 s if 0), KILL. It returns how many were ended, and an error
// if some could not be. If ctx ends, the grace ends with it; KILL is not skipped.
func Sweep(ctx context.Context, marker string, grace time.Duration) (ended int, err error) {
	if err := validMarker(marker); err != nil {
		return 0, err
	}
	h := newHunt(marker, 0)
	left, err := h.end(ctx, grace)
	h.reap()
	if err != nil {
		return len(h.seen), err
	}
	if len(left) > 0 {
		return len(h.seen), deployer.Errorf(deployer.CodeInternal, "%s", survivors(left))
	}
	return len(h.seen), nil
}

func survivors(left []proc) string {
	if len(left) == 1 {
		return fmt.Sprintf("process %d (state %c) cannot be killed", left[0].pid, left[0].state)
	}
	return fmt.Sprintf("%d processes cannot be killed, among them %d (state %c)", len(left), left[0].pid, left[0].state)
}

// Adopt makes this process the parent of every descendant that loses its own,
// so that nothing a command starts escapes to init. The runner calls it once,
// before its first command. Adopted processes are reaped by Run and Sweep.
func Adopt() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("become subreaper: %w", err)
	}
	return nil
}

// reap buries the dead that were adopted. It never waits for a process that
// leads a session unless it was hunted here: that could be another command,
// whose exit code belongs to whoever started it.
func (h *hunt) reap() {
	list, err := processes()
	if err != nil {
		return
	}
	self, err := readProc(os.Getpid())
	if err != nil {
		return
	}
	for _, p := range list {
		if p.parent != self.pid || !p.gone() || p.pid == h.leader || p.group == self.group {
			continue
		}
		if started, ok := h.seen[p.pid]; (ok && started == p.started) || p.pid != p.session {
			_ = unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOHANG, nil)
		}
	}
}
