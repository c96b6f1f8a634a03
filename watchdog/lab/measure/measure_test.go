package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "lab" {
		os.Exit(fakeLab(os.Args[2:]))
	}
	goleak.VerifyTestMain(m)
}

// fake serves one request after the other on each connection with serve, which
// returns false to hang up.
func fake(t *testing.T, serve func(conn net.Conn, path string, nth int) bool) *client {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				r := bufio.NewReader(conn)
				for nth := 1; ; nth++ {
					req, err := http.ReadRequest(r)
					if err != nil || !serve(conn, req.URL.Path, nth) {
						return
					}
				}
			}()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-over
	})
	return &client{addr: l.Addr().String()}
}

func respond(conn net.Conn, status int, header string) bool {
	_, err := fmt.Fprintf(conn, "HTTP/1.1 %d x\r\nX-Pid: 42\r\n%sContent-Length: 2\r\n\r\nok", status, header)
	return err == nil
}

func TestTheClientSaysWhatItGot(t *testing.T) {
	t.Parallel()
	silent := make(chan struct{})
	t.Cleanup(func() { close(silent) })
	c := fake(t, func(conn net.Conn, path string, _ int) bool {
		switch path {
		case "/closed":
			return false
		case "/reset":
			_ = conn.(*net.TCPConn).SetLinger(0)
			return false
		case "/half":
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok")
			return false
		case "/garbled":
			_, _ = io.WriteString(conn, "what?\r\n\r\n")
			return false
		case "/twice":
			_, _ = io.WriteString(conn, strings.Repeat("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 2))
			return true
		case "/timeout":
			<-silent
			return false
		case "/504":
			return respond(conn, 504, "")
		case "/503":
			return respond(conn, 503, "Retry-After: 1\r\n")
		}
		return respond(conn, 200, "")
	})
	for path, want := range map[string]string{
		"/health": okay, "/504": "504", "/503": "503", "/closed": closed, "/reset": reset, "/half": closed,
		"/garbled": garbled, "/twice": garbled, "/timeout": timeout,
	} {
		limit := patience
		if path == "/timeout" {
			limit = 20 * time.Millisecond
		}
		if got := c.get(t.Context(), path, limit); got.Outcome != want {
			t.Errorf("%s: %s, want %s", path, got.Outcome, want)
		}
	}
	if a := c.get(t.Context(), "/503", patience); a.PID != 42 || a.RetryAfter != "1" || string(a.Body) != "ok" {
		t.Errorf("answer: %+v", a)
	}
	if a := (&client{addr: "127.0.0.1:1"}).get(t.Context(), "/", patience); a.Outcome != refused {
		t.Errorf("nobody there: %s", a.Outcome)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if a := c.get(ctx, "/timeout", patience); a.Outcome != unanswered {
		t.Errorf("given up: %s", a.Outcome)
	}
}

func TestKeptConnectionsAreUsedInTurn(t *testing.T) {
	t.Parallel()
	requests := make(chan int, 10*poolSize)
	c := fake(t, func(conn net.Conn, path string, nth int) bool {
		requests <- nth
		if path == "/last" {
			return respond(conn, 200, "Connection: close\r\n") && false
		}
		return respond(conn, 200, "")
	})
	var err error
	if c.pool, err = newPool(t.Context(), c.addr); err != nil {
		t.Fatal(err)
	}
	for range 2 * poolSize {
		if a := c.get(t.Context(), "/health", patience); !a.ok() {
			t.Fatal(a.Outcome)
		}
	}
	for i := range 2 * poolSize {
		if got, want := <-requests, i/poolSize+1; got != want {
			t.Fatalf("request %d was number %d of its connection, want %d", i, got, want)
		}
	}
	for range poolSize {
		_ = c.get(t.Context(), "/last", patience)
	}
	if n := len(c.pool.idle); n != 0 {
		t.Errorf("%d connections kept that the server ends", n)
	}
	if a := c.get(t.Context(), "/health", patience); !a.ok() {
		t.Errorf("on a new connection: %s", a.Outcome)
	}
	c.pool.drop()
}

func TestAConnectionThatTheServerClosedIsNotUsed(t *testing.T) {
	t.Parallel()
	c := fake(t, func(conn net.Conn, _ string, _ int) bool {
		return respond(conn, 200, "") && false // closes without saying so
	})
	c.pool = &pool{idle: make(chan net.Conn, poolSize)}
	for range 20 {
		a := c.get(t.Context(), "/health", patience)
		if !a.ok() {
			t.Fatal(a.Outcome)
		}
		conn := <-c.pool.idle
		if _, ok := poll(t.Context(), patience, func() bool { return !quiet(conn) }); !ok {
			t.Fatal("a closed connection looks quiet")
		}
		c.pool.put(conn)
	}
}

func TestALoadIsOpen(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	c := fake(t, func(conn net.Conn, _ string, _ int) bool {
		<-release
		return respond(conn, 200, "")
	})
	l := startLoad(t.Context(), c, "/health", 100)
	poll(t.Context(), patience, func() bool { // nobody answers, and still they come
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.open) >= 40
	})
	if l.well(0) {
		t.Error("all is well though nobody answers")
	}
	close(release)
	samples := l.stop(patience)
	if len(samples) < 40 {
		t.Fatalf("%d samples", len(samples))
	}
	first := samples[0]
	for _, s := range samples {
		if !s.ok() {
			t.Errorf("at %s: %s", s.At, s.Outcome)
		}
		if s.At < first.At {
			first = s
		}
	}
	if first.At != 0 || first.Took < 390*time.Millisecond {
		t.Errorf("the first was due at %s and took %s; it waited for 39 others", first.At, first.Took)
	}
}

func TestWhatIsOpenAtTheEndIsUnanswered(t *testing.T) {
	t.Parallel()
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	c := fake(t, func(net.Conn, string, int) bool { <-never; return false })
	l := startLoad(t.Context(), c, "/health", 100)
	pause(t.Context(), 20*time.Millisecond)
	samples := l.stop(0)
	if len(samples) == 0 {
		t.Fatal("no samples")
	}
	for _, s := range samples {
		if s.Outcome != unanswered {
			t.Errorf("%s", s.Outcome)
		}
	}
}

func TestOffendersAreKnownByTheirNotes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sent := time.Now()
	o := &offender{kind: "sleep", id: "sleep-0", sent: sent, answer: answer{Outcome: "504", End: sent.Add(2040 * time.Millisecond)}}
	o.look(dir)
	if o.outcome() != "504(never started)" || o.late(2*time.Second) != 40*time.Millisecond {
		t.Errorf("without a note: %s, %s late", o.outcome(), o.late(2*time.Second))
	}
	for _, text := range []string{"", "4711", "x 1.5", "4711 x"} {
		if err := os.WriteFile(filepath.Join(dir, o.id), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if o.look(dir); o.outcome() != "504(never started)" {
			t.Errorf("note %q: %s", text, o.outcome())
		}
	}
	begin := sent.Add(30 * time.Millisecond)
	note := fmt.Sprintf("4711 %d.%06d\n", begin.Unix(), begin.Nanosecond()/1000)
	if err := os.WriteFile(filepath.Join(dir, o.id), []byte(note), 0o600); err != nil {
		t.Fatal(err)
	}
	o.look(dir)
	if late := o.late(2 * time.Second); o.pid != 4711 || late < 9*time.Millisecond || late > 11*time.Millisecond {
		t.Errorf("with a note: pid %d, %s late", o.pid, late)
	}
	o.answer.Body = []byte(`{"error":{},"request":"r1","incident":"i1"}`)
	if r, i := o.request(); r != "r1" || i != "i1" {
		t.Errorf("ids: %q %q", r, i)
	}
}

func TestProcessesAreSeen(t *testing.T) {
	t.Parallel()
	self := os.Getpid()
	if gone(self) || !gone(1<<22+1) {
		t.Error("gone")
	}
	if rss(self) < 1<<20 || cpu(self) <= 0 {
		t.Errorf("rss %d, cpu %s", rss(self), cpu(self))
	}
	for _, pid := range children(os.Getppid()) {
		if pid == self {
			return
		}
	}
	t.Errorf("%d is no child of its parent", self)
}

func TestTheCommandLineIsChecked(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	for _, args := range [][]string{{"-run", "("}, {"-nonsense"}, {"surplus"}, {"-binary", "/no/such/file", "-run", "^idle$"}} {
		if code := run(t.Context(), args, &out, &errs); code != exitUnknown {
			t.Errorf("%q: exit %d", args, code)
		}
	}
	out.Reset()
	if code := run(t.Context(), []string{"-list", "-run", "^spin/|idle"}, &out, &errs); code != 0 {
		t.Errorf("exit %d", code)
	}
	if diff := cmp.Diff("spin/1\nspin/2\nspin/4\nspin/8\nidle\n", out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestTheRowTellsWhatWasMissed(t *testing.T) {
	t.Parallel()
	good := report{Cell: "a"}
	good.figure("failed", tally{})
	good.bar("x", true, "fine")
	bad := report{Cell: "b"}
	bad.figure("failed", tally{closed: 2})
	bad.bar("nobody fails", false, "2×closed, want 0")
	bad.doubt(time.Second)
	good.doubt(time.Second) // nobody cares
	skipped := report{Cell: "c", Skipped: "needs -clock"}
	var out bytes.Buffer
	tab := table{w: &out}
	for _, r := range []report{good, bad, skipped} {
		tab.row(r)
	}
	for code, reports := range map[int][]report{0: {good, skipped}, exitMissed: {good, bad}, exitUnknown: {good, {Error: "x"}}} {
		if got := summarize(&out, reports); got != code {
			t.Errorf("exit %d, want %d", got, code)
		}
	}
	want := `
| cell               | failed | bars |
| ---                | ---    | ---  |
| a                  | 0      | met  |
| b                  | 2×closed | 1 of 1 missed |
    missed: nobody fails: 2×closed, want 0
    the client itself was up to 1000 ms late: the machine was busy, measure again
| c                  | skipped: needs -clock |
`
	if diff := cmp.Diff(want, out.String()[:len(want)]); diff != "" {
		t.Error(diff)
	}
}
