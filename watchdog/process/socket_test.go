package process_test

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog/process"
)

// fileOf returns a second descriptor of a socket.
func fileOf(t *testing.T, s interface{ File() (*os.File, error) }) *os.File {
	t.Helper()
	f, err := s.File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() }) // a test may have done so
	return f
}

func listen(t *testing.T, network, address string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// connection returns both ends of a TCP connection.
func connection(t *testing.T) (client, server *net.TCPConn) {
	t.Helper()
	l := listen(t, "tcp", "127.0.0.1:0")
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return c.(*net.TCPConn), s.(*net.TCPConn)
}

func TestBacklog(t *testing.T) {
	t.Parallel()
	t.Run("counts who waits", func(t *testing.T) {
		t.Parallel()
		l := listen(t, "tcp", "127.0.0.1:0")
		fd := int(fileOf(t, l.(*net.TCPListener)).Fd())
		waiting, limit, err := process.Backlog(fd)
		if err != nil || waiting != 0 || limit < 1 {
			t.Errorf("at first %d of %d, %v", waiting, limit, err)
		}
		for range 3 {
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Close() })
		}
		eventually(t, "three wait", func() bool {
			waiting, _, err := process.Backlog(fd)
			return err == nil && waiting == 3
		})
	})
	t.Run("is not known of Unix sockets", func(t *testing.T) {
		t.Parallel()
		dir, err := os.MkdirTemp("", "p-*") // short enough for an address
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		l := listen(t, "unix", filepath.Join(dir, "s"))
		if waiting, limit, err := process.Backlog(int(fileOf(t, l.(*net.UnixListener)).Fd())); waiting != 0 || limit != 0 || err != nil {
			t.Errorf("got %d of %d, %v", waiting, limit, err)
		}
	})
	t.Run("is that of a listening socket only", func(t *testing.T) {
		t.Parallel()
		_, server := connection(t)
		if _, _, err := process.Backlog(int(fileOf(t, server).Fd())); !errors.Is(err, unix.EINVAL) {
			t.Errorf("got %v", err)
		}
		if _, _, err := process.Backlog(-1); !errors.Is(err, unix.EBADF) {
			t.Errorf("of nothing: %v", err)
		}
	})
}

func TestWaitingCountsWhatIsUnread(t *testing.T) {
	t.Parallel()
	client, server := connection(t)
	fd := int(fileOf(t, server).Fd())
	if n, err := process.Waiting(fd); n != 0 || err != nil {
		t.Errorf("at first %d, %v", n, err)
	}
	if _, err := io.WriteString(client, "GET / HTTP/1.1\r\n"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "16 bytes wait", func() bool {
		n, err := process.Waiting(fd)
		return err == nil && n == 16
	})
	if _, err := process.Waiting(-1); !errors.Is(err, unix.EBADF) {
		t.Errorf("of nothing: %v", err)
	}
}
