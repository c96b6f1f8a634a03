// Package locate is how a process that was not started by the master finds its
// scoreboard: the master publishes a small file, in which its pid, when it was
// started and the number of the scoreboard's descriptor stand, and a reader
// opens that descriptor through /proc.
//
// It needs no server, so that it works when nothing answers any more. It
// refuses to interpret what is on the board, and starts no goroutine.
package locate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog/process"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// Errors of [Find] and [Place.Open]. What the kernel forbids is [fs.ErrPermission].
var (
	ErrNone = errors.New("no master has published a scoreboard here")
	ErrGone = errors.New("the master that published its scoreboard here has ended, or runs in another container")
)

const (
	maxFile = 4096
	tick    = 10 * time.Millisecond // of start times
)

// Place is where a scoreboard is.
type Place struct {
	PID        int    `json:"pid"`        // of the master
	Started    uint64 `json:"started"`    // clock ticks since boot; with the pid unmistakable
	Scoreboard int    `json:"scoreboard"` // number of the master's descriptor
}

// Self returns the place of a board that this process has open in f. It is
// right as long as f stays open.
func Self(f *os.File) (Place, error) {
	self, err := process.Stat(os.Getpid())
	if err != nil {
		return Place{}, err
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return Place{}, fmt.Errorf("look at the scoreboard's descriptor: %w", err)
	}
	p := Place{PID: os.Getpid(), Started: self.Started}
	if err := raw.Control(func(fd uintptr) { p.Scoreboard = int(fd) }); err != nil {
		return Place{}, fmt.Errorf("look at the scoreboard's descriptor: %w", err)
	}
	return p, nil
}

// Write publishes p at path; readers see the file before or this one.
func Write(path string, p Place) error {
	if err := write(path, p); err != nil {
		return fmt.Errorf("publish the scoreboard: %w", err)
	}
	return nil
}

func write(path string, p Place) error {
	content, err := json.Marshal(p)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-"+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	if err = f.Chmod(0o640); err == nil {
		_, err = f.Write(append(content, '\n'))
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// Remove takes back what Write published; it is no error if nothing is there.
func Remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("take back the scoreboard: %w", err)
	}
	return nil
}

// Find returns the place that is published at path, if its master is alive.
func Find(path string) (*Place, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", path, ErrNone)
	}
	if err != nil {
		return nil, fmt.Errorf("find the scoreboard: %w", err)
	}
	defer f.Close()
	var p Place
	if err := json.NewDecoder(io.LimitReader(f, maxFile)).Decode(&p); err != nil {
		return nil, fmt.Errorf("find the scoreboard: %s: %w", path, err)
	}
	if p.PID <= 0 || p.Scoreboard < 0 {
		return nil, fmt.Errorf("find the scoreboard: %s names no process", path)
	}
	if !p.Alive() {
		return nil, fmt.Errorf("%s names process %d: %w", path, p.PID, ErrGone)
	}
	return &p, nil
}

// Alive reports whether the master is still the process that published the place.
func (p *Place) Alive() bool {
	now, err := process.Stat(p.PID)
	return err == nil && now.Started == p.Started && !now.Ended()
}

// Uptime returns how long ago the master was started.
func (p *Place) Uptime() time.Duration {
	var now unix.Timespec
	// Fails only for clocks that do not exist.
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &now)
	return max(0, time.Duration(now.Nano())-time.Duration(p.Started)*tick)
}

// Open maps the scoreboard. It stays readable when the master ends.
func (p *Place) Open() (*scoreboard.Board, error) {
	f, err := os.OpenFile(fmt.Sprintf("/proc/%d/fd/%d", p.PID, p.Scoreboard), os.O_RDWR|unix.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("open descriptor %d of process %d: %w", p.Scoreboard, p.PID, ErrGone)
	case err != nil:
		return nil, fmt.Errorf("open the scoreboard: %w", err)
	}
	defer f.Close()
	if !p.Alive() { // then it was another's descriptor
		return nil, fmt.Errorf("open descriptor %d of process %d: %w", p.Scoreboard, p.PID, ErrGone)
	}
	return scoreboard.Open(f)
}
