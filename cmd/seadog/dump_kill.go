package main

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/deployer"
)

const killTimeout = 30 * time.Second // ten thousand goroutines take five seconds to print themselves

// killForDump ends a process by SIGQUIT. If its stderr is a file, what it
// writes there is read; of anything else it is told where to look, for whoever
// reads that pipe, socket or terminal has it already.
func killForDump(ctx context.Context, e *env, pid int, asJSON bool) error {
	if pid <= 1 || pid == os.Getpid() {
		return deployer.Errorf(deployer.CodeInvalid, "process %d cannot be dumped", pid)
	}
	fd, err := unix.PidfdOpen(pid, 0) // before anything is asked about it: it stays the same process
	if err != nil {
		return deployer.Errorf(deployer.CodeNotFound, "there is no process %d: %v", pid, err)
	}
	defer unix.Close(fd)
	if _, err := buildinfo.ReadFile(fmt.Sprintf("/proc/%d/exe", pid)); err != nil {
		return deployer.Errorf(deployer.CodeConflict, "process %d is no Go program that may be looked at: %v", pid, err).
			WithHint("it was not touched: SIGQUIT would end it, and no dump might come")
	}
	stderr := fmt.Sprintf("/proc/%d/fd/2", pid)
	where, err := os.Readlink(stderr)
	if err != nil {
		where = "nowhere"
	}
	file := openEnd(stderr)
	if file != nil {
		defer file.Close()
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGQUIT, nil, 0); err != nil {
		return fmt.Errorf("send SIGQUIT to process %d: %w", pid, err)
	}
	fmt.Fprintln(e.Stderr, printable(fmt.Sprintf("process %d was sent SIGQUIT; its stderr is %s", pid, where)))
	ended, err := awaitEnd(ctx, fd)
	if err != nil {
		return err
	}
	if !ended {
		return &exitError{Code: exitFailed, Err: fmt.Errorf("process %d has not ended after %s: it handles SIGQUIT itself, is stopped, or nobody reads its stderr", pid, killTimeout)}
	}
	if file == nil {
		fmt.Fprintln(e.Stderr, "it has ended; its dump is with whoever reads that stderr: `seadog dump FILE` explains it")
		return nil
	}
	return printDump(e, file, asJSON)
}

// openEnd opens a file to read what is written to it from now on; nil if it is no file.
func openEnd(name string) *os.File {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil
	}
	if _, err := file.Seek(0, io.SeekEnd); err != nil {
		file.Close()
		return nil
	}
	return file
}

// awaitEnd waits until the process behind a pidfd has ended.
func awaitEnd(ctx context.Context, fd int) (bool, error) {
	deadline := time.Now().Add(killTimeout)
	for time.Now().Before(deadline) {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 100)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return false, fmt.Errorf("wait for the process: %w", err)
		}
		if n > 0 {
			return true, nil
		}
	}
	return false, nil
}
