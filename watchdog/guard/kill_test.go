package guard_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"runtime/pprof"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/guard"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// stuck is a handler that hangs until the test says so, whatever its context says.
type stuck struct {
	entered chan context.Context
	release chan struct{}
	late    chan error // what its write returned
}

func newStuck() *stuck {
	return &stuck{entered: make(chan context.Context, 1024), release: make(chan struct{}), late: make(chan error, 1024)}
}

func (s *stuck) free() {
	select {
	case <-s.release:
	default:
		close(s.release)
	}
}

func (s *stuck) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.entered <- r.Context()
	<-s.release
	_, err := io.WriteString(w, strings.Repeat("late", 4096))
	if err == nil {
		err = http.NewResponseController(w).Flush()
	}
	s.late <- err
}

var quick = watchdog.Policy{Harakiri: 100 * time.Millisecond, Slack: 30 * time.Second}

func TestARequestThatHangsIsAnsweredAtItsDeadline(t *testing.T) {
	t.Parallel()
	g := single(t, quick)
	s := newStuck()
	defer s.free()
	c := dial(t, g.serve(t, g.Route("/b", guard.Limits{})(s)))
	begun := time.Now()
	c.send("GET /b HTTP/1.1\r\nHost: x\r\nX-Request-Id: my-1\r\n\r\n")
	ctx := <-s.entered
	a := c.want(http.StatusGatewayTimeout, "")
	if took := time.Since(begun); took < quick.Harakiri || took > 5*time.Second {
		t.Errorf("answered after %s", took)
	}
	c.wantEnd()
	var body struct {
		Error             struct{ Code, Message string }
		Request, Incident string
	}
	if err := json.Unmarshal([]byte(a.text), &body); err != nil {
		t.Fatal(err)
	}
	if body.Error.Code != "timeout" || body.Request != "my-1" || !a.Close ||
		a.Header.Get("X-Request-Id") != "my-1" || a.Header.Get("Content-Type") != "application/json" {
		t.Errorf("answer: %v %s", a.Header, a.text)
	}
	eventually(t, "the kill is reported", func() bool { return len(g.killed()) == 1 })
	k := g.killed()[0]
	if k.Incident == "" || k.Incident != body.Incident || k.Request != "my-1" || k.Route != "/b" ||
		k.Outcome != "504" || k.Age < quick.Harakiri || !strings.HasPrefix(k.Client, "127.0.0.1:") {
		t.Errorf("kill: %+v", k)
	}

	<-ctx.Done()
	var cause *guard.HarakiriError
	if err := context.Cause(ctx); !errors.Is(err, guard.ErrHarakiri) || !errors.As(err, &cause) ||
		cause.Route != "/b" || cause.Deadline != quick.Harakiri || cause.Incident != k.Incident {
		t.Errorf("cause: %v, %+v", err, cause)
	}
	var labels strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&labels, 1); err != nil || !strings.Contains(labels.String(), fmt.Sprintf(`{"slot":"%d"}`, k.Slot)) {
		t.Errorf("no goroutine carries its slot: %v", err)
	}
	if p := g.phase(k.Slot); p != scoreboard.Killed {
		t.Errorf("the slot is %s while the handler hangs", p)
	}
	s.free()
	if err := <-s.late; !errors.Is(err, syscall.EPIPE) {
		t.Errorf("late write: %v", err)
	}
	eventually(t, "the slot is free", func() bool { return g.phase(k.Slot) == scoreboard.Empty })
	for what, want := range map[scoreboard.Soft]uint64{scoreboard.SoftKills: 1, scoreboard.Recovered: 1, scoreboard.HangUps: 0} {
		if got := g.region.Counted(what); got != want {
			t.Errorf("counter %d: %d", what, got)
		}
	}
	if g.region.Counted(scoreboard.LateWrites) == 0 {
		t.Error("the late write was not counted")
	}
	if n := g.region.Histogram(1).Count(); n != 1 {
		t.Errorf("%d latencies", n)
	}
}

func TestKillsOfOneMomentAreOneIncident(t *testing.T) {
	t.Parallel()
	g := single(t, quick)
	s := newStuck()
	defer s.free()
	addr := g.serve(t, s)
	var clients []*client
	for range 8 {
		c := dial(t, addr)
		c.get("/")
		clients = append(clients, c)
	}
	for _, c := range clients {
		c.want(http.StatusGatewayTimeout, "timeout")
	}
	eventually(t, "all are reported", func() bool { return len(g.killed()) == 8 })
	ids := map[string]int{}
	for _, k := range g.killed() {
		ids[k.Incident]++
	}
	if len(ids) != 1 {
		t.Errorf("incidents: %v", ids)
	}
}

func TestAnAnswerThatHasBegunIsOnlyCutOff(t *testing.T) {
	t.Parallel()
	g := single(t, quick)
	release := make(chan struct{})
	defer close(release)
	ended := make(chan error, 1)
	c := dial(t, g.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "begun")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		ended <- context.Cause(r.Context())
		<-release
	})))
	c.get("/")
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if string(text) != "begun" || err == nil {
		t.Errorf("body %q, %v", text, err)
	}
	if err := <-ended; !errors.Is(err, guard.ErrHarakiri) {
		t.Errorf("cause: %v", err)
	}
	eventually(t, "the kill is reported", func() bool { return len(g.killed()) == 1 })
	if k := g.killed(); !strings.HasPrefix(k[0].Outcome, "closed") {
		t.Errorf("kills: %+v", k)
	}
}

func TestAStreamIsJudgedByItsSilence(t *testing.T) {
	t.Parallel()
	g := single(t, watchdog.Policy{})
	const limit = 300 * time.Millisecond
	silent := make(chan struct{})
	ended := make(chan error, 1)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := http.NewResponseController(w)
		tick := time.NewTicker(limit / 10)
		defer tick.Stop()
		for {
			select {
			case <-silent:
				<-r.Context().Done()
				ended <- context.Cause(r.Context())
				return
			case <-tick.C:
				_, _ = io.WriteString(w, "data: x\n\n")
				_ = out.Flush()
				guard.FromContext(r.Context()).Touch()
			}
		}
	})
	c := dial(t, g.serve(t, g.Route("/a", guard.Limits{Deadline: limit, Stream: true})(handler)))
	begun := time.Now()
	c.get("/")
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 9)
	for time.Since(begun) < 3*limit+time.Second { // longer than one that has begun may be silent
		if _, err := io.ReadFull(resp.Body, b); err != nil || string(b) != "data: x\n\n" {
			t.Fatalf("%q, %v", b, err)
		}
	}
	close(silent)
	if err := <-ended; !errors.Is(err, guard.ErrHarakiri) {
		t.Errorf("cause: %v", err)
	}
}

func TestARequestWithoutDeadlineIsLeftAlone(t *testing.T) {
	t.Parallel()
	g := single(t, quick)
	s := newStuck()
	defer s.free()
	c := dial(t, g.serve(t, g.Route("/a", guard.Limits{Deadline: -1})(s)))
	c.get("/")
	ctx := <-s.entered
	select {
	case <-ctx.Done():
		t.Error("given up")
	case <-time.After(5 * quick.Harakiri): // longer than it would have had
	}
	s.free()
	c.want(http.StatusOK, "late")
}

func TestTheChildrenOfARequestThatIsGivenUpEnd(t *testing.T) {
	t.Parallel()
	g := single(t, quick)
	pgid, ended := make(chan int, 1), make(chan error, 1)
	c := dial(t, g.serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		// It ignores TERM, and so do its children.
		cmd := exec.Command("/bin/sh", "-c", "trap '' TERM; (while :; do sleep 0.05; done) & while :; do sleep 0.05; done")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			ended <- err
			return
		}
		guard.FromContext(r.Context()).SetGroup(cmd.Process.Pid)
		pgid <- cmd.Process.Pid
		ended <- cmd.Wait()
	})))
	c.get("/")
	c.want(http.StatusGatewayTimeout, "timeout")
	group := <-pgid
	var exit *exec.ExitError
	if err := <-ended; !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Errorf("the child ended with %v", err)
	}
	eventually(t, "the group is gone", func() bool { return errors.Is(syscall.Kill(-group, 0), syscall.ESRCH) })
}

func TestAChildThatIsBornTooLateEndsToo(t *testing.T) {
	t.Parallel()
	g := single(t, quick)
	ended := make(chan error, 1)
	c := dial(t, g.serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		cmd := exec.Command("sleep", "1000")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			ended <- err
			return
		}
		guard.FromContext(r.Context()).SetGroup(cmd.Process.Pid)
		ended <- cmd.Wait()
	})))
	c.get("/")
	c.want(http.StatusGatewayTimeout, "timeout")
	var exit *exec.ExitError
	if err := <-ended; !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("the child ended with %v", err)
	}
}

func TestAClientThatIsStillSendingCanReadItsAnswer(t *testing.T) {
	t.Parallel()
	g := single(t, quick)
	s := newStuck() // it reads nothing
	defer s.free()
	c := dial(t, g.serve(t, s))
	const piece = 64 << 10
	c.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n" + strings.Repeat("x", piece))
	if _, err := c.r.Peek(1); err != nil {
		t.Fatal(err)
	}
	for range 10 { // a socket that was closed refuses one of them
		c.send(strings.Repeat("x", piece))
	}
	c.want(http.StatusGatewayTimeout, "timeout")
	c.wantEnd()
}
