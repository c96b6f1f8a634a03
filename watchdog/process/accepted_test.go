package process_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog/process"
)

func descriptor(t *testing.T, c interface{ File() (*os.File, error) }) int {
	t.Helper()
	f, err := c.File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return int(f.Fd())
}

func TestOnlyWhatWasAcceptedOnOurSocketsIsSeized(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"tcp", "unix"} {
		address := "127.0.0.1:0"
		if network == "unix" {
			address = filepath.Join(t.TempDir(), "s")
		}
		ln, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		client, err := net.Dial(network, ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		server, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		self, err := unix.PidfdOpen(os.Getpid(), 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(self)
		type filer interface{ File() (*os.File, error) }
		listening, accepted, dialed := descriptor(t, ln.(filer)), descriptor(t, server.(filer)), descriptor(t, client.(filer))

		fds, err := process.Sockets(os.Getpid(), 10_000)
		if err != nil || !slices.Contains(fds, accepted) || !slices.Contains(fds, dialed) || slices.Contains(fds, self) {
			t.Errorf("%s: sockets %v, %v", network, fds, err)
		}
		own, err := process.SeizeAccepted(self, accepted, []int{listening})
		if err != nil {
			t.Fatalf("%s: %v", network, err)
		}
		if _, err := unix.Write(own, []byte("seized")); err != nil {
			t.Error(err)
		}
		_ = unix.Close(own)
		got := make([]byte, 6)
		if _, err := client.Read(got); err != nil || string(got) != "seized" {
			t.Errorf("%s: the client got %q, %v", network, got, err)
		}
		for what, fd := range map[string]int{"the listener": listening, "the client's end": dialed} {
			if own, err := process.SeizeAccepted(self, fd, []int{listening}); !errors.Is(err, process.ErrGone) {
				t.Errorf("%s: %s was seized as %d: %v", network, what, own, err)
			}
		}
		if own, err := process.SeizeAccepted(self, accepted, nil); !errors.Is(err, process.ErrGone) {
			t.Errorf("%s: a connection to somebody else was seized as %d: %v", network, own, err)
		}
	}
}
