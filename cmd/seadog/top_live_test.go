package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/locate"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// publishBoard makes this process look like a master with one worker, and
// returns its data directory and the worker's region.
func publishBoard(t *testing.T) (string, *scoreboard.Region) {
	t.Helper()
	board, f, err := scoreboard.Create(topLayout())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(f.Close(), board.Close()); err != nil {
			t.Error(err)
		}
	})
	dir := t.TempDir()
	place, err := locate.Self(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := locate.Write(filepath.Join(dir, placeFile), place); err != nil {
		t.Fatal(err)
	}
	pool := board.Pools()[0]
	pool.Set(scoreboard.Places, 1)
	pool.CountEnd(watchdog.Wedged)
	r := pool.Regions()[0]
	r.Begin(3, 0)
	r.SetPID(os.Getpid())
	r.SetState(watchdog.Ready)
	r.Promote()
	r.Beat(scoreboard.Vitals{Goroutines: 9, Procs: 4})
	r.Observe(0, time.Millisecond)
	r.Use(1)
	slot := &r.Slots()[0]
	slot.Set(token(1, scoreboard.Reading))
	now := scoreboard.Now()
	slot.Describe(scoreboard.Request{ID: "req-1", Client: "127.0.0.1:9", Route: 0, Begun: now - int64(5*time.Second), Soft: now + int64(time.Minute)})
	slot.Complete()
	slot.Set(token(1, scoreboard.Running))
	return dir, r
}

// runHere runs a command line with these streams and environment.
func runHere(ctx context.Context, in io.Reader, out io.Writer, environment map[string]string, args ...string) (int, string) {
	var stderr bytes.Buffer
	e := &env{
		Args: args, Stdin: in, Stdout: out, Stderr: &stderr,
		Getenv: func(key string) string { return environment[key] }, Environ: func() []string { return nil },
	}
	return run(ctx, e), stderr.String()
}

func TestTopPrintsOneFrameWhereThereIsNoTerminal(t *testing.T) {
	t.Parallel()
	dir, _ := publishBoard(t)
	var out bytes.Buffer
	if code, stderr := runHere(t.Context(), nil, &out, nil, "top", "--data", dir, "--interval", "250ms"); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for _, want := range []string{"http 1/1 0.0/s", "http/0", "ready", "req-1", "POST /hooks/:name", "wedged 1"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Errorf("colours in %q", out.String())
	}
}

func TestTopPrintsJSON(t *testing.T) {
	t.Parallel()
	dir, _ := publishBoard(t)
	var out bytes.Buffer
	if code, stderr := runHere(t.Context(), nil, &out, nil, "top", "--json", "--data", dir); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var got topReport
	dec := json.NewDecoder(&out)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&got); err != nil {
		t.Fatal(err)
	}
	http := got.Pools[0]
	if got.PID != os.Getpid() || http.Requests != 1 || http.Kills != 1 || http.Ends["wedged"] != 1 || http.Accepting != 1 || http.Routes[0].Requests != 1 {
		t.Errorf("%+v", got)
	}
	w := http.Workers[0]
	if w.Worker != "http/0" || w.State != "ready" || w.Requests != 1 || w.Incarnation != 3 || w.Goroutines != 9 || len(w.Busy) != 1 {
		t.Fatalf("%+v", w)
	}
	if b := w.Busy[0]; b.Request != "req-1" || b.Phase != "running" || b.AgeMS < 5000 || b.SoftLeftMS == nil || *b.SoftLeftMS > 60_000 || b.HardLeftMS != nil {
		t.Errorf("%+v", b)
	}
}

// TestTheShapeOfTheReport holds the names that scripts rely on.
func TestTheShapeOfTheReport(t *testing.T) {
	t.Parallel()
	content, err := json.MarshalIndent(newTopReport(sickBoard()), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join("testdata", "top", "report.json"), string(content)+"\n")
}

func TestTopSaysWhyThereIsNothingToSee(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	gone, _ := publishBoard(t)
	if err := locate.Write(filepath.Join(gone, placeFile), locate.Place{PID: os.Getpid(), Started: 1}); err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]struct {
		code int
		args []string
	}{
		"the service does not run":            {exitUnreachable, []string{"--data", empty}},
		"has ended, or runs in another":       {exitUnreachable, []string{"--data", gone}},
		"there is no data directory":          {exitNotFound, []string{"--data", filepath.Join(empty, "none")}},
		"--interval must be between":          {exitUsage, []string{"--data", empty, "--interval", "1ms"}},
		"--data names the directory":          {exitUsage, []string{"--config", filepath.Join(empty, "none.yml")}},
		"top --help lists the flags":          {exitUsage, []string{"--nonsense"}},
		"1 arguments where `seadog top [flag": {exitUsage, []string{"x"}},
	} {
		var out bytes.Buffer
		code, stderr := runHere(t.Context(), nil, &out, nil, append([]string{"top"}, c.args...)...)
		if code != c.code || code != 0 && !strings.Contains(stderr, want) {
			t.Errorf("%v: exit code %d, want %d and %q in:\n%s", c.args, code, c.code, want, stderr)
		}
	}
}

func TestASourceFindsTheNextMaster(t *testing.T) {
	t.Parallel()
	dir, _ := publishBoard(t)
	s := &topSource{path: filepath.Join(dir, placeFile)}
	if _, err := s.read(); err != nil {
		t.Fatal(err)
	}
	s.place.Started-- // as if it had ended
	if err := locate.Remove(s.path); err != nil {
		t.Fatal(err)
	}
	if _, err := s.read(); !errors.Is(err, locate.ErrNone) {
		t.Errorf("without a master: %v", err)
	}
	next, _ := publishBoard(t)
	s.path = filepath.Join(next, placeFile)
	if sample, err := s.read(); err != nil || sample.PID != os.Getpid() {
		t.Errorf("with the next one: %+v, %v", sample, err)
	}
}

// TestTopOnATerminal runs the real program: it shows what goes on, follows it,
// takes keys and leaves the terminal as it was.
func TestTopOnATerminal(t *testing.T) {
	dir, region := publishBoard(t)
	screen, person := terminalPair(t)
	ctx, stop := context.WithCancel(t.Context())
	var shown transcriptOf
	var wg sync.WaitGroup
	defer func() {
		stop()
		screen.Close()
		wg.Wait()
	}()
	wg.Go(func() { _, _ = io.Copy(&shown, person) }) // until nobody has the screen
	ended := make(chan int, 1)
	wg.Go(func() {
		code, stderr := runHere(ctx, screen, screen, map[string]string{"NO_COLOR": "1"}, "top", "--data", dir, "--interval", "250ms")
		if code != 0 {
			t.Errorf("exit code %d: %s", code, stderr)
		}
		ended <- code
	})
	shown.await(t, "req-1")
	region.Slots()[0].Set(token(1, scoreboard.Killed))
	shown.await(t, "killed")
	press := func(keys string) {
		if _, err := person.WriteString(keys); err != nil {
			t.Error(err)
		}
	}
	press("?")
	shown.await(t, "connections to another worker")
	press("?s")
	shown.await(t, "s sort: deadline")
	press("q")
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("q does not end it")
	}
	if text := shown.String(); strings.Contains(text, "\x1b[31m") || !strings.Contains(text, "\x1b[?1049h") {
		t.Errorf("colours in spite of NO_COLOR, or no screen of its own: %q", text)
	}
}

// transcriptOf collects what a terminal was sent.
type transcriptOf struct {
	mu   sync.Mutex
	text []byte
}

func (s *transcriptOf) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = append(s.text, p...)
	return len(p), nil
}

func (s *transcriptOf) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.text)
}

func (s *transcriptOf) await(t *testing.T, want string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(s.String(), want); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("%q is not shown: %q", want, s.String())
		}
	}
}
