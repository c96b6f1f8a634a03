package process

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Process is one process of the service, held so that it cannot be mistaken for
// another that gets its number later.
type Process struct {
	PID     int
	started uint64
	fd      int
	close   sync.Once
}

// ErrGone is a process that has ended.
var ErrGone = errors.New("the process is gone")

// Signal sends it a signal; 0 only asks whether it is there. The error is
// [ErrGone] if it is not.
func (p *Process) Signal(sig unix.Signal) error {
	err := unix.PidfdSendSignal(p.fd, sig, nil, 0)
	if errors.Is(err, unix.ESRCH) {
		return ErrGone
	}
	if err != nil {
		return fmt.Errorf("send signal %d to process %d: %w", sig, p.PID, err)
	}
	return nil
}

// Close lets go of the process.
func (p *Process) Close() {
	p.close.Do(func() { _ = unix.Close(p.fd) })
}

func closeAll(list []*Process) {
	for _, p := range list {
		p.Close()
	}
}

// name is what a guardian knows it by.
func (p *Process) name() string { return strconv.Itoa(p.PID) + " " + strconv.FormatUint(p.started, 10) }

// stopWithin is how long a process may take to stop after SIGSTOP: one that is
// in the middle of a system call that cannot be interrupted takes its time.
const stopWithin = time.Second

// waitStopped waits until the process has stopped, and reports whether it is gone instead.
func (p *Process) waitStopped() (gone bool, err error) {
	deadline := time.NewTimer(stopWithin)
	defer deadline.Stop()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for {
		s, err := readStat(p.PID)
		switch {
		case err != nil, s.started != p.started, s.ended():
			return true, nil
		case s.stopped():
			return false, nil
		}
		select {
		case <-look.C:
		case <-deadline.C:
			return false, fmt.Errorf("process %d has not stopped %s after SIGSTOP: it is in state %c", p.PID, stopWithin, s.state)
		}
	}
}
