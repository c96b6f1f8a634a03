package process

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// What a helper can be.
const (
	guardianRole = "guardian"
	burnRole     = "burn"
)

// Help is the main function of a helper: args are those that [Helper] was given,
// stdin is a pipe whose end is the end of who started it.
func Help(args []string, stdin io.Reader) error {
	switch {
	case len(args) == 1 && args[0] == guardianRole:
		return watchOver(stdin)
	case len(args) == 4 && args[0] == burnRole:
		return burn(args[1:], stdin)
	}
	return fmt.Errorf("%q is nothing that a helper can do", args)
}

// watchOver keeps the list of what is to be undone, and undoes what is left of
// it when the pipe ends: the last first.
func watchOver(stdin io.Reader) error {
	signal.Ignore(unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT)
	type charge struct{ id, what string }
	var charges []charge
	lines := bufio.NewScanner(stdin)
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		id, what, _ := strings.Cut(rest, " ")
		switch word {
		case "guard":
			charges = append(charges, charge{id, what})
		case "release":
			charges = slices.DeleteFunc(charges, func(c charge) bool { return c.id == id })
		}
	}
	var errs []error
	for _, c := range slices.Backward(charges) {
		if err := undo(c.what); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.what, err))
		}
	}
	return errors.Join(append(errs, lines.Err())...)
}

// undo does what [Guardian.Guard] was told. That there is nothing to undo any
// more is no error.
func undo(what string) error {
	f := strings.SplitN(what, " ", 4)
	switch {
	case f[0] == "continue" && len(f) == 3:
		return withProcess(f[1], f[2], func(p *Process) error { return p.Signal(unix.SIGCONT) })
	case f[0] == "limit" && len(f) == 4:
		return withProcess(f[1], f[2], func(p *Process) error {
			var l unix.Rlimit
			if _, err := fmt.Sscan(f[3], &l.Cur, &l.Max); err != nil {
				return err
			}
			return p.setLimit(l)
		})
	case f[0] == "remove" && len(f) == 4:
		return remove(f[1], f[2], f[3])
	}
	return errors.New("unknown")
}

func withProcess(number, started string, do func(*Process) error) error {
	pid, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return err
	}
	p := &Process{PID: pid, fd: fd}
	defer p.Close()
	s, err := readStat(pid)
	if err != nil || strconv.FormatUint(s.started, 10) != started {
		return nil // another one has its number
	}
	if err := do(p); !errors.Is(err, ErrGone) {
		return err
	}
	return nil
}

// remove removes a file, if it is the one that was meant.
func remove(device, inode, path string) error {
	var s unix.Stat_t
	if err := unix.Lstat(path, &s); err != nil {
		if errors.Is(err, unix.ENOENT) {
			return nil
		}
		return err
	}
	if strconv.FormatUint(s.Dev, 10) != device || strconv.FormatUint(s.Ino, 10) != inode {
		return nil
	}
	return os.Remove(path)
}
