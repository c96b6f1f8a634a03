package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/deployer"
)

// drainTime is how long the pipes are read after everything that was found has
// ended; only a process that escaped the hunt can keep them open that long.
const drainTime = 2 * time.Second

// Run runs a command until it and everything it started are gone. It returns
// at the latest after Timeout.Deadline or the end of ctx, plus Grace, plus a few seconds
// for what cannot be killed.
//
// The error is nil if the command exited with 0, an [*ExitError] that carries
// the same [Exit] if it did not, could not be started, or was ended; and
// another error only if the [Command] itself is wrong. Processes that the
// command left behind are ended in any case; that alone is not an error.
//
// Run may be called concurrently.
func Run(ctx context.Context, c Command) (Exit, error) {
	if err := validMarker(c.Marker); err != nil {
		return Exit{Code: -1}, err
	}
	if ctx.Err() != nil {
		return ended(Exit{Code: -1}, stopOf(ctx))
	}
	r, stop := start(c)
	if stop != nil {
		return ended(Exit{Code: -1}, stop)
	}
	r.tellGroup(r.process.Pid) // the leader of its session leads its group
	stop = r.watch(ctx)
	return r.finish(ctx, stop)
}

func validMarker(marker string) error {
	if marker == "" || strings.ContainsRune(marker, 0) {
		return deployer.Errorf(deployer.CodeInternal, "command without a marker")
	}
	return nil
}

// ended makes the error of a command that was ended from outside or never ran.
func ended(e Exit, stop *Stop) (Exit, error) {
	e.Cause, e.Reason = stop.Cause, stop.Reason
	return e, &ExitError{Exit: e, Err: stop}
}

// running is a command between start and finish.
type running struct {
	Command
	process *os.Process
	pidfd   *os.File
	pipes   [2]*os.File // reading ends
	readers sync.WaitGroup
	out     *output
	exited  chan struct{} // closed when the command has exited; it is not reaped then
	hunt    *hunt
}

func start(c Command) (*running, *Stop) {
	path, stop := lookPath(c.Path, c.Env)
	if stop != nil {
		return nil, stop
	}
	r := &running{Command: c, exited: make(chan struct{})}
	if err := r.spawn(path); err != nil {
		return nil, notStarted(c, err)
	}
	r.out = newOutput(c.Line)
	r.hunt = newHunt(c.Marker, r.process.Pid)
	r.readers.Go(func() { r.out.read(Stdout, r.pipes[0]) })
	r.readers.Go(func() { r.out.read(Stderr, r.pipes[1]) })
	r.readers.Go(r.await)
	return r, nil
}

func notStarted(c Command, err error) *Stop {
	reason := fmt.Sprintf("%s cannot be started: %v", filepath.Base(c.Path), err)
	cause := deployer.CauseStepFailed
	switch {
	case errors.Is(err, unix.ENOSPC):
		cause = deployer.CauseDiskFull
	case errors.Is(err, unix.E2BIG):
		reason += "; its arguments and environment are too long"
	case errors.Is(err, unix.EAGAIN):
		reason += "; the limit of processes is reached (ulimit -u, TasksMax)"
	}
	if c.Dir != "" {
		if info, statErr := os.Stat(c.Dir); statErr != nil || !info.IsDir() {
			reason = fmt.Sprintf("%s cannot be started: %s is not a directory", filepath.Base(c.Path), c.Dir)
		}
	}
	return &Stop{Cause: cause, Reason: reason, Err: err}
}

// spawn starts the process with its pipes. It leaves nothing open on error.
func (r *running) spawn(path string) (err error) {
	var open, theirs []*os.File
	defer func() {
		for _, f := range theirs {
			f.Close()
		}
		if err != nil {
			for _, f := range open {
				f.Close()
			}
		}
	}()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	theirs = append(theirs, null)
	for i := range r.pipes {
		reading, writing, err := os.Pipe()
		if err != nil {
			return err
		}
		r.pipes[i] = reading
		open, theirs = append(open, reading), append(theirs, writing)
	}
	pidfd := -1
	// A session of its own: a process group, and no terminal to ask on.
	r.process, err = os.StartProcess(path, append([]string{r.Path}, r.Args...), &os.ProcAttr{
		Dir: r.Dir, Env: r.environ(), Files: theirs,
		Sys: &unix.SysProcAttr{Setsid: true, PidFD: &pidfd},
	})
	if err != nil {
		return err
	}
	if pidfd < 0 || unix.SetNonblock(pidfd, true) != nil {
		_ = r.process.Kill()
		_, _ = r.process.Wait()
		return errors.New("this kernel has no pidfd; Linux 5.4 or later is needed")
	}
	r.pidfd = os.NewFile(uintptr(pidfd), "pidfd")
	return nil
}

func (r *running) tellGroup(pgid int) {
	if r.Group != nil {
		r.Group(pgid)
	}
}

// environ is Env with the marker, and without any other marker.
func (r *running) environ() []string {
	env := make([]string, 0, len(r.Env)+1)
	for _, e := range r.Env {
		if !strings.HasPrefix(e, MarkerVariable+"=") {
			env = append(env, e)
		}
	}
	return append(env, MarkerVariable+"="+r.Marker)
}

// await closes exited when the command has exited, without reaping it, so that
// its pid, which is also its group and session, cannot be used again before finish.
// It ends when the pidfd is closed.
func (r *running) await() {
	conn, err := r.pidfd.SyscallConn()
	if err != nil {
		return
	}
	over := false
	_ = conn.Read(func(fd uintptr) bool {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PIDFD, int(fd), &info, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, nil)
		over = err == nil && info.Signo != 0
		return over || (err != nil && !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.EAGAIN))
	})
	if over {
		close(r.exited)
	}
}

// watch waits until the command has exited (nil) or has to be ended.
func (r *running) watch(ctx context.Context) *Stop {
	timer := time.NewTimer(0)
	defer timer.Stop()
	stalled := false
	tell := func(now bool) {
		if stalled = now; r.Stalled != nil {
			r.Stalled(now)
		}
	}
	for {
		now := time.Now()
		silent := now.Sub(r.out.silentSince())
		switch d := r.Timeout; {
		case d.Deadline > 0 && now.Sub(r.out.start) >= d.Deadline:
			return &Stop{Cause: deployer.CauseDeadline, Reason: fmt.Sprintf("%s took longer than %s", filepath.Base(r.Path), d.Deadline)}
		case d.Silence > 0 && silent >= d.Silence:
			return &Stop{Cause: deployer.CauseSilence, Reason: fmt.Sprintf("%s printed nothing for %s", filepath.Base(r.Path), d.Silence)}
		case d.Silence > 0 && !stalled && silent >= d.Silence/2:
			r.out.stalled.Store(true)
			tell(true)
			continue
		case stalled && silent < d.Silence/2:
			r.out.stalled.Store(false)
			tell(false)
			continue
		}
		wake := r.next(now, silent, stalled)
		timer.Reset(wake)
		select {
		case <-r.exited:
			if stalled {
				tell(false)
			}
			return nil
		case <-ctx.Done():
			return stopOf(ctx)
		case <-r.out.heard:
		case <-timer.C:
			// Whoever was stopped or suspended himself has not listened: what
			// was printed meanwhile may still be in the pipe.
			if late := time.Since(now) - wake; late > time.Second {
				r.out.touch()
			}
		}
	}
}

// next is how long nothing has to be judged.
func (r *running) next(now time.Time, silent time.Duration, stalled bool) time.Duration {
	wake := 24 * time.Hour
	if d := r.Timeout.Deadline; d > 0 {
		wake = min(wake, d-now.Sub(r.out.start))
	}
	if s := r.Timeout.Silence; s > 0 && stalled {
		wake = min(wake, s-silent)
	} else if s > 0 {
		wake = min(wake, s/2-silent)
	}
	return max(wake, 0)
}

// finish ends what is left, reads what was printed, and reaps.
func (r *running) finish(ctx context.Context, stop *Stop) (Exit, error) {
	// The grace belongs to the command: whatever ended it, its context included.
	left, err := r.hunt.end(context.WithoutCancel(ctx), r.Grace)
	r.drain()
	r.tellGroup(0)
	var e Exit
	e.Code, e.Killed, e.Duration = -1, len(r.hunt.seen), time.Since(r.out.start)
	select {
	case <-r.exited:
		state, waitErr := r.process.Wait()
		r.hunt.leader = 0
		if waitErr == nil {
			e.Code = state.ExitCode()
			stop = r.judge(state, stop)
		}
	default: // it cannot be killed, and nobody can wait for that
		_ = r.process.Release()
	}
	r.hunt.reap()
	tail, _ := r.out.lastLines()
	e.Tail = tail
	switch {
	case stop == nil && len(left) > 0:
		stop = &Stop{Cause: deployer.CauseStepFailed, Reason: survivors(left)}
	case len(left) > 0:
		stop = &Stop{Cause: stop.Cause, Reason: stop.Reason + "; " + survivors(left), Err: stop}
	case stop == nil && err != nil:
		stop = &Stop{Cause: deployer.CauseStepFailed, Reason: "what the command left behind cannot be listed", Err: err}
	}
	if stop != nil {
		return ended(e, stop)
	}
	return e, nil
}

// drain waits for the readers: they end by themselves when the last writer is
// gone, and are ended when a writer escaped.
func (r *running) drain() {
	done := make(chan struct{})
	go func() {
		r.readers.Wait()
		close(done)
	}()
	timer := time.NewTimer(drainTime)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		for _, p := range r.pipes {
			_ = p.SetReadDeadline(time.Unix(1, 0))
		}
		_ = r.pidfd.SetReadDeadline(time.Unix(1, 0))
		<-done
	}
	for _, f := range append(r.pipes[:], r.pidfd) {
		f.Close()
	}
}

// judge turns the state of an exited command into a stop, unless it has one already.
func (r *running) judge(state *os.ProcessState, stop *Stop) *Stop {
	if stop != nil || state.Success() {
		return stop
	}
	name := filepath.Base(r.Path)
	reason := fmt.Sprintf("%s exited with code %d", name, state.ExitCode())
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		reason = fmt.Sprintf("%s was ended by signal %d (%s)", name, int(status.Signal()), status.Signal())
	}
	if _, last := r.out.lastLines(); last != "" {
		reason += ": " + last
	}
	return &Stop{Cause: deployer.CauseStepFailed, Reason: reason}
}

// lookPath finds name in the PATH of env. Unlike [os/exec.LookPath] it does
// not look at this process's own environment.
func lookPath(name string, env []string) (string, *Stop) {
	if name == "" {
		return "", &Stop{Cause: deployer.CauseStepFailed, Reason: "no command was given"}
	}
	if strings.Contains(name, "/") {
		return name, nil
	}
	search := ""
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, "PATH="); ok {
			search = v
		}
	}
	for _, dir := range filepath.SplitList(search) {
		if !filepath.IsAbs(dir) {
			continue
		}
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && unix.Access(file, unix.X_OK) == nil {
			return file, nil
		}
	}
	return "", &Stop{
		Cause:  deployer.CauseStepFailed,
		Reason: fmt.Sprintf("%s is not installed: it is in no directory of PATH=%q", name, search),
		Err:    &deployer.Error{Code: deployer.CodeNotFound, Message: name + " is not installed", Hint: "install " + name + ", or add its directory to PATH of the service"},
	}
}
