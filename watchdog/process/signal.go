package process

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// KillGroup sends a signal to all processes of a group. That the group is gone
// is no error. It refuses numbers that mean something else to kill(2) or
// include this process, which a broken worker may have written down.
func KillGroup(pgid int, sig unix.Signal) error {
	if pgid <= 1 || pgid == unix.Getpgrp() {
		return fmt.Errorf("signal process group %d: %w", pgid, unix.EINVAL)
	}
	if err := unix.Kill(-pgid, sig); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("signal process group %d: %w", pgid, err)
	}
	return nil
}
