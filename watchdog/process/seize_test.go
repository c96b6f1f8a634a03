package process_test

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog/process"
)

func cookieOf(t *testing.T, f *os.File) uint64 {
	t.Helper()
	c, err := unix.GetsockoptUint64(int(f.Fd()), unix.SOL_SOCKET, unix.SO_COOKIE)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// handed is a connection whose server end only a child has, as descriptor 3.
func handed(t *testing.T, kind string) (client *net.TCPConn, c child, cookie uint64) {
	t.Helper()
	client, server := connection(t)
	f := fileOf(t, server)
	cookie = cookieOf(t, f)
	c = start(t, kind, f)
	for _, owned := range []io.Closer{server, f} {
		if err := owned.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return client, c, cookie
}

func descriptors(t *testing.T) int {
	t.Helper()
	n, err := process.Descriptors(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestSeize(t *testing.T) { // not parallel: it counts descriptors
	t.Run("takes the socket of a frozen process", func(t *testing.T) {
		client, c, cookie := handed(t, "plain")
		c.freeze(t)
		fd, err := process.Seize(c.pidfd, 3, cookie)
		if err != nil {
			t.Fatal(err)
		}
		own := os.NewFile(uintptr(fd), "seized")
		defer own.Close()
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("children would inherit it: flags %#x, %v", flags, err)
		}
		if _, err := own.WriteString("from another"); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 12)
		if _, err := io.ReadFull(client, b); err != nil || string(b) != "from another" {
			t.Errorf("the client got %q, %v", b, err)
		}
	})
	t.Run("leaves everything else alone", func(t *testing.T) {
		_, c, cookie := handed(t, "plain")
		before := descriptors(t)
		for fact, fd := range map[string]int{"another socket": 3, "no socket": 0, "no file": 900} {
			if got, err := process.Seize(c.pidfd, fd, cookie+1); !errors.Is(err, process.ErrGone) || got != -1 {
				t.Errorf("%s: got %d, %v", fact, got, err)
			}
		}
		if got, err := process.Seize(c.pidfd, 0, 0); !errors.Is(err, process.ErrGone) {
			t.Errorf("no socket, no cookie: got %d, %v", got, err)
		}
		if after := descriptors(t); after != before {
			t.Errorf("%d descriptors before, %d after", before, after)
		}
	})
	t.Run("knows that the process is gone", func(t *testing.T) {
		_, c, cookie := handed(t, "plain")
		pidfd, err := unix.Dup(c.pidfd)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(pidfd)
		c.end(t)
		if _, err := process.Seize(pidfd, 3, cookie); !errors.Is(err, process.ErrGone) {
			t.Errorf("got %v", err)
		}
		if err := process.MaySeize(pidfd); !errors.Is(err, process.ErrGone) {
			t.Errorf("may: %v", err)
		}
	})
	t.Run("is refused by the kernel for an undumpable process, unless by root", func(t *testing.T) {
		_, c, cookie := handed(t, "undumpable")
		fd, err := process.Seize(c.pidfd, 3, cookie)
		may := process.MaySeize(c.pidfd)
		if os.Getuid() == 0 {
			if err != nil || may != nil || c.word != "ready" {
				t.Errorf("root got %v, may: %v, could: %s", err, may, c.word)
			}
			_ = unix.Close(fd)
			return
		}
		if !errors.Is(err, process.ErrForbidden) || !errors.Is(may, process.ErrForbidden) {
			t.Errorf("got %v, may: %v", err, may)
		}
		if !strings.Contains(c.word, "not dumpable") {
			t.Errorf("the child says of its own kind: %s", c.word)
		}
	})
}

func TestCanSeizeAgreesWithWhatHappens(t *testing.T) { // not parallel: it counts descriptors
	c := start(t, "plain")
	before := descriptors(t)
	can, may := process.CanSeize(), process.MaySeize(c.pidfd)
	if (can == nil) != (may == nil) {
		t.Errorf("can: %v, may: %v", can, may)
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func TestYama(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		scope string
		most  int
		want  bool
	}{
		{"0", 1, true},
		{"1", 1, true},
		{"2", 1, false},
		{"2", 2, true},
		{"3", 2, false},
		{"", 2, false},
		{"10", 2, false},
	} {
		if err := process.YamaAllows(c.scope, c.most); (err == nil) != c.want || err != nil && !errors.Is(err, process.ErrForbidden) {
			t.Errorf("scope %q, at most %d: %v", c.scope, c.most, err)
		}
	}
}
