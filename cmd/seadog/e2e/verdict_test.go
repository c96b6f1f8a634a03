package e2e_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
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

// verdictScenario asks for / at url.
func verdictScenario(url, client, length, rate, threshold string) string {
	return fmt.Sprintf(`version: 1
name: verdict
target: {base_url: %s}
client: {%s}
phases: [{name: steady, for: %s}]
scenarios: [{name: all, pacing: {kind: constant, rate: %s}, request: {path: /}}]
thresholds: [%q]
`, url, client, length, rate, threshold)
}

func TestARunThatShowsNothingIsNoPass(t *testing.T) {
	t.Parallel()
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	t.Cleanup(broken.Close)
	for name, c := range map[string]struct {
		scenario string
		files    int // that the process may have open; 0: as many as there are
		code     int
		says     string
	}{
		"no samples":          {verdictScenario("http://127.0.0.1:1", "timeout: 5s", "2s", "50/s", "p90(ttfb) < 1s"), 0, 21, "p90(ttfb)"},
		"no descriptors":      {verdictScenario(broken.URL, "max_inflight: 4096", "2s", "2000/s", "max(response) < 1s"), 128, 20, "descriptors"},
		"ended by a window":   {verdictScenario(broken.URL, "timeout: 1s", "1m", "50/s", "ratio(failed) <= 0% over 1s, abort after 1"), 0, 30, "ratio(failed)"},
		"a key that is wrong": {verdictScenario(broken.URL, "timeouts: 5s", "2s", "2/s", "count(sent) > 0"), 0, 64, "scenario.yaml:4"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			writeScenario(t, dir, c.scenario)
			limit := "exec"
			if c.files > 0 {
				limit = fmt.Sprintf("ulimit -n %d; exec", c.files)
			}
			cmd := exec.Command("sh", "-c", limit+` "$0" load run scenario.yaml --no-calibration`, binary)
			cmd.Dir = dir
			out, _ := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(string(out), c.says) {
				t.Errorf("exit code %d, want %d and %q; it says\n%s", code, c.code, c.says, out)
			}
		})
	}
}

// TestASignalEndsARunWithAReport although the target never answers, and long
// before the clients would give up.
func TestASignalEndsARunWithAReport(t *testing.T) {
	t.Parallel()
	for stop, want := range map[syscall.Signal]loadtest.Verdict{syscall.SIGINT: loadtest.Interrupted, syscall.SIGTERM: loadtest.Terminated} {
		t.Run(stop.String(), func(t *testing.T) {
			t.Parallel()
			asked := make(chan struct{})
			var once sync.Once
			hung := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				once.Do(func() { close(asked) })
				<-r.Context().Done()
			}))
			defer hung.Close()
			dir := t.TempDir()
			writeScenario(t, dir, verdictScenario(hung.URL, "timeout: 60s", "10m", "50/s", "ratio(failed) <= 0%"))
			cmd := exec.Command(binary, "load", "run", "scenario.yaml", "--dir", "report", "--no-calibration")
			cmd.Dir = dir
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			<-asked
			began := time.Now()
			if err := cmd.Process.Signal(stop); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			t.Logf("ended %s after the signal", time.Since(began))
			if code := cmd.ProcessState.ExitCode(); code != want.Code() {
				t.Errorf("exit code %d, want %d; it says\n%s", code, want.Code(), out.String())
			}
			r, err := report.Read(filepath.Join(dir, "report", report.JSONFile))
			if err != nil {
				t.Fatal(err)
			}
			// The clients would have waited for 60 s.
			if r.Verdict != want || r.Traffic[0].Sent == 0 || r.Identity.Elapsed > 30*time.Second {
				t.Errorf("%s after %s, %+v", r.Verdict, r.Identity.Elapsed, r.Traffic[0])
			}
		})
	}
}

func writeScenario(t *testing.T, dir, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "scenario.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
