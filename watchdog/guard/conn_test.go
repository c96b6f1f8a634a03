package guard_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/guard"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

func TestASlotGoesThroughItsPhases(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		g := single(t, watchdog.Policy{Harakiri: time.Minute})
		release := make(chan struct{})
		ids := make(chan string, 3)
		tg := s.serve(t, g, func(c call) string {
			ids <- c.conn.ID()
			c.conn.Enter(1, guard.Limits{Deadline: time.Hour})
			<-release
			return c.body
		})
		defer func() { close(release) }()
		c := tg.dial()
		eventually(t, "the connection is there", func() bool { return g.phases(scoreboard.Idle) == 1 })
		request := "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nX-Request-Id: %s\r\n\r\nbody"
		text := fmt.Sprintf(request, "id-1")
		if !s.tls {
			c.send(text[:10])
			eventually(t, "a request arrives", func() bool { return g.phases(scoreboard.Reading) == 1 })
			text = text[10:]
		}
		c.send(text)
		if id := <-ids; id != "id-1" {
			t.Errorf("id %q", id)
		}
		var v scoreboard.View
		eventually(t, "it runs", func() bool {
			w := g.region.Worker()
			if len(w.Busy) == 1 {
				v = w.Busy[0]
			}
			return len(w.Busy) == 1 && v.Request.Route == 1
		})
		r := v.Request
		if v.Token.Phase() != scoreboard.Running || r.ID != "id-1" || v.TLS != s.tls || v.FD < 0 || v.Cookie == 0 ||
			r.Soft-r.Begun != int64(time.Hour) || r.Hard-r.Soft != int64(5*time.Second) || v.Age(scoreboard.Now()) < 0 || v.Age(scoreboard.Now()) > time.Minute {
			t.Errorf("view: %+v", v)
		}
		release <- struct{}{}
		c.want(http.StatusOK, "body")
		eventually(t, "it is idle again", func() bool { return g.phases(scoreboard.Idle) == 1 })
		if n := g.region.Served(); n != 1 {
			t.Errorf("%d served", n)
		}
		if n := g.region.Histogram(1).Count(); n != 1 {
			t.Errorf("%d latencies", n)
		}
		for _, bad := range []string{"", "with space", strings.Repeat("x", 65), "a/b"} {
			c.send(fmt.Sprintf(request, bad))
			if id := <-ids; id == bad || len(id) != 16 {
				t.Errorf("id %q for %q", id, bad)
			}
			release <- struct{}{}
			c.want(http.StatusOK, "body")
		}
		_ = c.Close()
		eventually(t, "the slot is free", func() bool { return g.phases(scoreboard.Empty) == len(g.region.Used()) })
	})
}

// TestARequestIsNotShownAsTheOneBefore: what requests of a connection have in
// common is not written again, and what they have not must be.
func TestARequestIsNotShownAsTheOneBefore(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		g := single(t, watchdog.Policy{Harakiri: time.Minute})
		type shown struct {
			id, own string
			route   int
			soft    time.Duration
			waiting uint64
		}
		seen := make(chan shown, 2)
		tg := s.serve(t, g, func(c call) string {
			slot := &g.region.Slots()[c.conn.Slot()]
			show := func() {
				v := slot.View(c.conn.Slot())
				seen <- shown{v.Request.ID, c.conn.ID(), v.Request.Route, time.Duration(v.Request.Soft - v.Request.Begun), v.Waiting}
			}
			show()
			if c.path == "/routed" {
				c.conn.Enter(1, guard.Limits{Deadline: time.Hour})
			}
			show()
			slot.SetWaiting(7)
			return ""
		})
		c := tg.dial()
		for _, r := range []struct{ path, id string }{
			{"/routed", "a"}, {"/routed", ""}, {"/", ""}, {"/routed", ""}, {"/", "b"}, {"/", "c"}, {"/", ""}, {"/routed", "d"},
		} {
			request := "GET " + r.path + " HTTP/1.1\r\nHost: x\r\n"
			if r.id != "" {
				request += "x-REQUEST-id: " + r.id + "\r\n"
			}
			c.send(request + "\r\n")
			c.want(http.StatusOK, "")
			first, then := <-seen, <-seen
			if first.id != first.own || r.id != "" && first.id != r.id || r.id == "" && len(first.id) != 16 || then.id != first.id {
				t.Errorf("%s %q is shown as %q, then %q, and calls itself %q", r.path, r.id, first.id, then.id, first.own)
			}
			if first.route != -1 || first.soft != time.Minute || first.waiting != 0 {
				t.Errorf("%s %q begins as %+v", r.path, r.id, first)
			}
			if routed := r.path == "/routed"; routed != (then.route == 1) || routed != (then.soft == time.Hour) {
				t.Errorf("%s %q goes on as %+v", r.path, r.id, then)
			}
		}
	})
}

func TestAClientThatHangsUpCancelsItsRequest(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		g := single(t, watchdog.Policy{Harakiri: time.Minute})
		entered, ended := make(chan struct{}), make(chan error, 1)
		tg := s.serve(t, g, func(c call) string {
			close(entered)
			<-c.conn.Context().Done()
			ended <- context.Cause(c.conn.Context())
			return ""
		})
		c := tg.dial()
		c.get("/")
		<-entered
		_ = c.Close()
		if err := <-ended; !errors.Is(err, guard.ErrHangUp) {
			t.Errorf("cause: %v", err)
		}
		if n := g.region.Counted(scoreboard.HangUps); n != 1 {
			t.Errorf("%d hang-ups", n)
		}
		eventually(t, "the slot is free", func() bool { return g.phases(scoreboard.Empty) == len(g.region.Used()) })
		if n := g.region.Counted(scoreboard.SoftKills); n != 0 {
			t.Errorf("%d kills", n)
		}
	})
}

// TestAnIdleConnectionCanBeMoved does what a master does with connections of
// a process that has frozen.
func TestAnIdleConnectionCanBeMoved(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		if s.tls {
			t.Skip("TLS cannot be moved")
		}
		all := regions(t, 2, 64)
		from, to := start(t, all[0], watchdog.Policy{}), start(t, all[1], watchdog.Policy{})
		tg := s.serve(t, from, func(call) string { return "old" })
		s.serve(t, to, func(call) string { return "new" }) // does not accept
		c := tg.dial()
		c.get("/")
		c.want(http.StatusOK, "old")
		slots := all[0].Used()
		var moved *scoreboard.Slot
		var token scoreboard.Token
		eventually(t, "it is idle", func() bool {
			for i := range slots {
				if token = slots[i].Token(); token.Phase() == scoreboard.Idle {
					moved = &slots[i]
					return true
				}
			}
			return false
		})
		if !moved.Swap(token, token.To(scoreboard.Seized)) {
			t.Fatal("not idle")
		}
		// Adopt takes over what the other's read would have got.
		fd, err := unix.Dup(moved.View(0).FD)
		if err != nil {
			t.Fatal(err)
		}
		file := os.NewFile(uintptr(fd), "")
		nc, err := net.FileConn(file)
		if err != nil {
			t.Fatal(err)
		}
		_ = file.Close()
		// It does so when it finds something to read, and also if it does not.
		if s.network == "tcp" {
			c.get("/")
			eventually(t, "the old process lets go", func() bool { return moved.Token().Phase() == scoreboard.Empty })
			to.Adopt(nc)
		} else {
			eventually(t, "the old process lets go", func() bool { return moved.Token().Phase() == scoreboard.Empty })
			to.Adopt(nc)
			c.get("/")
		}
		c.want(http.StatusOK, "new")
		c.get("/again")
		c.want(http.StatusOK, "new")
	})
}

func TestDrainEndsConnectionsInOrder(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		g := single(t, watchdog.Policy{Harakiri: time.Minute})
		release, entered := make(chan struct{}), make(chan struct{})
		tg := s.serve(t, g, func(c call) string {
			if c.path == "/hang" {
				close(entered)
				<-release
			}
			return "done"
		})
		idle, busy := tg.dial(), tg.dial()
		for _, c := range []*client{idle, busy} {
			c.get("/")
			c.want(http.StatusOK, "done")
		}
		busy.get("/hang")
		<-entered
		g.Drain()
		again := time.Now()
		if s.fast || !s.tls {
			idle.wantEnd()
		} else if _, err := idle.r.ReadByte(); err == nil {
			t.Error("the idle connection goes on")
		}
		if took := time.Since(again); took < 900*time.Millisecond || took > patience/2 {
			t.Errorf("an idle connection ended after %s", took)
		}
		close(release)
		if a := busy.want(http.StatusOK, "done"); s.fast && !a.Close {
			t.Error("the last answer does not end its connection")
		}
		if _, err := busy.r.ReadByte(); err == nil {
			t.Error("a connection goes on")
		}
	})
}

func TestHTTP10(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		g := single(t, watchdog.Policy{Harakiri: 200 * time.Millisecond})
		release := make(chan struct{})
		tg := s.serve(t, g, func(c call) string {
			if c.path == "/hang" {
				<-release
			}
			return "old"
		})
		defer close(release)
		c := tg.dial()
		c.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
		c.want(http.StatusOK, "old")
		c.send("GET / HTTP/1.0\r\n\r\n")
		c.want(http.StatusOK, "old")
		c.wantEnd()
		c = tg.dial()
		c.send("GET /hang HTTP/1.0\r\n\r\n")
		c.want(http.StatusGatewayTimeout, "timeout")
		c.wantEnd()
	})
}

func TestAnInterimAnswerIsNotTheAnswer(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		g := single(t, watchdog.Policy{Harakiri: 200 * time.Millisecond})
		release := make(chan struct{})
		tg := s.serve(t, g, func(c call) string {
			if c.path == "/hang" {
				<-release
			}
			return c.body
		})
		defer close(release)
		c := tg.dial()
		for _, path := range []string{"/echo", "/hang"} {
			c.send("POST " + path + " HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
			if line, err := c.r.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100 ") {
				t.Fatalf("%q, %v", line, err)
			}
			_, _ = c.r.ReadString('\n')
			c.send("body")
			if path == "/echo" {
				c.want(http.StatusOK, "body")
			}
		}
		c.want(http.StatusGatewayTimeout, "timeout")
		c.wantEnd()
	})
}

func TestEarlyHintsLeaveTheTokenToTheWatchdog(t *testing.T) {
	t.Parallel()
	g := single(t, quick)
	release := make(chan struct{})
	defer close(release)
	c := dial(t, g.serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		<-release
	})))
	c.get("/")
	c.want(http.StatusEarlyHints, "")
	c.want(http.StatusGatewayTimeout, "timeout")
}

func TestWhatTheServerRefusesItAnswersItself(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		g := single(t, watchdog.Policy{})
		tg := s.serve(t, g, func(call) string { return "" })
		c := tg.dial()
		c.send("no request at all\r\n\r\n")
		c.want(http.StatusBadRequest, "")
		eventually(t, "the slot is free", func() bool { return g.phases(scoreboard.Empty) == len(g.region.Used()) })
		if n := g.region.Served(); n != 0 {
			t.Errorf("%d served", n)
		}
	})
}

func TestAHijackedConnectionIsNobodysBusiness(t *testing.T) {
	t.Parallel()
	echo := func(nc net.Conn, r io.Reader) {
		defer nc.Close()
		line, err := bufio.NewReader(r).ReadString('\n')
		if err == nil {
			_, err = io.WriteString(nc, "echo "+line)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	}
	check := func(t *testing.T, g *rig, c *client) {
		t.Helper()
		eventually(t, "it is hijacked", func() bool { return g.phases(scoreboard.Hijacked) == 1 && g.region.Served() == 1 })
		<-time.After(3 * quick.Harakiri) // it would be given up by now
		c.send("hello\n")
		if line, err := c.r.ReadString('\n'); err != nil || line != "echo hello\n" {
			t.Errorf("%q, %v", line, err)
		}
		c.wantEnd()
		eventually(t, "the slot is free", func() bool { return g.phases(scoreboard.Empty) == len(g.region.Used()) })
		if k := g.killed(); len(k) != 0 {
			t.Errorf("kills: %+v", k)
		}
	}
	t.Run("net-http", func(t *testing.T) {
		t.Parallel()
		g := single(t, quick)
		done := make(chan struct{})
		c := dial(t, g.serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			defer close(done)
			nc, rw, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			echo(nc, rw)
		})))
		c.get("/")
		check(t, g, c)
		<-done
	})
	t.Run("fasthttp", func(t *testing.T) {
		t.Parallel()
		g := single(t, quick)
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		runFast(t, g, &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
			ctx.HijackSetNoResponse(true)
			ctx.Hijack(func(nc net.Conn) { echo(nc, nc) })
		}}, g.Listen(ln))
		c := dial(t, ln.Addr().String())
		c.get("/")
		check(t, g, c)
	})
}

func TestFilesAreServedWhole(t *testing.T) {
	t.Parallel()
	g := single(t, watchdog.Policy{})
	path := filepath.Join(t.TempDir(), "file")
	text := strings.Repeat("0123456789abcdef", 1<<16)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c := dial(t, g.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, path) })))
	for range 3 {
		c.get("/")
		if a := c.want(http.StatusOK, ""); a.text != text {
			t.Errorf("%d bytes", len(a.text))
		}
	}
}
