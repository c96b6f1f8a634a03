package scoreboard

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// createFile returns a file of that size without a name. Where memfd_create
// is missing or forbidden it is an unlinked temporary one.
func createFile(size int64) (*os.File, error) {
	f, err := createMemfd(size)
	if err == nil {
		return f, nil
	}
	return createUnlinked(size)
}

// createMemfd seals the size: a process that truncated the file would kill
// all others at their next access.
func createMemfd(size int64) (*os.File, error) {
	fd, err := unix.MemfdCreate("scoreboard", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("memfd_create: %w", err)
	}
	f := os.NewFile(uintptr(fd), "scoreboard")
	if err := f.Truncate(size); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL); err != nil {
		return nil, errors.Join(fmt.Errorf("seal: %w", err), f.Close())
	}
	return f, nil
}

func createUnlinked(size int64) (*os.File, error) {
	f, err := os.CreateTemp("", "scoreboard-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	// Zeros, not a hole: a full disk found later would be a SIGBUS.
	if _, err := f.Write(make([]byte, size)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
