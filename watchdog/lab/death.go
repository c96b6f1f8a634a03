package lab

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sys/unix"
)

// crash ends the process by a violation of its memory. Go would turn that into
// a panic and an exit code, so the signal's own effect is restored first.
func (a *app) crash(c *fiber.Ctx) error {
	if err := a.note(c); err != nil {
		return err
	}
	page, err := unix.Mmap(-1, 0, 1, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return fmt.Errorf("map a page: %w", err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil { // no core file
		return fmt.Errorf("set limit: %w", err)
	}
	if err := defaultSignal(unix.SIGSEGV); err != nil {
		return err
	}
	return c.SendString(string(page)) // reading it is the fault
}

// defaultSignal makes a signal do what it does to a program that never heard of it.
func defaultSignal(s unix.Signal) error {
	const setSize = 8
	var action [32]byte // struct sigaction of the kernel: all zero is SIG_DFL
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(s), uintptr(unsafe.Pointer(&action)), 0, setSize, 0, 0)
	if errno != 0 {
		return fmt.Errorf("reset %s: %w", s, errno)
	}
	return nil
}

// freeze stops the process as a debugger, a full freezer or a careless
// operator does.
func (a *app) freeze(c *fiber.Ctx) error {
	if err := a.note(c); err != nil {
		return err
	}
	// To this very thread, which cannot go on then before the process stands.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Tgkill(unix.Getpid(), unix.Gettid(), unix.SIGSTOP); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	return c.SendString("continued")
}
