package attack

import (
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// nap is the shortest sleep. Waking up costs some microseconds of a core that the
// target may need, so at more than 10,000 hits a second several go at once.
const nap = 100 * time.Microsecond

// clock tells the time of a run, and wakes one dispatcher.
type clock interface {
	now() time.Duration
	// overdue returns for how long, up to a time that is not long ago, this
	// process has not got to run when it should have.
	overdue(at time.Duration) time.Duration
	// sleep returns after d, or when ctx ends.
	sleep(ctx context.Context, d time.Duration)
	// await returns what comes from grant, or false after d or when ctx ends.
	await(ctx context.Context, d time.Duration, grant <-chan time.Duration) (time.Duration, bool)
}

// alarm is the clock of runs.
//
// Go's timers are late by half a millisecond on average, and by one at most,
// when nothing else runs: the runtime then sleeps in epoll, which counts in
// milliseconds. So a timer of the kernel is set to the same time. Nobody reads
// it; it only ends that sleep, and the runtime finds its own timer due. Late by
// 30 to 45 µs (median), when idle.
type alarm struct {
	*canary
	start  time.Time
	timer  *time.Timer
	kernel *os.File
	fd     int
}

func newAlarm() (*alarm, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("create timer: %w", err)
	}
	a := &alarm{timer: time.NewTimer(time.Hour), kernel: os.NewFile(uintptr(fd), "timer"), fd: fd}
	a.timer.Stop()
	return a, nil
}

func newAlarms(n int) ([]*alarm, error) {
	var all []*alarm
	for range n {
		a, err := newAlarm()
		if err != nil {
			closeAll(all)
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

func closeAll(all []*alarm) {
	for _, a := range all {
		a.close()
	}
}

func (a *alarm) now() time.Duration { return time.Since(a.start) }

func (a *alarm) close() {
	a.timer.Stop()
	_ = a.kernel.Close()
}

func (a *alarm) sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	d = max(d, nap)
	at := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	_ = unix.TimerfdSettime(a.fd, 0, &at, nil) // without it, a little late
	a.timer.Reset(d)
	select {
	case <-a.timer.C:
	case <-ctx.Done():
	}
}

func (a *alarm) await(ctx context.Context, d time.Duration, grant <-chan time.Duration) (time.Duration, bool) {
	a.timer.Reset(max(0, d))
	select {
	case at := <-grant:
		return at, true
	case <-a.timer.C:
	case <-ctx.Done():
	}
	return 0, false
}
