package e2e_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/report"
)

// asking writes scenario.yaml, which asks for / at url, into a directory of its own.
func asking(t *testing.T, url, client, length, rate, threshold string) *service {
	t.Helper()
	s := &service{t: t, dir: t.TempDir()}
	s.write("scenario.yaml", fmt.Sprintf(`version: 1
name: verdict
target: {base_url: %s}
client: {%s}
phases: [{name: steady, for: %s}]
scenarios: [{name: all, pacing: {kind: constant, rate: %s}, request: {path: /}}]
thresholds: [%q]
`, url, client, length, rate, threshold))
	return s
}

// broken is a server that answers everything with 502.
func broken(t *testing.T) (url string) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	t.Cleanup(server.Close)
	return server.URL
}

func TestARunThatShowsNothingIsNoPass(t *testing.T) {
	t.Parallel()
	url := broken(t)
	for name, c := range map[string]struct {
		url, client, length, threshold string
		code                           int
		says                           string
	}{
		"no samples":          {"http://127.0.0.1:1", "timeout: 5s", "2s", "p90(ttfb) < 1s", 21, "p90(ttfb)"},
		"ended by a window":   {url, "timeout: 1s", "1m", "ratio(failed) <= 0% over 1s, abort after 1", 30, "ratio(failed)"},
		"a key that is wrong": {url, "timeouts: 5s", "2s", "count(sent) > 0", 64, "scenario.yaml:4"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := asking(t, c.url, c.client, c.length, "50/s", c.threshold)
			if _, code, out := s.load("run", "scenario.yaml", "--no-calibration"); code != c.code || !strings.Contains(out, c.says) {
				t.Errorf("exit code %d, want %d and %q; it says\n%s", code, c.code, c.says, out)
			}
		})
	}
}

func TestWhatTheMachineCannotHoldIsNotTheServicesFault(t *testing.T) {
	t.Parallel()
	s := asking(t, broken(t), "max_inflight: 4096", "2s", "2000/s", "max(response) < 1s")
	cmd := exec.Command("sh", "-c", `ulimit -n 128; exec "$0" load run scenario.yaml --no-calibration`, binary)
	cmd.Dir = s.dir
	out, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != loadtest.Invalid.Code() || !strings.Contains(string(out), "descriptors") {
		t.Errorf("exit code %d; it says\n%s", code, out)
	}
}

// stopWithin is how long a stop may take, with the report, though the target hangs.
const stopWithin = 2 * time.Second

// TestASignalEndsARunWithAReport although the target never answers. Other tests
// keep this machine busy: one try of three must be in time.
func TestASignalEndsARunWithAReport(t *testing.T) {
	t.Parallel()
	for signal, want := range map[syscall.Signal]loadtest.Verdict{syscall.SIGINT: loadtest.Interrupted, syscall.SIGTERM: loadtest.Terminated} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			var took []time.Duration
			for range 3 {
				took = append(took, stopped(t, signal, want))
				if took[len(took)-1] <= stopWithin {
					t.Logf("ended %s after the signal", took)
					return
				}
			}
			t.Errorf("ended %s after the signal, %s are allowed", took, stopWithin)
		})
	}
}

// stopped stops a run as soon as its target is asked, and returns how long that took.
func stopped(t *testing.T, signal syscall.Signal, want loadtest.Verdict) time.Duration {
	t.Helper()
	asked := make(chan struct{})
	var once sync.Once
	hung := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		once.Do(func() { close(asked) })
		<-r.Context().Done()
	}))
	defer hung.Close()
	s := asking(t, hung.URL, "timeout: 60s", "10m", "50/s", "ratio(failed) <= 0%")
	cmd := exec.Command(binary, "load", "run", "scenario.yaml", "--dir", "report", "--no-calibration")
	cmd.Dir = s.dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	select {
	case <-asked:
	case <-ended:
		t.Fatalf("it ended by itself:\n%s", out.String())
	}
	began := time.Now()
	if err := cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	<-ended
	took := time.Since(began)
	if code := cmd.ProcessState.ExitCode(); code != want.Code() {
		t.Errorf("exit code %d, want %d; it says\n%s", code, want.Code(), out.String())
	}
	r, err := report.Read(s.path(filepath.Join("report", report.JSONFile)))
	if err != nil {
		t.Fatal(err)
	}
	if r.Verdict != want || r.Traffic[0].Sent == 0 {
		t.Errorf("%s, %+v", r.Verdict, r.Traffic[0])
	}
	return took
}
