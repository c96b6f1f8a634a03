package webhooks_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/loadtest/webhooks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// receiver is a service that checks what it is sent.
type receiver struct {
	t      *testing.T
	answer http.HandlerFunc // nil: 202

	mu          sync.Mutex
	ids         map[string]bool
	hooks       map[string]int
	commits     map[string]bool
	connections map[string]bool
	largest     int
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	mac := hmac.New(sha256.New, []byte("s3cret"))
	mac.Write(body)
	if want := "sha256=" + hex.EncodeToString(mac.Sum(nil)); err != nil || req.Header.Get("X-Hub-Signature-256") != want {
		r.t.Errorf("signature %q, want %q (%v)", req.Header.Get("X-Hub-Signature-256"), want, err)
	}
	var push struct{ Ref, After string }
	if err := json.Unmarshal(body, &push); err != nil || push.Ref != "refs/heads/main" || len(push.After) != 40 {
		r.t.Errorf("push %+v: %v", push, err)
	}
	r.mu.Lock()
	id := req.Header.Get("X-GitHub-Delivery")
	if r.ids[id] || len(id) != 36 || req.Header.Get("X-GitHub-Event") != "push" {
		r.t.Errorf("delivery id %q of a %q was seen before or is none", id, req.Header.Get("X-GitHub-Event"))
	}
	r.ids[id] = true
	r.commits[push.After] = true
	r.hooks[req.URL.Path]++
	r.connections[req.RemoteAddr] = true
	r.largest = max(r.largest, len(body))
	r.mu.Unlock()
	if r.answer != nil {
		r.answer(w, req)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"id":1}`)
}

func receive(t *testing.T, answer http.HandlerFunc) (*receiver, *webhooks.Sender) {
	t.Helper()
	r := &receiver{
		t: t, answer: answer,
		ids: map[string]bool{}, hooks: map[string]int{}, commits: map[string]bool{}, connections: map[string]bool{},
	}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	return r, sender(t, server.Listener.Addr().String(), 2*time.Second)
}

func sender(t *testing.T, address string, timeout time.Duration) *webhooks.Sender {
	t.Helper()
	s, err := webhooks.New(webhooks.Config{
		Address: address, Hooks: []string{"shop", "blog", "wiki"}, Secret: "s3cret", Distinct: 30, Timeout: timeout,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestABurstIsNDeliveriesOnNConnections(t *testing.T) {
	t.Parallel()
	r, s := receive(t, nil)
	got, err := s.Burst(t.Context(), 60)
	if err != nil || got.Accepted() != 60 || got.Due() != 60 || got.Status[http.StatusAccepted] != 60 {
		t.Fatalf("got %v, %v", got, err)
	}
	if len(r.connections) != 60 || len(r.ids) != 60 || len(r.commits) != 30 {
		t.Errorf("%d connections, %d ids, %d commits", len(r.connections), len(r.ids), len(r.commits))
	}
	for _, hook := range []string{"/hooks/shop", "/hooks/blog", "/hooks/wiki"} {
		if r.hooks[hook] != 20 {
			t.Errorf("%s got %d of 60", hook, r.hooks[hook])
		}
	}
	if r.largest != 7<<10 {
		t.Errorf("a body of %d bytes", r.largest)
	}
	if got.P50 <= 0 || got.P50 > got.P99 || got.P99 > got.Max || got.Max > got.Elapsed {
		t.Errorf("times %v in %v", got, got.Elapsed)
	}
}

func TestAClosedLoopKeepsItsConnections(t *testing.T) {
	t.Parallel()
	r, s := receive(t, nil)
	got, err := s.Closed(t.Context(), 4, 100*time.Millisecond)
	if err != nil || got.Accepted() != len(r.ids) || got.Accepted() != got.Due() || got.Accepted() < 8 {
		t.Fatalf("got %v, %v; the service saw %d", got, err, len(r.ids))
	}
	if len(r.connections) != 4 {
		t.Errorf("%d connections, want 4", len(r.connections))
	}
	if uint64(got.Due()) != s.Sent() {
		t.Errorf("%d due, %d sent", got.Due(), s.Sent())
	}
}

func TestAnOpenLoopSendsWhatTheScheduleWants(t *testing.T) {
	t.Parallel()
	_, s := receive(t, nil)
	got, err := s.Open(t.Context(), 8, 500, 200*time.Millisecond)
	if err != nil || got.Accepted() != 100 || got.Due() != 100 {
		t.Fatalf("got %v, %v", got, err)
	}
	if got.Elapsed < 190*time.Millisecond {
		t.Errorf("sent ahead of the schedule: %v", got.Elapsed)
	}
}

func TestAnOpenLoopDoesNotHideAStall(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	var stalled sync.Once
	resume := make(chan struct{})
	_, s := receive(t, func(w http.ResponseWriter, _ *http.Request) {
		if requests.Add(1) > 20 {
			stalled.Do(func() { time.AfterFunc(300*time.Millisecond, func() { close(resume) }) })
			<-resume
		}
		w.WriteHeader(http.StatusAccepted)
	})
	got, err := s.Open(t.Context(), 2, 500, 400*time.Millisecond)
	if err != nil || got.Accepted() != 200 {
		t.Fatalf("got %v, %v", got, err)
	}
	// 150 of 200 were due during the stall, though only two requests saw it.
	if got.P50 < 100*time.Millisecond {
		t.Errorf("p50 %v: a stall of 300 ms was hidden", got.P50)
	}
	if got.Lag > 150*time.Millisecond {
		t.Errorf("the sender blames itself: %v", got.Lag)
	}
}

func TestWhatWasNeverSentCountsAtItsAge(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(release) })
	s := sender(t, server.Listener.Addr().String(), 100*time.Millisecond)
	got, err := s.Open(t.Context(), 2, 100, 200*time.Millisecond)
	if err != nil || got.Unanswered != 2 || got.Unsent != 18 || got.Due() != 20 {
		t.Fatalf("got %v, %v", got, err)
	}
	if got.P50 < 150*time.Millisecond || got.Max < 290*time.Millisecond {
		t.Errorf("p50 %v, max %v", got.P50, got.Max)
	}
}

func TestABrokenConnectionIsCountedReplacedAndNeverRetried(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	r, s := receive(t, func(w http.ResponseWriter, _ *http.Request) {
		switch requests.Add(1) {
		case 3:
			panic(http.ErrAbortHandler)
		case 6:
			w.Header().Set("Connection", "close")
		}
		w.WriteHeader(http.StatusAccepted)
	})
	got, err := s.Open(t.Context(), 1, 200, 50*time.Millisecond)
	if err != nil || got.Unanswered != 1 || got.Accepted() != 9 || len(r.ids) != 10 {
		t.Fatalf("got %v, %v; the service saw %d", got, err, len(r.ids))
	}
	if len(r.connections) != 3 {
		t.Errorf("%d connections, want 3", len(r.connections))
	}
}

func TestRefusalsAreCountedByStatus(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	_, s := receive(t, func(w http.ResponseWriter, _ *http.Request) {
		status := []int{http.StatusAccepted, http.StatusOK, http.StatusServiceUnavailable}[requests.Add(1)%3]
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(status)
	})
	got, err := s.Open(t.Context(), 1, 300, 100*time.Millisecond)
	if err != nil || got.Accepted() != 20 || got.Status[503] != 10 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestNobodyListening(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	s := sender(t, l.Addr().String(), time.Second)
	if got, err := s.Burst(t.Context(), 3); err != nil || got.Unanswered != 3 {
		t.Errorf("burst: got %v, %v", got, err)
	}
	if _, err := s.Closed(t.Context(), 2, time.Second); err == nil {
		t.Error("closed: no error")
	}
}

func TestAnAttackEndsWithItsContext(t *testing.T) {
	t.Parallel()
	_, s := receive(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := s.Closed(ctx, 2, time.Minute); err == nil {
		t.Error("closed: no error")
	}
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if got, err := s.Open(ctx, 2, 10, time.Minute); err == nil || got.Due() != 600 || got.Unsent < 590 {
		t.Errorf("open: %v, %v", got, err)
	}
}

func TestSlipsOfThePenAreRefused(t *testing.T) {
	t.Parallel()
	good := webhooks.Config{Address: "127.0.0.1:1", Hooks: []string{"a"}}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*webhooks.Config){
		"address":      func(c *webhooks.Config) { c.Address = "localhost:1" },
		"loopback":     func(c *webhooks.Config) { c.Address = "192.0.2.1:80" },
		"no hooks":     func(c *webhooks.Config) { c.Hooks = nil },
		"bytes":        func(c *webhooks.Config) { c.Size = 26 << 20 },
		"negative num": func(c *webhooks.Config) { c.Distinct = -1 },
	} {
		c := good
		c.Hooks = slices.Clone(good.Hooks)
		spoil(&c)
		if _, err := webhooks.New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
	s := sender(t, "127.0.0.1:1", time.Second)
	if _, err := s.Burst(t.Context(), 1_000_000); err == nil {
		t.Error("a million connections")
	}
	if _, err := s.Open(t.Context(), 1, 1_000_000, time.Second); err == nil {
		t.Error("a million per second")
	}
	if _, err := s.Closed(t.Context(), 1, time.Hour); err == nil {
		t.Error("an hour")
	}
}
