package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/engine"
	"github.com/seadog/seadog/deployer/enginetest"
)

// clock is a clock that only moves when told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// sick is an engine's socket that answers as its fields say.
type sick struct {
	hangList, hangInspect, fail atomic.Bool
	lists, inspects             atomic.Int64
	host                        string
}

func newSick(t *testing.T) *sick {
	t.Helper()
	s := &sick{}
	ended := make(chan struct{})
	hang := func(r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-ended:
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/_ping", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Api-Version", "1.41") })
	mux.HandleFunc("/{version}/containers/json", func(w http.ResponseWriter, r *http.Request) {
		s.lists.Add(1)
		switch {
		case s.hangList.Load():
			hang(r)
		case s.fail.Load():
			http.Error(w, `{"message":"no"}`, http.StatusInternalServerError)
		default:
			_ = json.NewEncoder(w).Encode([]map[string]any{{"Id": "c1", "Labels": map[string]string{"com.docker.compose.service": "web"}}})
		}
	})
	mux.HandleFunc("/{version}/containers/c1/json", func(w http.ResponseWriter, r *http.Request) {
		s.inspects.Add(1)
		if s.hangInspect.Load() {
			hang(r)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"Id": "c1", "Name": "/web", "State": map[string]any{"Status": "running"}, "Config": map[string]any{}, "HostConfig": map[string]any{}})
	})
	path := filepath.Join(t.TempDir(), "s.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: mux}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l)
	}()
	t.Cleanup(func() {
		close(ended)
		_ = server.Close()
		<-done
	})
	s.host = "unix://" + path
	return s
}

func services(t *testing.T, c *engine.Client) error {
	t.Helper()
	_, err := c.Services(t.Context(), "p")
	return err
}

func TestBreaker(t *testing.T) {
	now := newClock()
	config := func(s *sick) engine.Config {
		return engine.Config{Host: s.host, CallTimeout: 100 * time.Millisecond, Cooldown: time.Minute, Now: now.Now}
	}

	t.Run("an engine that answers _ping and hangs on list is named, then not asked, then asked again", func(t *testing.T) {
		s := newSick(t)
		c := dial(t, config(s))
		s.hangList.Store(true)
		for range 3 {
			err := services(t, c)
			if engine.CauseOf(err) != deployer.CauseEngineWedged || !strings.Contains(err.Error(), "did not answer `container list` within 100ms") {
				t.Fatalf("got %v", err)
			}
		}
		asked := s.lists.Load()
		err := services(t, c)
		if engine.CauseOf(err) != deployer.CauseEngineWedged || deployer.CodeOf(err) != deployer.CodeTimeout {
			t.Errorf("open breaker: got %v", err)
		}
		if s.lists.Load() != asked {
			t.Error("an open breaker asked the engine")
		}
		now.Advance(time.Minute)
		if err := services(t, c); err == nil {
			t.Error("half-open and hanging: got no error")
		}
		if got := s.lists.Load(); got != asked+1 {
			t.Errorf("half-open breaker asked %d times, want once", got-asked)
		}
		s.hangList.Store(false)
		if err := services(t, c); err == nil {
			t.Error("opened again: got no error before the cooldown was over")
		}
		now.Advance(time.Minute)
		if err := services(t, c); err != nil {
			t.Errorf("recovered: got %v", err)
		}
		if b := c.Breaker(); b.State != engine.BreakerClosed || b.Opened != 1 {
			t.Errorf("breaker %+v", b)
		}
	})
	t.Run("an inspect that hangs opens it although lists are answered, and a list alone does not close it", func(t *testing.T) {
		s := newSick(t)
		c := dial(t, config(s))
		s.hangInspect.Store(true)
		for range 3 {
			if err := services(t, c); !errors.Is(err, engine.ErrWedged) {
				t.Fatalf("got %v", err)
			}
		}
		if got := c.Breaker().State; got != engine.BreakerOpen {
			t.Fatalf("breaker is %s", got)
		}
		now.Advance(time.Minute)
		err := services(t, c)
		if !errors.Is(err, engine.ErrWedged) || c.Breaker().State != engine.BreakerOpen {
			t.Errorf("got %v, breaker %s", err, c.Breaker().State)
		}
	})
	t.Run("an error that the engine answers with is an answer", func(t *testing.T) {
		s := newSick(t)
		c := dial(t, config(s))
		s.fail.Store(true)
		for range 5 {
			if err := services(t, c); err == nil || engine.CauseOf(err) != deployer.CauseStepFailed {
				t.Fatalf("got %v", err)
			}
		}
		if got := c.Breaker().State; got != engine.BreakerClosed {
			t.Errorf("breaker is %s", got)
		}
	})
	t.Run("a caller who goes away says nothing about the engine", func(t *testing.T) {
		s := newSick(t)
		c := dial(t, engine.Config{Host: s.host, Now: now.Now})
		s.hangList.Store(true)
		for range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			_, err := c.Services(ctx, "p")
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, engine.ErrWedged) {
				t.Fatalf("got %v", err)
			}
		}
		if got := c.Breaker().State; got != engine.BreakerClosed {
			t.Errorf("breaker is %s", got)
		}
	})
	t.Run("only one caller probes", func(t *testing.T) {
		s := newSick(t)
		c := dial(t, config(s))
		s.hangList.Store(true)
		for range 3 {
			_ = services(t, c)
		}
		now.Advance(time.Minute)
		before := s.lists.Load()
		var callers sync.WaitGroup
		for range 20 {
			callers.Go(func() { _ = services(t, c) })
		}
		callers.Wait()
		if got := s.lists.Load() - before; got != 1 {
			t.Errorf("the engine was asked %d times", got)
		}
	})
}

func TestNobodyListens(t *testing.T) {
	c := dial(t, engine.Config{Host: "unix://" + filepath.Join(t.TempDir(), "none.sock")})
	for range 3 {
		err := services(t, c)
		if engine.CauseOf(err) != deployer.CauseEngineWedged || !strings.Contains(err.Error(), "none.sock did not take `container list`") {
			t.Fatalf("got %v", err)
		}
	}
	if got := c.Breaker().State; got != engine.BreakerOpen {
		t.Errorf("breaker is %s", got)
	}
}

func TestSilentSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.sock")
	l, err := net.Listen("unix", path) // takes connections, and nobody reads from them
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := dial(t, engine.Config{Host: "unix://" + path, CallTimeout: 50 * time.Millisecond})
	if err := services(t, c); engine.CauseOf(err) != deployer.CauseEngineWedged {
		t.Errorf("services: got %v", err)
	}
	if _, err := c.Probe(t.Context()); engine.CauseOf(err) != deployer.CauseEngineWedged {
		t.Errorf("probe: got %v", err)
	}
}

// A real dockerd that is stopped takes connections, and answers nothing.
func TestStoppedEngine(t *testing.T) {
	e := enginetest.Start(t)
	c := dial(t, engine.Config{Host: e.Host(), CallTimeout: 200 * time.Millisecond, Cooldown: time.Nanosecond})
	if err := services(t, c); err != nil {
		t.Fatal(err)
	}
	resume := e.Pause(t)
	for range 4 {
		if err := services(t, c); !errors.Is(err, engine.ErrWedged) {
			t.Fatalf("stopped: got %v", err)
		}
	}
	if got := c.Breaker().State; got != engine.BreakerOpen {
		t.Errorf("breaker is %s", got)
	}
	resume()
	eventually(t, "the engine is asked again after it was resumed", func() bool { return services(t, c) == nil })
}

// witness is an observer that remembers.
type witness struct {
	mu       sync.Mutex
	calls    map[string]int
	failed   map[string]int
	shortest time.Duration // of those that failed
	breaker  []bool
}

func (w *witness) Called(call string, took time.Duration, failed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.calls == nil {
		w.calls, w.failed, w.shortest = map[string]int{}, map[string]int{}, time.Hour
	}
	w.calls[call]++
	if failed {
		w.failed[call]++
		w.shortest = min(w.shortest, took)
	}
}

func (w *witness) Breaker(open bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.breaker = append(w.breaker, open)
}

func TestTheObserverSeesCallsAndTheBreaker(t *testing.T) {
	s := newSick(t)
	const timeout = 50 * time.Millisecond
	w := &witness{}
	c := dial(t, engine.Config{Host: s.host, CallTimeout: timeout, Failures: 2, Cooldown: time.Millisecond, Observer: w})
	if err := services(t, c); err != nil {
		t.Fatal(err)
	}
	s.hangList.Store(true)
	for range 4 { // the last two as the probes of an open breaker
		_ = services(t, c)
	}
	s.hangList.Store(false)
	eventually(t, "the breaker closes", func() bool { return services(t, c) == nil })
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.calls["container list"] < 4 || w.failed["container list"] < 2 || w.calls["container inspect"] == 0 || w.failed["container inspect"] != 0 || w.shortest < timeout {
		t.Errorf("calls %v, failed %v after %s", w.calls, w.failed, w.shortest)
	}
	if !slices.Equal(w.breaker, []bool{true, false}) {
		t.Errorf("the breaker opened and closed like this: %v", w.breaker)
	}
	for call := range w.calls {
		if !slices.Contains(engine.Calls(), call) {
			t.Errorf("%q is no known call", call)
		}
	}
}

func TestProbe(t *testing.T) {
	s := newSick(t)
	c := dial(t, engine.Config{Host: s.host, CallTimeout: 50 * time.Millisecond})
	l, err := c.Probe(t.Context())
	if err != nil || l.List <= 0 || l.Inspect <= 0 {
		t.Errorf("got %+v, %v", l, err)
	}
	s.hangInspect.Store(true)
	if _, err := c.Probe(t.Context()); err == nil || !strings.Contains(err.Error(), "`container inspect`") {
		t.Errorf("hanging inspect: got %v", err)
	}
}

func TestConfig(t *testing.T) {
	for host, ok := range map[string]bool{
		"": true, "unix:///run/x.sock": true, "tcp://127.0.0.1:2375": true, "ssh://root@host": false, "http://x": false, "\x00": false,
	} {
		if err := (engine.Config{Host: host}).Validate(); (err == nil) != ok {
			t.Errorf("host %q: got %v", host, err)
		}
	}
	if err := (engine.Config{CallTimeout: -1}).Validate(); deployer.CodeOf(err) != deployer.CodeInvalid {
		t.Errorf("negative timeout: got %v", err)
	}
}
