package enginetest

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// bridge is a network bridge that nothing is attached to, which an engine can
// be told to use. An engine that is told to have none removes docker0, which
// belongs to the machine's own engine.
type bridge struct{ name string }

// newBridge makes one. Nobody needs the ip command for that.
func newBridge() (bridge, error) {
	b := bridge{name: fmt.Sprintf("sdt%d", os.Getpid()%1_000_000)}
	for i := 0; ; i++ {
		err := b.control(unix.SIOCBRADDBR)
		if err == nil {
			return b, nil
		}
		if err != unix.EEXIST || i == 99 {
			return b, fmt.Errorf("make bridge %s: %w", b.name, err)
		}
		b.name = fmt.Sprintf("sdt%d-%d", os.Getpid()%1_000_000, i)
	}
}

// remove takes the bridge down and deletes it.
func (b bridge) remove() error {
	if err := b.down(); err != nil {
		return fmt.Errorf("take bridge %s down: %w", b.name, err)
	}
	if err := b.control(unix.SIOCBRDELBR); err != nil {
		return fmt.Errorf("remove bridge %s: %w", b.name, err)
	}
	return nil
}

func (b bridge) control(request uintptr) error {
	name, err := unix.BytePtrFromString(b.name)
	if err != nil {
		return err
	}
	return b.ioctl(request, unsafe.Pointer(name))
}

func (b bridge) down() error {
	request, err := unix.NewIfreq(b.name)
	if err != nil {
		return err
	}
	request.SetUint16(0) // no flag: not up
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request)
}

func (b bridge) ioctl(request uintptr, argument unsafe.Pointer) error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(socket), request, uintptr(argument)); errno != 0 {
		return errno
	}
	return nil
}
