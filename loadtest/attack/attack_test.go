package attack_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/attack"
	"github.com/seadog/seadog/loadtest/target"
)

func transports() []loadtest.Transport {
	return []loadtest.Transport{loadtest.NetHTTP, loadtest.FastHTTP}
}

func TestEverythingIsSentAsThePlanSays(t *testing.T) {
	t.Parallel()
	for name, engine := range engines() {
		for _, transport := range transports() {
			t.Run(name+" "+string(transport), func(t *testing.T) {
				t.Parallel()
				var mu sync.Mutex
				ids := map[string]int{}
				srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
					for header := range r.Header {
						if strings.HasPrefix(header, "X-Vegeta") || header == "Accept-Encoding" {
							t.Errorf("the target got %s", header)
						}
					}
					if r.Method == http.MethodPost {
						mu.Lock()
						ids[r.Header.Get("X-Id")]++
						mu.Unlock()
					}
					_, _ = io.Copy(io.Discard, r.Body)
					_, _ = io.WriteString(w, "fine")
				})
				s := scenario(srv.address, 300, 0)
				s.Client.Transport = transport
				s.Phases = []loadtest.Phase{
					{Name: "a", For: 500 * time.Millisecond, Scale: 1, Judged: true},
					{Name: "b", For: 200 * time.Millisecond, Scale: 0},
					{Name: "c", For: 500 * time.Millisecond, Scale: 2},
				}
				s.Traffic[0].Expect.Contains = "fine"
				s.Traffic = append(s.Traffic, loadtest.Traffic{
					Name: "posts", Phases: []string{"c"}, Pacing: loadtest.Pacing{Kind: loadtest.Poisson, Rate: 200},
					Request: loadtest.Request{Method: "POST", Path: "/{{seq}}", Body: loadtest.Body{MinSize: 10, MaxSize: 5000}, ID: loadtest.ID{Header: "X-Id"}},
					Replay:  loadtest.Replay{Share: 0.2},
				})
				a, all := send(t, s, func(c *attack.Config) { c.Engine = engine })
				byTraffic := [2][]loadtest.Sample{}
				want := map[string]int{}
				for _, x := range all {
					byTraffic[x.Traffic] = append(byTraffic[x.Traffic], x)
					if x.Outcome != loadtest.OK || x.Status != 200 || x.BytesIn != 4 {
						t.Fatalf("got %+v", x)
					}
					if x.Traffic == 1 {
						want[target.ID("r1", "posts", x.Of)]++
					}
				}
				account(t, byTraffic[0], 150+300)
				account(t, byTraffic[1], len(byTraffic[1]))
				if srv.requests.Load() != int64(len(all)) {
					t.Errorf("the target saw %d of %d requests", srv.requests.Load(), len(all))
				}
				for id, n := range want {
					if ids[id] != n {
						t.Fatalf("%s was sent %d times, the target saw it %d times", id, n, ids[id])
					}
				}
				if c := a.Counts(); c.Sent != uint64(len(all)) || c.Done != c.Sent || c.Planned != c.Sent || c.Inflight != 0 || c.Dropped != 0 {
					t.Errorf("counted %+v of %d", c, len(all))
				}
			})
		}
	}
}

// TestBuildingARequestIsNotTheTargetsTime: vegeta measures what makes its
// requests as part of their latency.
func TestBuildingARequestIsNotTheTargetsTime(t *testing.T) {
	t.Parallel()
	s := scenario("127.0.0.1:1", 10, time.Second)
	s.Traffic[0].Request = loadtest.Request{
		Method: "POST", Path: "/", Body: loadtest.Body{MinSize: 16 << 20},
		Sign: loadtest.Sign{Scheme: "github-sha256", Header: "X-Sig", Secret: "s"},
	}
	m, err := target.New(target.Config{Run: "r1", BaseURL: s.Target.BaseURL, Traffic: &s.Traffic[0]})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	m.Next(0)
	build := time.Since(began)
	_, all := send(t, s, func(c *attack.Config) {
		c.Through = tripper(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		})
	})
	account(t, all, 10)
	fast := 0
	for i := range all {
		if all[i].Service() < build/4 {
			fast++
		}
	}
	if fast < 6 {
		t.Errorf("only %d of 10 took less than a part of the %s that it takes to build one", fast, build)
	}
}

func TestWhatIsClosedIsNotSentAgain(t *testing.T) {
	t.Parallel()
	for _, transport := range transports() {
		t.Run(string(transport), func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int64
			address := raw(t, func(c net.Conn) { // answers once, reads once more and goes away
				in := bufio.NewReader(c)
				for i := range 2 {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, r.Body)
					requests.Add(1)
					if i == 0 {
						_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
					}
				}
			})
			s := scenario(address, 400, time.Second)
			s.Client.Transport = transport
			s.Traffic = append(s.Traffic, loadtest.Traffic{
				Name: "posts", Pacing: loadtest.Pacing{Kind: loadtest.Constant, Rate: 400},
				Request: loadtest.Request{Method: "POST", Path: "/", Body: loadtest.Body{MinSize: 2000}},
			})
			_, all := send(t, s)
			classes := map[string]int{}
			for i := range all {
				classes[all[i].Outcome.String()+" "+all[i].Class]++
			}
			if got := requests.Load(); got != int64(len(all)) || len(all) != 800 {
				t.Errorf("the target saw %d requests of %d: %v", got, len(all), classes)
			}
			if classes["broken connection closed"]+classes["ok "] != 800 || classes["ok "] == 0 {
				t.Errorf("got %v", classes)
			}
		})
	}
}

// raw serves connections without HTTP, until the test ends.
func raw(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() { defer c.Close(); handle(c) })
		}
	})
	t.Cleanup(func() { ln.Close(); all.Wait() })
	return ln.Addr().String()
}

// hang is a target that reads and never answers.
func hang(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

func TestAnAbortIsPromptThoughTheTargetHangs(t *testing.T) {
	t.Parallel()
	for _, transport := range transports() {
		for _, slots := range []int{5, 5000} { // slots are short, or all is in flight
			t.Run(fmt.Sprint(transport, slots), func(t *testing.T) {
				t.Parallel()
				s := scenario(raw(t, hang), 1000, time.Minute)
				s.Client.Transport, s.Client.MaxInflight, s.Client.MaxConns = transport, slots, 200
				s.Client.Timeout, s.Client.LateLimit = time.Minute, 500*time.Millisecond
				a, sink := prepare(t, s)
				ctx, cancel := context.WithCancel(context.Background())
				var stopper sync.WaitGroup
				stopper.Go(func() {
					<-a.Started()
					<-time.After(time.Second)
					if n := len(a.Inflight()); n != min(slots, 100) {
						t.Errorf("%d in flight", n)
					}
					cancel()
				})
				if err := a.Run(ctx); err != nil {
					t.Fatal(err)
				}
				stopper.Wait()
				account(t, sink.all, len(sink.all))
				if len(sink.all) < 900 {
					t.Errorf("%d samples after a second of 1,000 a second", len(sink.all))
				}
				for i := range sink.all {
					if x := &sink.all[i]; x.Outcome != loadtest.Dropped && (x.Outcome != loadtest.TimedOut || x.Class != "aborted") {
						t.Fatalf("got %+v", x)
					}
				}
				// A stop may take two seconds, which cmd/seadog/e2e tests: with so much beside it
				// here, it must only not wait for the clients' minute.
				if stop := a.Generator().Stop; stop == 0 || stop > 30*time.Second {
					t.Errorf("took %s to end", stop)
				}
			})
		}
	}
}

// TestAnAbortLetsAGoodTargetAnswer: what is in flight when the run is ended is no failure.
func TestAnAbortLetsAGoodTargetAnswer(t *testing.T) {
	t.Parallel()
	srv := serve(t, func(http.ResponseWriter, *http.Request) { <-time.After(50 * time.Millisecond) })
	a, sink := prepare(t, scenario(srv.address, 500, time.Minute))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var stopper sync.WaitGroup
	stopper.Go(func() { <-a.Started(); <-time.After(400 * time.Millisecond); cancel() })
	if err := a.Run(ctx); err != nil {
		t.Fatal(err)
	}
	stopper.Wait()
	for i := range sink.all {
		if x := &sink.all[i]; x.Outcome != loadtest.OK && x.Outcome != loadtest.Dropped {
			t.Errorf("got %s %q", x.Outcome, x.Class)
		}
	}
}

func TestWhoWaitsForARunThatNeverBeginsIsTold(t *testing.T) {
	t.Parallel()
	a, sink := prepare(t, scenario("127.0.0.1:1", 10, time.Minute))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := a.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if start := a.Start(); !start.IsZero() && len(sink.all) > 1 {
		t.Errorf("it began at %s", start)
	}
	if c := a.Counts(); c.Sent > 1 || a.Inflight() != nil && c.Planned == 0 {
		t.Errorf("got %+v, %v in flight", c, a.Inflight())
	}
}

func TestNothingIsLeftOfRunsThatEndAnywhere(t *testing.T) {
	t.Parallel()
	srv := serve(t, func(http.ResponseWriter, *http.Request) {})
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := range 25 {
				s := scenario(srv.address, 2000, 50*time.Millisecond)
				s.Client.Transport = transports()[i%2]
				a, sink := prepare(t, s)
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(worker*i)*time.Millisecond)
				if err := a.Run(ctx); err != nil {
					t.Error(err)
				}
				cancel()
				account(t, sink.all, len(sink.all))
			}
		})
	}
	all.Wait()
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// heapOf is a sink that looks at the heap after some samples.
type heapOf struct {
	n, early, late int
	heap           [2]uint64
}

func (h *heapOf) Take(*loadtest.Sample) {
	h.n++
	if i := map[int]int{h.early: 0, h.late: 1}; h.n == h.early || h.n == h.late {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		h.heap[i[h.n]] = m.HeapAlloc
	}
}

func TestMemoryDoesNotGrowWithResults(t *testing.T) {
	n := 1_000_000
	if testing.Short() {
		n = 200_000
	}
	for name, client := range map[string]tripper{
		"results": func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		},
		"different errors": func() tripper {
			var i atomic.Int64
			return func(*http.Request) (*http.Response, error) {
				return nil, errors.New("10.0.0.1:" + fmt.Sprint(i.Add(1)) + ": no answer")
			}
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			s := scenario("127.0.0.1:1", 1_000_000, time.Duration(n)*time.Microsecond)
			s.Client.CatchUp, s.Client.LateLimit = 0, time.Hour
			sink := &heapOf{early: n / 10, late: n}
			a, err := attack.New(attack.Config{Scenario: s, Sink: sink, Through: client})
			if err != nil {
				t.Fatal(err)
			}
			if err := a.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			if sink.n != n {
				t.Fatalf("%d samples of %d", sink.n, n)
			}
			if grown := int64(sink.heap[1]) - int64(sink.heap[0]); grown > 5<<20 {
				t.Errorf("the heap grew by %d bytes", grown)
			}
		})
	}
}

func TestWhatIsWrongWithAScenarioIsSaid(t *testing.T) {
	t.Parallel()
	for want, spoil := range map[string]func(*loadtest.Scenario){
		"client: max_inflight is how many requests may be in flight; write at least 1":   func(s *loadtest.Scenario) { s.Client.MaxInflight = 0 },
		"client: late_limit is how late a request may be sent; write one, like 2s":       func(s *loadtest.Scenario) { s.Client.LateLimit = 0 },
		"client: catch_up is how many times the rate may be sent to catch up; write one": func(s *loadtest.Scenario) { s.Client.CatchUp = -1 },
		`traffic "health" in phase "steady": `:                                           func(s *loadtest.Scenario) { s.Traffic[0].Pacing.Rate = -1 },
		`traffic "health": path "x" does not begin with /; write one that does`:          func(s *loadtest.Scenario) { s.Traffic[0].Request.Path = "x" },
		`client: there is no transport "curl"; write nethttp or fasthttp`:                func(s *loadtest.Scenario) { s.Client.Transport = "curl" },
		"client: requests need a timeout; write one, like 5s":                            func(s *loadtest.Scenario) { s.Client.Timeout = 0 },
	} {
		s := scenario("127.0.0.1:1", 10, time.Second)
		spoil(s)
		if _, err := attack.New(attack.Config{Scenario: s, Sink: &samples{}}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
