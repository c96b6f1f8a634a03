package attack_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"go.uber.org/goleak"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/attack"
)

// childVariable makes the test binary one of the children in child_test.go.
const childVariable = "ATTACK_TEST_CHILD"

func TestMain(m *testing.M) {
	if child := strings.Fields(os.Getenv(childVariable)); len(child) > 0 {
		os.Exit(runChild(child[0], child[1:]))
	}
	goleak.VerifyTestMain(m)
}

// samples is a sink that keeps everything.
type samples struct {
	mu  sync.Mutex
	all []loadtest.Sample
}

func (s *samples) Take(sample *loadtest.Sample) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, *sample)
}

// scenario sends GET / to address in one phase.
func scenario(address string, rate float64, length time.Duration) *loadtest.Scenario {
	return &loadtest.Scenario{
		Name: "test", Seed: 1, Target: loadtest.Target{BaseURL: "http://" + address},
		Client: loadtest.Client{
			Transport: loadtest.NetHTTP, MaxInflight: 64, MaxConns: 64, Timeout: 5 * time.Second, LateLimit: 2 * time.Second, CatchUp: 2,
		},
		Phases: []loadtest.Phase{{Name: "steady", For: length, Judged: true, Scale: 1}},
		Traffic: []loadtest.Traffic{{
			Name: "health", Judged: true, Pacing: loadtest.Pacing{Kind: loadtest.Constant, Rate: rate},
			Request: loadtest.Request{Method: "GET", Path: "/"}, Expect: loadtest.Expect{Status: []int{200}},
		}},
	}
}

// prepare returns an attack and the samples it will make.
func prepare(t testing.TB, s *loadtest.Scenario, change ...func(*attack.Config)) (*attack.Attack, *samples) {
	t.Helper()
	var sink samples
	c := attack.Config{Scenario: s, Run: "r1", Sink: &sink, Log: slog.New(slog.DiscardHandler)}
	for _, f := range change {
		f(&c)
	}
	a, err := attack.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return a, &sink
}

// send runs a scenario to its end.
func send(t testing.TB, s *loadtest.Scenario, change ...func(*attack.Config)) (*attack.Attack, []loadtest.Sample) {
	t.Helper()
	a, sink := prepare(t, s, change...)
	if err := a.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return a, sink.all
}

// service is a server in this process, of which a test decides what it does.
type service struct {
	address  string
	requests atomic.Int64
	mu       sync.Mutex
	times    []time.Time // when requests came
}

// serve answers every request with what handler says, until the test ends.
func serve(t testing.TB, handler http.HandlerFunc) *service {
	t.Helper()
	s := &service{}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = ln.Addr().String()
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		s.mu.Lock()
		s.times = append(s.times, time.Now())
		s.mu.Unlock()
		handler(w, r)
	})}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(ln) })
	t.Cleanup(func() { _ = server.Close(); serving.Wait() })
	return s
}

// runChild is a server that is fast, or slow, or something else altogether.
func runChild(name string, args []string) int {
	switch name {
	case "descriptors":
		return shortOfDescriptors(args[0], args[1])
	case "sleeper":
		d, _ := time.ParseDuration(args[0])
		return sleep(d)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(ln.Addr())
	var gate sync.RWMutex
	var served atomic.Int64
	server := &fasthttp.Server{Concurrency: 1 << 20, Handler: func(ctx *fasthttp.RequestCtx) {
		switch string(ctx.Path()) {
		case "/served":
			_, _ = fmt.Fprint(ctx, served.Load())
			return
		case "/stall": // everything stands still for two seconds
			gate.Lock()
			time.Sleep(2 * time.Second)
			gate.Unlock()
		}
		if name == "slow" {
			time.Sleep(2 * time.Second)
		}
		gate.RLock()
		defer gate.RUnlock()
		served.Add(1)
		ctx.SetBodyString("ok")
	}}
	go func() { _ = server.Serve(ln) }()
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends
	return 0
}

// child starts a server in a process of its own and returns its address.
func child(t testing.TB, args string) string {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), childVariable+"="+args)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}
