package hang_test

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/trace"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/hang"
)

// role makes the test program a server that a test treats badly.
const role = "HANG_TEST_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(role) != "" {
		if err := sick(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// bank is a service with a lock-order bug.
type bank struct {
	checking, savings sync.Mutex
	both              sync.WaitGroup // until each has its first lock
}

func (b *bank) deposit() {
	b.checking.Lock()
	defer b.checking.Unlock()
	b.both.Done()
	b.both.Wait()
	b.savings.Lock()
	defer b.savings.Unlock()
}

func (b *bank) withdraw() {
	b.savings.Lock()
	defer b.savings.Unlock()
	b.both.Done()
	b.both.Wait()
	b.checking.Lock()
	defer b.checking.Unlock()
}

// sick serves until its standard input ends: /deposit and /withdraw, which
// deadlock when they meet, and pprof and a flight recorder on an address of its own.
func sick() error {
	b := &bank{}
	b.both.Add(2)
	for range 3 { // workers that wait for work, as every service has them
		go func() { <-make(chan int) }()
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/deposit", func(http.ResponseWriter, *http.Request) { b.deposit() })
	mux.HandleFunc("/withdraw", func(http.ResponseWriter, *http.Request) { b.withdraw() })
	mux.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	profiles := http.NewServeMux()
	profiles.HandleFunc("/debug/pprof/", pprof.Index)
	recorder := trace.NewFlightRecorder(trace.FlightRecorderConfig{})
	if err := recorder.Start(); err != nil {
		return err
	}
	profiles.HandleFunc("/debug/flight", func(w http.ResponseWriter, _ *http.Request) { _, _ = recorder.WriteTo(w) })
	for _, h := range []http.Handler{mux, profiles} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		go func() { _ = http.Serve(l, h) }()
		fmt.Println("http://" + l.Addr().String())
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// server is a child.
type server struct {
	cmd        *exec.Cmd
	url, pprof string
	stderr     string // a file
}

func startServer(t *testing.T) *server {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), role+"=1")
	lines := startChild(t, cmd)
	return &server{cmd: cmd, url: lines(), pprof: lines() + "/debug/pprof", stderr: cmd.Stderr.(*os.File).Name()}
}

// startChild starts a process that lives no longer than the test, and returns
// what it prints, line by line.
func startChild(t *testing.T, cmd *exec.Cmd) (line func() string) {
	t.Helper()
	stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	cmd.Stderr = stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	in := bufio.NewReader(stdout)
	return func() string {
		text, err := in.ReadString('\n')
		if err != nil {
			said, _ := os.ReadFile(stderr.Name())
			t.Fatalf("%s: %v\n%s", cmd.Path, err, said)
		}
		return strings.TrimSpace(text)
	}
}

// watched is a detector that runs, and a sender that tells it what it sends.
type watched struct {
	*hang.Detector
	t      *testing.T
	dir    string
	start  time.Time
	events chan loadtest.HangReport
	client *http.Client
	cancel context.CancelFunc
	done   chan error
	wg     sync.WaitGroup
	sends  context.Context // of requests that were begun
	giveUp context.CancelFunc

	mu  sync.Mutex
	seq uint64
	out map[uint64]hang.Request
}

// watch runs a detector until the test, or end, ends it.
func watch(t *testing.T, s loadtest.Scenario, change ...func(*hang.Config)) *watched {
	t.Helper()
	w := &watched{
		t: t, dir: t.TempDir(), start: time.Now(), events: make(chan loadtest.HangReport, 100), done: make(chan error, 1),
		client: &http.Client{Transport: &http.Transport{}}, out: map[uint64]hang.Request{},
	}
	s.Traffic = []loadtest.Traffic{{Name: "hooks"}}
	c := hang.Config{
		Scenario: &s, Since: w.since, Inflight: w.inflight, Parse: parse, Dir: w.dir, Apart: 100 * time.Millisecond,
		Event: func(r loadtest.HangReport) { w.events <- r },
	}
	for _, f := range change {
		f(&c)
	}
	var err error
	if w.Detector, err = hang.New(c); err != nil {
		t.Fatal(err)
	}
	w.sends, w.giveUp = context.WithCancel(t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	w.cancel = cancel
	go func() { w.done <- w.Run(ctx) }()
	t.Cleanup(w.end)
	return w
}

// end ends the detector, and then the sender.
func (w *watched) end() {
	w.cancel()
	if err, open := <-w.done; open {
		close(w.done)
		if err != nil {
			w.t.Errorf("run: %v", err)
		}
	}
	w.giveUp()
	w.wg.Wait()
	w.client.CloseIdleConnections()
}

func (w *watched) since() time.Duration { return time.Since(w.start) }

func (w *watched) inflight() []hang.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]hang.Request, 0, len(w.out))
	for _, r := range w.out {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b hang.Request) int { return cmp.Compare(a.Sent, b.Sent) })
	return out
}

// send sends one request and waits for its end.
func (w *watched) send(ctx context.Context, url string) {
	sent := w.since()
	w.mu.Lock()
	w.seq++
	r := hang.Request{Traffic: "hooks", Seq: w.seq, Sent: sent}
	w.out[r.Seq] = r
	w.mu.Unlock()
	sample := &loadtest.Sample{Seq: r.Seq, Sent: sent, Outcome: loadtest.OK}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		panic(err)
	}
	if res, err := w.client.Do(req); err != nil {
		sample.Outcome = loadtest.TimedOut
	} else {
		_ = res.Body.Close()
		sample.First = w.since()
	}
	w.mu.Lock()
	delete(w.out, r.Seq)
	w.mu.Unlock()
	sample.Done = w.since()
	w.Take(sample)
}

// begin sends a request beside the test; it is given up when the detector has ended.
func (w *watched) begin(url string) { w.wg.Go(func() { w.send(w.sends, url) }) }

// next waits for an event.
func (w *watched) next() loadtest.HangReport {
	w.t.Helper()
	select {
	case r := <-w.events:
		return r
	case <-time.After(time.Minute):
		w.t.Fatalf("no event; seen were %+v", w.Hangs())
		panic("unreachable")
	}
}

// settled waits until a report is as a test wants it.
func (w *watched) settled(what string, good func([]loadtest.HangReport) bool) []loadtest.HangReport {
	w.t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(time.Minute); ; <-ticker.C {
		if r := w.Hangs(); good(r) {
			return r
		} else if time.Now().After(deadline) {
			w.t.Fatalf("not seen: %s; but %+v", what, r)
		}
	}
}

// over waits until the last event does not grow any more.
func (w *watched) over() {
	w.t.Helper()
	var lasted time.Duration
	var since time.Time
	w.settled("an end", func(rs []loadtest.HangReport) bool {
		if now := rs[len(rs)-1].For; now != lasted || since.IsZero() {
			lasted, since = now, time.Now()
		}
		return time.Since(since) > 500*time.Millisecond
	})
}

// evidence returns the text of a file of evidence.
func (w *watched) evidence(r loadtest.HangReport, name string) string {
	w.t.Helper()
	for _, file := range r.Evidence {
		if filepath.Base(file) == name {
			text, err := os.ReadFile(filepath.Join(w.dir, file))
			if err != nil {
				w.t.Fatal(err)
			}
			return string(text)
		}
	}
	w.t.Fatalf("no %s among %q; %s", name, r.Evidence, r.Text)
	return ""
}

var header = regexp.MustCompile(`^goroutine (\d+) \[([^,\]]+)`)

// parse reads a dump as far as these tests need it.
func parse(dump []byte) (stacks []hang.Stack, verdict string) {
	for block := range strings.SplitSeq(string(dump), "\n\n") {
		lines := strings.Split(block, "\n")
		m := header.FindStringSubmatch(lines[0])
		if m == nil {
			continue
		}
		id, _ := strconv.ParseInt(m[1], 10, 64)
		s := hang.Stack{ID: id, State: m[2]}
		for _, line := range lines[1:] {
			if name, _, call := cutLast(line, "("); call && !strings.HasPrefix(line, "\t") && !strings.HasPrefix(line, "created by") {
				s.Frames = append(s.Frames, name)
			}
		}
		stacks = append(stacks, s)
	}
	return stacks, fmt.Sprintf("%d goroutines", len(stacks))
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}
