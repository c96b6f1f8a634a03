package sqlite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/deployer"
)

// holder is a process that has a lock, and since when.
type holder struct {
	pid     int
	started uint64 // as in /proc/<pid>/stat: a pid alone is used again
	since   int64  // monotonic clock in ns
}

const holderSize = 24

func (h holder) at(since int64) holder {
	h.since = since
	return h
}

// publish writes who holds a lock. If it fails (a full disk), a stopped holder
// is not recognised; the lock itself is not affected.
func (t *turn) publish(l lock, h holder) {
	b := make([]byte, 0, holderSize)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.pid))
	b = binary.LittleEndian.AppendUint64(b, h.started)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.since))
	_, _ = t.file.WriteAt(b, int64(l)*holderSize)
}

// published reads who holds a lock; ok is false if nobody says so.
func (t *turn) published(l lock) (h holder, ok bool) {
	b := make([]byte, holderSize)
	if _, err := t.file.ReadAt(b, int64(l)*holderSize); err != nil {
		return h, false
	}
	h.pid = int(binary.LittleEndian.Uint64(b))
	h.started = binary.LittleEndian.Uint64(b[8:])
	h.since = int64(binary.LittleEndian.Uint64(b[16:]))
	return h, h.pid > 1
}

// evict kills the holder of a lock if it was stopped and keeps others waiting
// for longer than patience.
func (t *turn) evict(l lock) {
	h, ok := t.published(l)
	if !ok || time.Duration(monotonic()-h.since) < patience || !stopped(h) {
		return
	}
	fd, err := unix.PidfdOpen(h.pid, 0)
	if err != nil {
		return // it is gone
	}
	defer func() { _ = unix.Close(fd) }()
	// The descriptor names one process for ever. Look again, now that the pid
	// cannot pass to another, and see that it did not let go meanwhile.
	if again, ok := t.published(l); !ok || again != h || !stopped(h) {
		return
	}
	if err = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); errors.Is(err, unix.ESRCH) {
		return
	}
	t.log.Warn("a stopped process kept others from writing and was killed",
		slog.Int(deployer.KeyPID, h.pid), slog.Duration(deployer.KeyDuration, time.Duration(monotonic()-h.since)), slog.Any(deployer.KeyError, err))
}

// stopped reports whether h is still that process, and is stopped.
func stopped(h holder) bool {
	started, state, err := inspect(h.pid)
	return err == nil && started == h.started && state == 'T'
}

// inspect returns the start time and the state of a process from /proc/<pid>/stat:
//
//	4242 (a name) T 1 …
//
// with the start time as field 22. The name may hold anything, also ") T".
func inspect(pid int) (started uint64, state byte, err error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, 0, err
	}
	s := string(b)
	fields := strings.Fields(s[strings.LastIndexByte(s, ')')+1:])
	if len(fields) < 20 {
		return 0, 0, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	started, err = strconv.ParseUint(fields[19], 10, 64)
	return started, fields[0][0], err
}

func monotonic() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return 0
	}
	return ts.Nano()
}
