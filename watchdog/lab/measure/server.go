package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// options is how a cell wants its lab.
type options struct {
	workers int           // 2 if 0
	mercy   time.Duration // the bench's if 0
	binary  string        // the bench's if empty
	args    []string      // further arguments
}

// server is a running "seadog lab".
type server struct {
	addr   string
	pid    int // of the watchdog
	binary string
	data   string
	faults string
	log    string

	wanted int // workers
	ended  chan struct{}
}

const (
	bootWithin = 20 * time.Second
	stopWithin = 5 * time.Second
)

// start starts a lab of its own for a cell and waits until all its workers answer.
func (b *bench) start(ctx context.Context, cell string, o options) (*server, error) {
	if o.workers == 0 {
		o.workers = 2
	}
	if o.mercy == 0 {
		o.mercy = b.mercy
	}
	if o.binary == "" {
		o.binary = b.binary
	}
	dir := b.cellDir(cell)
	s := &server{
		binary: o.binary, wanted: o.workers, ended: make(chan struct{}),
		data: filepath.Join(dir, "data"), faults: filepath.Join(dir, "faults"), log: filepath.Join(dir, "log"),
	}
	for _, d := range []string{s.data, s.faults} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, err
		}
	}
	var err error
	if s.addr, err = freeAddress(ctx); err != nil {
		return nil, err
	}
	args := append([]string{
		"lab", "--listen", s.addr, "--workers", strconv.Itoa(o.workers),
		"--harakiri", b.harakiri.String(), "--mercy", o.mercy.String(), "--data", s.data,
	}, o.args...)
	if err := s.launch(b, args, filepath.Join(dir, "hooks.db")); err != nil {
		return nil, err
	}
	if err := s.answers(ctx); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// launch starts the process. It is no descendant's business how this program
// ends: a group of its own keeps a terminal's ^C away, and the kernel kills the
// watchdog if this program is killed.
func (s *server) launch(b *bench, args []string, database string) error {
	argv := append([]string{s.binary}, args...)
	if b.nice {
		argv = append([]string{"nice", "-n", strconv.Itoa(advantage)}, argv...)
	}
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "LAB_FAULTDIR="+s.faults, "LAB_DB="+database)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the lab: %w", err)
	}
	s.pid = cmd.Process.Pid
	go func() { // ends with the process, which stop sees to
		_ = cmd.Wait() // how it ended is in its log
		close(s.ended)
	}()
	return nil
}

// answers waits until as many workers answer as there should be.
func (s *server) answers(ctx context.Context) error {
	pids := map[int]bool{}
	c := &client{addr: s.addr}
	_, ok := poll(ctx, bootWithin, func() bool {
		select {
		case <-s.ended:
			return true
		default:
		}
		if a := c.get(ctx, "/health", time.Second); a.ok() {
			pids[a.PID] = true
		}
		return len(pids) >= s.wanted
	})
	select {
	case <-s.ended:
		return fmt.Errorf("the lab ended at once: %s", tail(s.log))
	default:
	}
	if !ok && len(pids) == 0 {
		return fmt.Errorf("the lab does not answer: %s", tail(s.log))
	}
	return ctx.Err() // a worker that is less lucky in accepting is no error
}

// workers returns the pids of the watchdog's children, the spare among them.
func (s *server) workers() []int { return children(s.pid) }

// alive reports whether the watchdog runs.
func (s *server) alive() bool {
	select {
	case <-s.ended:
		return false
	default:
		return true
	}
}

// signal sends a signal to one of the server's processes, which may be gone.
func (s *server) signal(pid int, sig syscall.Signal) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	defer func() { _ = p.Release() }() // it is not waited for here
	if err := p.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// stop ends the lab in order, and by force if it does not go. It may be called
// when it is gone already.
func (s *server) stop() error {
	left := s.workers()
	if s.alive() {
		if err := errors.Join(s.signal(s.pid, syscall.SIGTERM), s.signal(s.pid, syscall.SIGCONT)); err != nil {
			return err
		}
	}
	if s.ends(stopWithin) {
		return s.kill(left)
	}
	if err := s.signal(s.pid, syscall.SIGTERM); err != nil { // "now": somebody is stuck
		return err
	}
	if s.ends(stopWithin) {
		return s.kill(left)
	}
	left = append(left, s.workers()...)
	err := errors.Join(errors.New("the lab did not end although it was told twice"), s.signal(s.pid, syscall.SIGKILL))
	<-s.ended
	return errors.Join(err, s.kill(left))
}

// ends reports whether the watchdog ends within limit.
func (s *server) ends(limit time.Duration) bool {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-s.ended:
		return true
	case <-t.C:
		return false
	}
}

// kill ends those of pids that are still processes of this server.
func (s *server) kill(pids []int) error {
	var errs []error
	for _, pid := range pids {
		exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		if err == nil && strings.HasPrefix(exe, s.binary) { // "… (deleted)" after a reload
			errs = append(errs, fmt.Errorf("process %d of the lab outlived it", pid), s.signal(pid, syscall.SIGKILL))
		}
	}
	return errors.Join(errs...)
}

// freeAddress returns an address on which nobody listens at the moment.
func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	addr := l.Addr().String()
	return addr, l.Close()
}

// tail returns the end of a log.
func tail(path string) string {
	const most = 2000
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-most):])
}
