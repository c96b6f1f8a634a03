package hang

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// conclude says what two looks tell together.
func (c *gathering) conclude(before, after look) {
	apart := after.at.Sub(before.at)
	verdict := ""
	switch {
	case len(after.dump) > 0:
		verdict = c.compare(before.dump, after.dump, apart)
	case len(after.asked) > 0:
		verdict = cmp.Or(stopped(before.processes, after.processes, apart), c.sentences(before, after))
	case c.pid > 0 && !isGo(c.pid):
		verdict = waits(before.processes, after.processes, apart)
	default: // idle threads of a Go program wait like locked ones
		verdict = stopped(before.processes, after.processes, apart)
	}
	switch asked := c.inquiry.pprof.URL != ""; {
	case asked && len(after.dump) == 0:
		c.evidence.note("pprof did not answer: %v", after.err)
	case !asked && c.pid > 0 && len(before.asked)+len(after.asked) == 0 && isGo(c.pid):
		c.evidence.note("it is a Go program, but the scenario names no pprof, so there are no stacks")
	}
	c.evidence.mu.Lock()
	defer c.evidence.mu.Unlock()
	c.evidence.deadlock = verdict
}

// stopped is the only thing that /proc says of a Go program for certain.
func stopped(before, after []process, apart time.Duration) string {
	for _, p := range after {
		if p.threads[0].state == 'T' || p.threads[0].state == 't' {
			return waits(before, after, apart)
		}
	}
	return ""
}

func (c *gathering) compare(before, after []byte, apart time.Duration) string {
	if c.config.Parse == nil {
		return ""
	}
	second, sentence := c.config.Parse(after)
	if len(before) == 0 {
		c.evidence.note("there is only one dump: pprof did not answer at first")
		return ""
	}
	first, _ := c.config.Parse(before)
	c.mu.Lock()
	idle := c.idle
	c.mu.Unlock()
	verdict := suspect(first, second, idle, apart)
	switch {
	case sentence == "":
	case verdict == "":
		c.evidence.note("of the last dump: %s", sentence)
	default:
		verdict += ". " + sentence
	}
	return verdict
}

// quit ends a Go program by SIGQUIT, for the dump that it prints, and keeps the
// dump if it goes to a file.
func (c *gathering) quit(ctx context.Context) {
	if c.pid == 0 {
		return
	}
	if c.pid == 1 || c.pid == os.Getpid() || !isGo(c.pid) {
		c.evidence.note("SIGQUIT was not sent: process %d is no Go program that may be looked at", c.pid)
		return
	}
	fd, err := unix.PidfdOpen(c.pid, 0)
	if err != nil {
		c.evidence.note("SIGQUIT was not sent: %v", err)
		return
	}
	defer unix.Close(fd)
	path := fmt.Sprintf("/proc/%d/fd/2", c.pid)
	where, _ := os.Readlink(path)
	file := openEnd(path)
	if file != nil {
		defer file.Close()
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGQUIT, nil, 0); err != nil {
		c.evidence.note("SIGQUIT was not sent: %v", err)
		return
	}
	ended := awaitEnd(ctx, fd)
	c.evidence.note("SIGQUIT was sent to process %d, which %s; its stderr is %s", c.pid, map[bool]string{true: "ended", false: "has not ended"}[ended], where)
	if file == nil {
		return
	}
	if dump, err := io.ReadAll(io.LimitReader(file, mostDump)); err == nil && len(dump) > 0 {
		c.file("sigquit.txt", dump)
	}
}

// openEnd opens a file to read what is written to it from now on; nil if it is no file.
func openEnd(path string) *os.File {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	if _, err := file.Seek(0, io.SeekEnd); err != nil {
		_ = file.Close()
		return nil
	}
	return file
}

// awaitEnd waits until the process behind a pidfd has ended, or ctx has.
func awaitEnd(ctx context.Context, fd int) bool {
	for ctx.Err() == nil {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 50)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return false
		}
		if n > 0 {
			return true
		}
	}
	return false
}
