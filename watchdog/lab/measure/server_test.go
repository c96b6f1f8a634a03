package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fakeLab answers health checks until it gets SIGTERM; --max-requests makes it
// deaf to the first one, --max-rss makes it end at once.
func fakeLab(args []string) int {
	f := flag.NewFlagSet("lab", flag.ContinueOnError)
	listen := f.String("listen", "", "")
	for _, name := range []string{"workers", "harakiri", "mercy", "data"} {
		f.String(name, "", "")
	}
	deaf := f.String("max-requests", "", "")
	fails := f.String("max-rss", "", "")
	if err := f.Parse(args); err != nil {
		return 2
	}
	if *fails != "" {
		fmt.Println("no such thing")
		return 1
	}
	terms := make(chan os.Signal, 2)
	signal.Notify(terms, syscall.SIGTERM)
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		return 1
	}
	go func() {
		_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { //nolint:gosec // a test
			w.Header().Set("X-Pid", strconv.Itoa(os.Getpid()))
			_, _ = io.WriteString(w, os.Getenv("LAB_FAULTDIR"))
		}))
	}()
	<-terms
	if *deaf != "" {
		<-terms
	}
	return 0
}

func fakeBench(t *testing.T) *bench {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &bench{binary: exe, dir: t.TempDir(), harakiri: time.Second, mercy: time.Second}
}

func TestALabIsStartedAndEnded(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{"at once": nil, "when it is told twice": {"--max-requests", "1"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := fakeBench(t).start(t.Context(), "a/cell", options{workers: 1, args: args})
			if err != nil {
				t.Fatal(err)
			}
			a := (&client{addr: s.addr}).get(t.Context(), "/health", patience)
			if !a.ok() || a.PID != s.pid || string(a.Body) != s.faults || !strings.HasSuffix(s.faults, filepath.FromSlash("a/cell/faults")) {
				t.Errorf("%+v", a)
			}
			if err := s.stop(); err != nil {
				t.Error(err)
			}
			if !gone(s.pid) || s.alive() {
				t.Error("it is still there")
			}
			if err := s.stop(); err != nil {
				t.Errorf("the second time: %v", err)
			}
		})
	}
}

func TestALabThatDoesNotStartIsQuoted(t *testing.T) {
	t.Parallel()
	_, err := fakeBench(t).start(t.Context(), "cell", options{args: []string{"--max-rss", "1"}})
	if err == nil || !strings.Contains(err.Error(), "no such thing") {
		t.Errorf("%v", err)
	}
}

// TestAnInterruptEndsEverything gives up in the middle of a cell.
func TestAnInterruptEndsEverything(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var lab int
	began := make(chan struct{})
	go func() {
		defer close(began)
		poll(ctx, patience, func() bool {
			if pids := children(os.Getpid()); len(pids) > 0 {
				lab = pids[0]
			}
			return lab != 0
		})
		pause(ctx, 100*time.Millisecond)
		cancel()
	}()
	var out, errs bytes.Buffer
	if code := run(ctx, []string{"-binary", exe, "-run", "^sleep/1$"}, &out, &errs); code != exitUnknown {
		t.Errorf("exit %d: %s%s", code, out.String(), errs.String())
	}
	<-began
	if lab == 0 || !gone(lab) {
		t.Errorf("process %d was not ended", lab)
	}
	left, err := os.ReadDir(os.TempDir())
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
