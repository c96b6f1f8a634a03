package hang_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/hang"
	"github.com/seadog/seadog/loadtest/observe"
)

// soon is a scenario that does not wait long.
func soon(base string) loadtest.Scenario {
	return loadtest.Scenario{
		Target: loadtest.Target{BaseURL: base},
		Hang:   loadtest.Hang{After: 300 * time.Millisecond, Gap: 250 * time.Millisecond, Drain: 300 * time.Millisecond},
	}
}

// TestAStallThatPercentilesHideIsSeen: nothing is answered for 2 s, and then
// all at once; after it the service is well until it stalls again.
func TestAStallThatPercentilesHideIsSeen(t *testing.T) {
	t.Parallel()
	var gate sync.RWMutex
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		gate.RLock()
		defer gate.RUnlock()
	}))
	defer server.Close()
	s := soon(server.URL)
	s.Hang = loadtest.Hang{Gap: time.Second, After: time.Minute}
	w := watch(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for ctx.Err() == nil {
				w.send(ctx, server.URL)
			}
		})
	}
	for range 2 {
		gate.Lock()
		began := w.since()
		r := w.next()
		if r.Rule != "H2" || r.At+r.For < began || r.At+r.For > w.since() {
			t.Errorf("stalled at %s: %+v", began, r)
		}
		w.settled("two seconds", func(rs []loadtest.HangReport) bool { return rs[len(rs)-1].For >= 2*time.Second })
		gate.Unlock()
		w.over()
	}
	cancel()
	senders.Wait()
	w.end()
	if got := w.Hangs(); len(got) != 2 {
		t.Errorf("%d events: %+v", len(got), got)
	}
}

func TestABusyServiceIsNotStuck(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" {
			return
		}
		x := uint64(1)
		for range 500_000 { // some 300 µs of a CPU
			x = x*6364136223846793005 + 1442695040888963407
		}
		_, _ = fmt.Fprint(w, x)
	}))
	defer server.Close()
	s := soon(server.URL)
	s.Hang = loadtest.Hang{Probe: "/healthz"} // the limits of every scenario
	w := watch(t, s)
	var left atomic.Int64
	left.Store(1000)
	var senders sync.WaitGroup
	for range 16 {
		senders.Go(func() {
			for left.Add(-1) > 0 {
				w.send(t.Context(), server.URL)
			}
		})
	}
	senders.Wait()
	if !w.Drain(t.Context()) {
		t.Error("it does not come to rest")
	}
	w.end()
	if got := w.Hangs(); len(got) != 0 {
		t.Errorf("events: %+v", got)
	}
}

// TestAFrozenProcessIsSeenByTheProber: its accept queue still takes
// connections, nobody serves them.
func TestAFrozenProcessIsSeenByTheProber(t *testing.T) {
	t.Parallel()
	child := startServer(t)
	s := soon(child.url)
	s.Hang.Probe = "/healthz"
	s.Target.PID = child.cmd.Process.Pid
	s.Target.Pprof.URL = child.pprof
	w := watch(t, s)
	if err := child.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if r := w.next(); r.Rule != "H3" || !strings.Contains(r.Text, "3 fresh connections in a row were not answered: no answer within 1s") {
		t.Errorf("got %+v", r)
	}
	got := w.settled("what is known of it", func(rs []loadtest.HangReport) bool { return rs[0].Deadlock != "" })[0]
	if !strings.Contains(got.Deadlock, "1 of 1 worker stopped") || !strings.Contains(got.Text, "pprof did not answer") {
		t.Errorf("got %+v", got)
	}
	if err := child.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	w.over()
}

// TestTheProberTakesAFreshConnectionEveryTime: connections that are there are
// still served, new ones are refused.
func TestTheProberTakesAFreshConnectionEveryTime(t *testing.T) {
	t.Parallel()
	probed := make(chan struct{}, 100)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { probed <- struct{}{} }))
	defer server.Close()
	s := soon(server.URL)
	s.Hang.Probe = "/"
	w := watch(t, s)
	<-probed
	<-probed
	if err := server.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	if r := w.next(); r.Rule != "H3" || !strings.Contains(r.Text, "connection refused") {
		t.Errorf("got %+v", r)
	}
}

func TestWhatIsAnsweredWrongIsNamed(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 1000))
			_, _ = io.WriteString(c, "\x00\x10uwsgi, not HTTP\n")
			_ = c.Close()
		}
	})
	defer conns.Wait()
	defer l.Close()
	s := soon("http://" + l.Addr().String())
	s.Hang.Probe = "/healthz"
	if r := watch(t, s).next(); r.Rule != "H3" || !strings.Contains(r.Text, "malformed HTTP") {
		t.Errorf("got %+v", r)
	}
}

// TestWorkThatWaitsBehindAHealthyFrontIsSeen takes ten seconds, as the rule does.
func TestWorkThatWaitsBehindAHealthyFrontIsSeen(t *testing.T) {
	t.Parallel()
	var queue, done atomic.Int64
	queue.Store(3)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics" {
			_, _ = fmt.Fprintf(w, "depth{kind=\"mail\"} %d\ndepth{kind=\"sms\"} 0\ndone_total %d\ngo_goroutines 7\n", queue.Load(), done.Load())
		}
	}))
	defer server.Close()
	s := soon(server.URL)
	s.Hang.Queue, s.Hang.Progress = "depth", "done_total"
	s.Hang.After, s.Hang.Gap = time.Minute, time.Minute // they are not what is tested here
	s.Target.Metrics.URL = server.URL + "/metrics"
	s.Target.Every = 50 * time.Millisecond
	wants, err := observe.Wants(&s)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	o, err := observe.New(observe.Config{Target: s.Target, Wants: wants, Since: func() time.Duration { return time.Since(start) }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- o.Run(ctx) }()
	defer func() {
		cancel()
		<-ended
	}()
	w := watch(t, s, func(c *hang.Config) {
		c.Observer = o
		c.Since = func() time.Duration { return time.Since(start) }
	})
	if r := w.next(); r.Rule != "H4" || !strings.Contains(r.Text, "3 wait in the queue, nothing was done for 10") {
		t.Errorf("got %+v", r)
	}
	if text := w.evidence(w.settled("metrics", func(rs []loadtest.HangReport) bool { return len(rs[0].Evidence) > 1 })[0], "metrics.txt"); !strings.Contains(text, "done_total 0") {
		t.Errorf("metrics.txt:\n%s", text)
	}
	w.send(t.Context(), server.URL+"/x") // from here on there is load
	queue.Store(5)
	if w.Drain(t.Context()) {
		t.Error("it is at rest with a longer queue than before")
	}
	if r := w.next(); r.Rule != "H5" || !strings.Contains(r.Text, "5 wait in the queue (3 before)") {
		t.Errorf("got %+v", r)
	}
	done.Store(1)
	queue.Store(0)
	if !w.Drain(t.Context()) {
		t.Errorf("it is not at rest: %+v", w.Hangs())
	}
}

func TestAServiceThatKeepsRequestsDoesNotDrain(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hold }))
	defer server.Close()
	defer close(hold)
	s := soon(server.URL)
	s.Hang.After, s.Hang.Gap = time.Minute, time.Minute
	w := watch(t, s)
	w.begin(server.URL)
	w.settled("a request", func([]loadtest.HangReport) bool { return len(w.inflight()) == 1 })
	if w.Drain(t.Context()) {
		t.Error("it came to rest")
	}
	if r := w.next(); r.Rule != "H5" || !strings.Contains(r.Text, "after the load ended 1 request is still out") || r.For < s.Hang.Drain {
		t.Errorf("got %+v", r)
	}
	w.giveUp()
	if !w.Drain(t.Context()) {
		t.Error("it did not come to rest")
	}
	w.end()
	if w.Drain(t.Context()) {
		t.Error("a detector that has ended says that the service is at rest")
	}
}

// TestRestIsNotWhatWasSeenBefore: nobody scrapes after the load. Its start
// makes the clock jump, as that of a run does.
func TestRestIsNotWhatWasSeenBefore(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "go_goroutines 7\n") }))
	defer server.Close()
	start := time.Now()
	var loaded atomic.Bool
	since := func() time.Duration {
		if loaded.Load() {
			return time.Since(start)
		}
		return time.Since(start) - time.Hour
	}
	s := soon(server.URL)
	s.Target.Metrics.URL = server.URL
	o, err := observe.New(observe.Config{Target: s.Target, Since: since})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Scrape(t.Context()); err != nil {
		t.Fatal(err)
	}
	looked := make(chan struct{})
	w := watch(t, s, func(c *hang.Config) {
		c.Observer, c.Since = o, since
		inflight := c.Inflight
		c.Inflight = func() []hang.Request {
			select {
			case looked <- struct{}{}:
			default:
			}
			return inflight()
		}
	})
	<-looked
	<-looked // then the first look is over, and has seen the service at rest
	loaded.Store(true)
	<-looked
	<-looked // and has seen no request yet
	w.send(t.Context(), server.URL)
	if w.Drain(t.Context()) {
		t.Error("it is at rest")
	}
	if r := w.next(); !strings.Contains(r.Text, "goroutines are not told any more") {
		t.Errorf("got %+v", r)
	}
}

func TestGivenUpRequestsAreStuckOnes(t *testing.T) {
	t.Parallel()
	s := soon("http://127.0.0.1:1")
	w := watch(t, s)
	for _, sample := range []loadtest.Sample{
		{Seq: 6, Done: s.Hang.After + 1, Traffic: 17},      // nobody's
		{Seq: 7, Done: s.Hang.After + 1},                   // the last that counts
		{Seq: 4, Done: s.Hang.After - 1},                   // too soon
		{Seq: 5, Done: 2 * s.Hang.After, First: time.Hour}, // it was being answered
	} {
		sample.Sent, sample.Outcome = 1, loadtest.TimedOut
		w.Take(&sample)
	}
	if r := w.next(); r.Rule != "H1" || !strings.Contains(r.Text, "request 7 of hooks") {
		t.Errorf("got %+v", r)
	}
}

func TestDetectorsStartAndStop(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	s := soon(server.URL)
	s.Hang.Probe = "/"
	s.Target.Pprof.URL = server.URL
	for range 100 {
		w := watch(t, s)
		w.end()
		if got := w.Hangs(); len(got) != 0 {
			t.Errorf("events: %+v", got)
		}
	}
}

func TestConfigurationIsChecked(t *testing.T) {
	t.Parallel()
	fine := func() hang.Config {
		s := soon("http://127.0.0.1:1")
		o, err := observe.New(observe.Config{Since: func() time.Duration { return 0 }})
		if err != nil {
			t.Fatal(err)
		}
		return hang.Config{Scenario: &s, Observer: o, Since: func() time.Duration { return 0 }, Inflight: func() []hang.Request { return nil }}
	}
	for says, change := range map[string]func(*hang.Config){
		"Inflight is missing": func(c *hang.Config) { c.Inflight = nil },
		"no address":          func(c *hang.Config) { c.Scenario.Target.BaseURL, c.Scenario.Hang.Probe = "x", "/" },
		"for example /health": func(c *hang.Config) { c.Scenario.Hang.Probe = ":%" },
		"is no metric":        func(c *hang.Config) { c.Scenario.Hang.Queue = "a b" },
	} {
		c := fine()
		change(&c)
		if _, err := hang.New(c); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
	if _, err := hang.New(fine()); err != nil {
		t.Error(err)
	}
}

// TestTimeInWhichThisMachineSleptDoesNotCount: the clock jumps while a request is out.
func TestTimeInWhichThisMachineSleptDoesNotCount(t *testing.T) {
	t.Parallel()
	var slept atomic.Int64
	start := time.Now()
	since := func() time.Duration { return time.Since(start) + time.Duration(slept.Load()) }
	looked := make(chan struct{}, 1)
	s := soon("http://127.0.0.1:1")
	s.Hang.After, s.Hang.Gap = 2*time.Second, 2*time.Second
	w := watch(t, s, func(c *hang.Config) {
		c.Since = since
		c.Inflight = func() []hang.Request {
			select {
			case looked <- struct{}{}:
			default:
			}
			return []hang.Request{{Traffic: "hooks", Sent: time.Millisecond}}
		}
	})
	<-looked
	slept.Store(int64(time.Minute))
	for range 2 {
		if r := w.next(); r.At < time.Minute || r.For > 30*time.Second {
			t.Errorf("got %+v", r)
		}
	}
}
