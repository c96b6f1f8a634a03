package process_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog/process"
)

const expected = `{"error":{"code":"timeout","message":"the worker froze; answered by the watchdog"},"request":"r-1","incident":"i-1"}`

func send(t *testing.T, to *net.TCPConn, text string) {
	t.Helper()
	if _, err := io.WriteString(to, text); err != nil {
		t.Fatal(err)
	}
}

// read returns what the client gets; it must end in order.
func read(t *testing.T, client *net.TCPConn) (*http.Response, string) {
	t.Helper()
	if err := client.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	stream := bufio.NewReader(client)
	res, err := http.ReadResponse(stream, nil)
	if err != nil {
		t.Fatalf("read answer: %v", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("read body: %v", err)
	}
	if rest, err := io.ReadAll(stream); err != nil || len(rest) > 0 {
		t.Errorf("after the answer came %q, %v", rest, err)
	}
	return res, string(body)
}

func TestClientOfAFrozenWorkerIsAnswered(t *testing.T) {
	t.Parallel()
	client, c, cookie := handed(t, "plain")
	c.freeze(t)
	// The worker has read nothing of this, and the client goes on with it.
	send(t, client, "POST /hook HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n"+strings.Repeat("x", 100_000))
	fd, err := process.Seize(c.pidfd, 3, cookie)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the request is there", func() bool {
		n, err := process.Waiting(fd)
		return err == nil && n > 1000
	})
	if err := process.Answer504(fd, "r-1", "i-1"); err != nil {
		t.Fatal(err)
	}
	send(t, client, strings.Repeat("y", 1000))
	c.end(t)
	eventually(t, "the rest of the request is there", func() bool {
		n, err := process.Waiting(fd)
		return err == nil && n >= 1000
	})
	if err := process.CloseOrderly(fd); err != nil {
		t.Fatal(err)
	}
	res, body := read(t, client)
	want := http.Header{"Content-Type": {"application/json"}, "X-Request-Id": {"r-1"}, "Content-Length": {"116"}, "Date": res.Header["Date"]}
	if diff := cmp.Diff(want, res.Header); diff != "" || res.Status != "504 Gateway Timeout" || !res.Close {
		t.Errorf("%s, closed: %t, headers (-want +got):\n%s", res.Status, res.Close, diff)
	}
	if at, err := http.ParseTime(res.Header.Get("Date")); err != nil || time.Since(at).Abs() > time.Minute {
		t.Errorf("date %q: %v", res.Header.Get("Date"), err)
	}
	if body != expected {
		t.Errorf("got %s", body)
	}
}

func TestHostileIDsStayOutOfHeaders(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", "a\r\nSet-Cookie: x", "a b", "ä", "\x00"} {
		client, server := connection(t)
		if err := process.Answer504(int(fileOf(t, server).Fd()), id, "i-1"); err != nil {
			t.Fatal(err)
		}
		res, body := read(t, client)
		if len(res.Header) != 3 || len(res.Header["X-Request-Id"]) > 0 || !strings.Contains(body, `"incident":"i-1"}`) {
			t.Errorf("id %q: %v, %s", id, res.Header, body)
		}
	}
}

// pair returns two connected blocking sockets.
func pair(t *testing.T) (ours, peer int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = unix.Close(fds[1])
	})
	return fds[0], fds[1]
}

func TestAnswerWaitsForNothing(t *testing.T) {
	t.Parallel()
	t.Run("not for a client that reads nothing", func(t *testing.T) {
		t.Parallel()
		fd, _ := pair(t)
		full := make([]byte, 4096)
		for {
			if _, err := unix.SendmsgN(fd, full, nil, nil, unix.MSG_DONTWAIT); err != nil {
				break
			}
		}
		if err := process.Answer504(fd, "r-1", "i-1"); !errors.Is(err, unix.EAGAIN) {
			t.Errorf("got %v", err)
		}
		if err := process.CloseOrderly(fd); err != nil {
			t.Error(err)
		}
	})
	t.Run("not for a client that sends nothing", func(t *testing.T) {
		t.Parallel()
		fd, peer := pair(t)
		if err := process.Answer504(fd, "r-1", "i-1"); err != nil {
			t.Error(err)
		}
		if err := process.CloseOrderly(fd); err != nil {
			t.Error(err)
		}
		b := make([]byte, 4096)
		if n, err := unix.Read(peer, b); err != nil || !strings.HasSuffix(string(b[:n]), expected) {
			t.Errorf("the client got %q, %v", b[:n], err)
		}
	})
	t.Run("and lets a client go on that has not read it", func(t *testing.T) {
		t.Parallel()
		fd, peer := pair(t)
		if _, err := unix.Write(peer, make([]byte, 50_000)); err != nil {
			t.Fatal(err)
		}
		if err := process.Answer504(fd, "r-1", "i-1"); err != nil {
			t.Error(err)
		}
		if n, err := process.Waiting(fd); n != 0 || err != nil {
			t.Errorf("%d bytes still fill the socket, %v", n, err)
		}
		if err := process.CloseOrderly(fd); err != nil {
			t.Error(err)
		}
	})
	t.Run("not for a client that never stops sending", func(t *testing.T) {
		t.Parallel()
		client, server := connection(t)
		fd := int(fileOf(t, server).Fd())
		out := int(fileOf(t, client).Fd())
		if err := unix.SetsockoptInt(out, unix.SOL_SOCKET, unix.SO_SNDBUF, 200_000); err != nil {
			t.Fatal(err)
		}
		done := make(chan int)
		go func() { // ends when the connection is closed
			sent, b := 0, make([]byte, 64<<10)
			for {
				n, err := unix.SendmsgN(out, b, nil, nil, unix.MSG_NOSIGNAL)
				if err != nil {
					done <- sent
					return
				}
				sent += n
			}
		}()
		for range 50 { // each of these may find the socket empty for a moment
			if err := process.Answer504(fd, "r-1", "i-1"); err != nil && !errors.Is(err, unix.EPIPE) {
				t.Error(err)
			}
		}
		if err := unix.Shutdown(out, unix.SHUT_RDWR); err != nil {
			t.Error(err)
		}
		<-done
	})
	t.Run("not for a client that is gone", func(t *testing.T) {
		t.Parallel()
		fd, peer := pair(t)
		if err := unix.Shutdown(peer, unix.SHUT_RDWR); err != nil {
			t.Fatal(err)
		}
		if err := process.Answer504(fd, "r-1", "i-1"); !errors.Is(err, unix.EPIPE) {
			t.Errorf("got %v", err)
		}
		if err := process.CloseOrderly(fd); err != nil {
			t.Error(err)
		}
	})
	if err := process.CloseOrderly(-1); !errors.Is(err, unix.EBADF) {
		t.Errorf("close nothing: %v", err)
	}
}

func TestLittleIsReadInVain(t *testing.T) {
	t.Parallel()
	client, server := connection(t)
	fd, out := int(fileOf(t, server).Fd()), int(fileOf(t, client).Fd())
	sent, b := 0, make([]byte, 64<<10)
	eventually(t, "the sockets hold more than 2 MiB", func() bool {
		n, err := unix.SendmsgN(out, b, nil, nil, unix.MSG_DONTWAIT)
		if err == nil {
			sent += n
		}
		return sent > 2<<20
	})
	if err := process.Answer504(fd, "r-1", "i-1"); err != nil {
		t.Fatal(err)
	}
	unread, err := process.Waiting(fd)
	if err != nil {
		t.Fatal(err)
	}
	unsent, err := unix.IoctlGetInt(out, unix.TIOCOUTQ)
	if err != nil {
		t.Fatal(err)
	}
	if least := sent - 1<<20 - 16<<10; unread+unsent < least {
		t.Errorf("of %d bytes %d are left, at least %d should be", sent, unread+unsent, least)
	}
}

// inOrder fails if the connection was reset.
func inOrder(t *testing.T, client *net.TCPConn) {
	t.Helper()
	info, err := unix.GetsockoptTCPInfo(int(fileOf(t, client).Fd()), unix.IPPROTO_TCP, unix.TCP_INFO)
	const closeWait = 8
	if err != nil || info.State != closeWait {
		t.Errorf("the connection is in state %d, not closed by the other side: %v", info.State, err)
	}
}

func TestClosingDestroysNoAnswer(t *testing.T) {
	t.Parallel()
	for fact, prepare := range map[string]func(fd int) error{
		"unread bytes": func(int) error { return nil },
		"a socket that was to be reset": func(fd int) error {
			return unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
		},
	} {
		t.Run(fact, func(t *testing.T) {
			t.Parallel()
			client, server := connection(t)
			f := fileOf(t, server)
			fd, err := unix.Dup(int(f.Fd()))
			if err != nil {
				t.Fatal(err)
			}
			for _, other := range []io.Closer{f, server} {
				if err := other.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if err := prepare(fd); err != nil {
				t.Fatal(err)
			}
			if err := process.Answer504(fd, "r-1", "i-1"); err != nil {
				t.Fatal(err)
			}
			send(t, client, "more")
			eventually(t, "it is there", func() bool {
				n, err := process.Waiting(fd)
				return err == nil && n == 4
			})
			if err := process.CloseOrderly(fd); err != nil {
				t.Fatal(err)
			}
			inOrder(t, client)
			if _, body := read(t, client); body != expected {
				t.Errorf("got %s", body)
			}
		})
	}
}
