package client_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/loadtest/fault/client"
)

// starved makes this executable a crowd that has no descriptors, at that address.
const starved = "SEADOG_TEST_STARVED"

func TestMain(m *testing.M) {
	if address := os.Getenv(starved); address != "" {
		fmt.Println(starve(address))
		return
	}
	goleak.VerifyTestMain(m)
}

// starve says what happens when 50 clients are sent with descriptors for some.
func starve(address string) string {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err.Error()
	}
	limit.Cur = 20
	if err := syscall.Setrlimit(unix.RLIMIT_NOFILE, &syscall.Rlimit{Cur: limit.Cur, Max: limit.Max}); err != nil {
		return err.Error()
	}
	w, err := client.Send(context.Background(), client.Config{Kind: client.HalfOpen, BaseURL: "http://" + address, Count: 50})
	if err == nil {
		_ = w.Undo()
		return "they were sent"
	}
	return err.Error()
}

func TestMachineWithoutDescriptorsIsToBlameAndNotTheService(t *testing.T) {
	t.Parallel()
	s := listen(t)
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env = append(os.Environ(), starved+"="+s.address)
	out, err := cmd.Output()
	if err != nil || !strings.Contains(string(out), "too many open files") {
		t.Errorf("it says %q, %v", out, err)
	}
}

func TestHalfOpenClientsSendNothing(t *testing.T) {
	t.Parallel()
	s := listen(t)
	w := send(t, client.Config{Kind: client.HalfOpen, BaseURL: "http://" + s.address, Count: 5})
	var conns []net.Conn
	for range 5 {
		conns = append(conns, s.next(t))
	}
	if diff := cmp.Diff(map[string]uint64{"connected": 5}, w.Effects()); diff != "" {
		t.Errorf("effects (-want +got):\n%s", diff)
	}
	undo(t, w)
	for _, c := range conns {
		if text, err := readEnd(c); text != "" || err != nil {
			t.Errorf("it sent %q, %v", text, err)
		}
	}
	if diff := cmp.Diff(map[string]uint64{"connected": 5}, w.Effects()); diff != "" {
		t.Errorf("effects after it was called off (-want +got):\n%s", diff)
	}
}

func TestClientsWhoAreHungUpOnComeAgain(t *testing.T) {
	t.Parallel()
	s := listen(t)
	w := send(t, client.Config{Kind: client.HalfOpen, BaseURL: "http://" + s.address, Count: 1})
	for range 2 {
		if err := s.next(t).Close(); err != nil {
			t.Fatal(err)
		}
	}
	s.next(t)
	eventually(t, "it is counted", func() bool { return w.Effects()["connected"] == 3 })
	undo(t, w)
	if diff := cmp.Diff(map[string]uint64{"connected": 3, "closed": 2}, w.Effects()); diff != "" {
		t.Errorf("effects (-want +got):\n%s", diff)
	}
}

func TestSlowBodyComesByteByByte(t *testing.T) {
	t.Parallel()
	s := listen(t)
	w := send(t, client.Config{
		Kind: client.SlowBody, BaseURL: "http://" + s.address, Count: 1,
		Method: "PUT", Path: "/hooks/demo", Bytes: 3, Every: time.Millisecond,
	})
	c := s.next(t)
	in := bufio.NewReader(c)
	req, err := http.ReadRequest(in)
	if err != nil {
		t.Fatal(err)
	}
	if req.Method != "PUT" || req.URL.Path != "/hooks/demo" || req.ContentLength != 3 || req.Host != s.address {
		t.Errorf("request %s %s of %d bytes to %s", req.Method, req.URL, req.ContentLength, req.Host)
	}
	for range 3 {
		var b [1]byte
		if _, err := io.ReadFull(req.Body, b[:]); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.WriteString(c, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if rest, err := readEnd(c); rest != "" || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("then comes %q, %v", rest, err)
	}
	eventually(t, "it is counted", func() bool { return w.Effects()["status 202"] == 1 })
	undo(t, w)
	if diff := cmp.Diff(map[string]uint64{"connected": 1, "status 202": 1}, w.Effects()); diff != "" {
		t.Errorf("effects (-want +got):\n%s", diff)
	}
}

func TestSlowBodyIsGivenUpWhenTheServiceAnswers(t *testing.T) {
	t.Parallel()
	s := listen(t)
	w := send(t, client.Config{
		Kind: client.SlowBody, BaseURL: "http://" + s.address, Count: 1,
		Method: "POST", Path: "/", Bytes: 1 << 20, Every: time.Hour,
	})
	c := s.next(t)
	if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
		t.Fatal(err)
	}
	// An answer may come in pieces.
	for _, piece := range []string{"HTTP", "/1.1 4", "08 Request Timeout\r\n\r\n"} {
		if _, err := io.WriteString(c, piece); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := readEnd(c); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("it does not hang up: %v", err)
	}
	eventually(t, "it is counted", func() bool { return w.Effects()["status 408"] == 1 })
	undo(t, w)
}

func TestHeaderFloodGoesOnUntilItHasSentItsBytes(t *testing.T) {
	t.Parallel()
	s := listen(t)
	const most = 10_000
	w := send(t, client.Config{Kind: client.HeaderFlood, BaseURL: "http://" + s.address, Count: 1, Path: "/x", Bytes: most, Every: time.Microsecond})
	c := s.next(t)
	in := bufio.NewReader(c)
	size, lines := 0, 0
	for ; size < most; lines++ {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(line, "X-Flood-") {
			size += len(line)
		}
	}
	if lines < 50 {
		t.Errorf("%d lines", lines)
	}
	if err := c.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	eventually(t, "the reset is counted", func() bool { return w.Effects()["reset"] == 1 })
	undo(t, w)
}

func TestAbortResetsInTheMiddleOfTheBody(t *testing.T) {
	t.Parallel()
	s := listen(t)
	w := send(t, client.Config{
		Kind: client.Abort, BaseURL: "http://" + s.address, Count: 1,
		Method: "POST", Path: "/", Bytes: 100_000, Every: time.Millisecond,
	})
	for range 2 {
		c := s.next(t)
		req, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			// The reset may overtake what was sent before it.
			if !errors.Is(err, unix.ECONNRESET) {
				t.Error(err)
			}
			continue
		}
		n, err := io.Copy(io.Discard, req.Body)
		if n > 50_000 || !errors.Is(err, unix.ECONNRESET) {
			t.Errorf("%d bytes of the body, %v", n, err)
		}
	}
	eventually(t, "it is counted", func() bool { return w.Effects()["aborted"] >= 2 })
	undo(t, w)
}

func TestIdleClientsAskOnceAndStay(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	states := map[net.Conn]http.ConnState{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.Path)
	}))
	server.Config.ConnState = func(c net.Conn, s http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		states[c] = s
	}
	server.Start()
	defer server.Close()
	count := func(want http.ConnState) (n int) {
		mu.Lock()
		defer mu.Unlock()
		for _, s := range states {
			if s == want {
				n++
			}
		}
		return n
	}
	w := send(t, client.Config{Kind: client.Idle, BaseURL: server.URL, Count: 20, Path: "/healthz"})
	eventually(t, "20 connections are idle", func() bool { return count(http.StateIdle) == 20 })
	eventually(t, "20 answers are counted", func() bool { return w.Effects()["status 200"] == 20 })
	undo(t, w)
	eventually(t, "all are closed", func() bool { return count(http.StateClosed) == 20 })
	if diff := cmp.Diff(map[string]uint64{"connected": 20, "status 200": 20}, w.Effects()); diff != "" {
		t.Errorf("effects (-want +got):\n%s", diff)
	}
}

func TestSlowReaderKeepsTheServiceFromWriting(t *testing.T) {
	t.Parallel()
	s := listen(t)
	w := send(t, client.Config{Kind: client.SlowRead, BaseURL: "http://" + s.address, Count: 1, Path: "/", Every: time.Hour})
	c := s.next(t)
	if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
		t.Fatal(err)
	}
	if err := c.(*net.TCPConn).SetWriteBuffer(4096); err != nil {
		t.Fatal(err)
	}
	// A client that reads takes a MiB at once.
	if err := c.SetWriteDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	n, err := c.Write(make([]byte, 1<<20))
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d bytes were taken, %v", n, err)
	}
	undo(t, w)
}

func TestSlowReaderReadsToTheEnd(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	defer server.Close()
	w := send(t, client.Config{Kind: client.SlowRead, BaseURL: server.URL, Count: 1, Path: "/", Every: time.Microsecond})
	eventually(t, "it is at the end", func() bool { return w.Effects()["read to the end"] == 1 })
	undo(t, w)
}

func TestClientsSpeakTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	w := send(t, client.Config{Kind: client.Idle, BaseURL: server.URL, Insecure: true, Count: 2, Path: "/"})
	eventually(t, "both are answered", func() bool { return w.Effects()["status 200"] == 2 })
	undo(t, w)
	w = send(t, client.Config{Kind: client.Idle, BaseURL: server.URL, Count: 1, Path: "/"})
	undo(t, w)
	if diff := cmp.Diff(map[string]uint64{"refused": 1}, w.Effects()); diff != "" {
		t.Errorf("effects with a certificate that nobody knows (-want +got):\n%s", diff)
	}
}

func TestServiceThatIsDownIsCountedAndNoError(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	w := send(t, client.Config{Kind: client.HalfOpen, BaseURL: "http://" + l.Addr().String(), Count: 3})
	undo(t, w)
	if diff := cmp.Diff(map[string]uint64{"refused": 3}, w.Effects()); diff != "" {
		t.Errorf("effects (-want +got):\n%s", diff)
	}
}

func TestOnlyTheLoopbackIsMet(t *testing.T) {
	t.Parallel()
	for url, ok := range map[string]bool{
		"http://127.0.0.1:1": true, "http://127.1.2.3:1": true, "https://[::1]:1": true, "http://localhost:1": true, "http://localhost": true,
		"http://192.0.2.1:1": false, "http://example.com": false, "http://0.0.0.0:1": false, "unix:///x": false, "127.0.0.1:1": false, "": false,
	} {
		if err := client.CheckURL(url); (err == nil) != ok {
			t.Errorf("%q: %v", url, err)
		}
		if ok {
			continue
		}
		if _, err := client.Send(t.Context(), client.Config{Kind: client.HalfOpen, BaseURL: url, Count: 1}); err == nil {
			t.Errorf("clients were sent to %q", url)
		}
	}
}

func TestClientsThatMayNotComeAreNotSent(t *testing.T) {
	t.Parallel()
	s := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client.Send(ctx, client.Config{Kind: client.HalfOpen, BaseURL: "http://" + s.address, Count: 100}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := client.Send(t.Context(), client.Config{Kind: "polite", BaseURL: "http://" + s.address, Count: 1}); err == nil {
		t.Error("nobody knows how to be polite")
	}
}
