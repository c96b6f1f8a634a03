package handoff_test

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog/handoff"
)

func TestDoorbell(t *testing.T) {
	t.Parallel()
	bell := func(t *testing.T) *handoff.Doorbell {
		t.Helper()
		d, err := handoff.NewDoorbell("work")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		})
		return d
	}
	t.Run("a ring before the wait is heard", func(t *testing.T) {
		t.Parallel()
		d := bell(t)
		d.Ring()
		if !d.Wait(t.Context(), time.Minute) {
			t.Error("not heard")
		}
	})
	t.Run("nobody rings", func(t *testing.T) {
		t.Parallel()
		d := bell(t)
		if d.Wait(t.Context(), time.Millisecond) {
			t.Error("heard a ring")
		}
	})
	t.Run("an ended context ends the wait, and spoils no other", func(t *testing.T) {
		t.Parallel()
		d := bell(t)
		for range 200 {
			ctx, cancel := context.WithCancel(t.Context())
			go cancel()
			if d.Wait(ctx, time.Minute) {
				t.Fatal("heard a ring")
			}
			d.Ring()
			if !d.Wait(t.Context(), time.Minute) {
				t.Fatal("a ring after it was not heard")
			}
		}
	})
	t.Run("who rings never waits", func(t *testing.T) {
		t.Parallel()
		d := bell(t)
		for range 100_000 {
			d.Ring()
		}
		heard := 0
		for d.Wait(t.Context(), time.Millisecond) {
			heard++
		}
		if heard == 0 || heard == 100_000 {
			t.Errorf("%d of 100000 rings were kept", heard)
		}
	})
	t.Run("a broken one does not make its waiter spin", func(t *testing.T) {
		t.Parallel()
		d, err := handoff.NewDoorbell("work")
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if d.Wait(t.Context(), 50*time.Millisecond) || time.Since(begun) < 50*time.Millisecond {
			t.Error("the wait did not last")
		}
	})
}

func TestControl(t *testing.T) {
	t.Parallel()
	pair := func(t *testing.T) (*handoff.Control, int) {
		t.Helper()
		master, held, release, err := handoff.NewControl()
		if err != nil {
			t.Fatal(err)
		}
		fd, err := syscall.Dup(int(held.FD()))
		if err != nil {
			t.Fatal(err)
		}
		release()
		t.Cleanup(func() { _ = master.Close() })
		return master, fd
	}
	t.Run("messages keep their bounds", func(t *testing.T) {
		t.Parallel()
		master, fd := pair(t)
		worker := os.NewFile(uintptr(fd), "worker")
		defer worker.Close()
		for _, s := range []string{"ready", "failed it is broken", "future \xff"} {
			if _, err := worker.WriteString(s); err != nil {
				t.Fatal(err)
			}
		}
		for _, want := range []handoff.Message{{Kind: "ready"}, {Kind: "failed", Text: "it is broken"}, {Kind: "future"}} {
			if got, err := master.Receive(); err != nil || got != want {
				t.Errorf("got %+v, %v, want %+v", got, err, want)
			}
		}
		if err := master.Send(handoff.Message{Kind: handoff.MessageFailed, Text: strings.Repeat("x", 1<<20)}); err != nil {
			t.Errorf("a long message: %v", err)
		}
	})
	t.Run("the other side's end is the end of file", func(t *testing.T) {
		t.Parallel()
		master, fd := pair(t)
		if err := master.Send(handoff.Message{Kind: handoff.MessageStop}); err != nil {
			t.Fatal(err)
		}
		_ = syscall.Close(fd) // with a message unread
		if _, err := master.Receive(); !errors.Is(err, io.EOF) {
			t.Errorf("Receive: %v", err)
		}
		if err := master.Send(handoff.Message{Kind: handoff.MessageStop}); err == nil {
			t.Error("a message to nobody was sent")
		}
	})
	t.Run("a deaf worker does not hold up who sends", func(t *testing.T) {
		t.Parallel()
		master, fd := pair(t)
		defer syscall.Close(fd)
		var err error
		for range 100_000 {
			if err = master.Send(handoff.Message{Kind: handoff.MessageDrain}); err != nil {
				break
			}
		}
		if !errors.Is(err, syscall.EAGAIN) {
			t.Errorf("Send: %v", err)
		}
	})
}

func TestAConnectionTravelsWithItsMessage(t *testing.T) {
	t.Parallel()
	control, end, release, err := handoff.NewControl()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	defer control.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()

	// Towards the worker, whose end has no wrapper here.
	if err := control.SendFile(handoff.Message{Kind: handoff.MessageAdopt}, int(w.Fd())); err != nil {
		t.Fatal(err)
	}
	text, rights := make([]byte, 64), make([]byte, 64)
	n, oobn, _, _, err := unix.Recvmsg(int(end.FD()), text, rights, unix.MSG_CMSG_CLOEXEC)
	if err != nil || string(text[:n]) != "adopt" || oobn == 0 {
		t.Fatalf("%q with %d bytes of rights, %v", text[:n], oobn, err)
	}
	// Back again, so that the master's end reads it as a worker's would.
	if err := unix.Sendmsg(int(end.FD()), []byte("adopt"), rights[:oobn], nil, 0); err != nil {
		t.Fatal(err)
	}
	m, err := control.Receive()
	if err != nil || m.Kind != handoff.MessageAdopt || m.File == nil {
		t.Fatalf("%+v, %v", m, err)
	}
	defer m.File.Close()
	if _, err := m.File.WriteString("through"); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 7)
	if _, err := io.ReadFull(r, got); err != nil || string(got) != "through" {
		t.Errorf("%q, %v", got, err)
	}
	if flags, err := unix.FcntlInt(m.File.Fd(), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("it would be inherited: %x, %v", flags, err)
	}
	// What a worker never read can be taken out of its end.
	for range 3 {
		if err := control.SendFile(handoff.Message{Kind: handoff.MessageAdopt}, int(w.Fd())); err != nil {
			t.Fatal(err)
		}
		if err := control.Send(handoff.Message{Kind: handoff.MessageDrain}); err != nil {
			t.Fatal(err)
		}
	}
	if peer, err := unix.GetsockoptUint64(int(end.FD()), unix.SOL_SOCKET, unix.SO_COOKIE); err != nil || peer != control.Peer() {
		t.Errorf("the worker's end is %d, not %d: %v", peer, control.Peer(), err)
	}
	unread, others := handoff.Unread(int(end.FD()))
	if len(unread) != 3 || others != 3 {
		t.Errorf("%d connections and %d orders were taken out, want 3 of each", len(unread), others)
	}
	for _, f := range unread {
		_ = f.Close()
	}
	// A descriptor that nobody asked for is closed.
	if err := unix.Sendmsg(int(end.FD()), []byte("ready"), rights[:oobn], nil, 0); err != nil {
		t.Fatal(err)
	}
	if m, err := control.Receive(); err != nil || m.File != nil {
		t.Errorf("%+v, %v", m, err)
	}
}
