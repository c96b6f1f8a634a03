package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest"
)

// bank is a Gunicorn with the application of testdata/gunicorn: nothing that
// knows of seadog. Its scenario is the one in the README.
type bank struct {
	*service // for its directory, and to run commands there
}

func newBank(t *testing.T, locks string) *bank {
	t.Helper()
	gunicorn, err := exec.LookPath("gunicorn")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("gunicorn is not installed; run make bootstrap")
		}
		t.Skip("SKIPPED: gunicorn is not installed; run make bootstrap")
	}
	b := &bank{&service{t: t, dir: t.TempDir()}}
	address := fmt.Sprintf("127.0.0.1:%d", freePorts(t, 1)[0])
	b.url = "http://" + address
	scenario, err := os.ReadFile("testdata/gunicorn/bank.yaml")
	if err != nil {
		t.Fatal(err)
	}
	b.write("bank.yaml", string(scenario)) // beside which it looks for bank.pid
	app, err := filepath.Abs("testdata/gunicorn")
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(b.path("gunicorn.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(gunicorn, "--chdir", app, "--worker-class", "gthread", "--threads", "8", "--bind", address, "--pid", b.path("bank.pid"), "bank")
	cmd.Env = append(os.Environ(), "LOCKS="+locks, "PYTHONDONTWRITEBYTECODE=1")
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // a deadlocked worker ends by nothing else
		_ = cmd.Wait()
		if text, _ := os.ReadFile(b.path("gunicorn.log")); t.Failed() {
			t.Logf("gunicorn.log:\n%s", text)
		}
	})
	if !await(time.Minute, func() bool {
		resp, err := http.Get(b.url + "/health")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}) {
		t.Fatal("gunicorn does not answer")
	}
	return b
}

func TestAHangOfAServiceThatKnowsNothingOfUsIsFound(t *testing.T) {
	b := newBank(t, "")
	r, code, _ := b.load("run", "bank.yaml", "--target", b.url, "--dir", "report", "--no-calibration", "--json")
	if code != loadtest.Hung.Code() || r.Verdict != loadtest.Hung {
		t.Errorf("exit code %d, %s", code, r.Verdict)
	}
	locks, files := false, map[string]bool{}
	for _, reason := range r.Reasons {
		if reason.Verdict != loadtest.Hung {
			continue
		}
		locks = locks || strings.Contains(reason.Text, "1 of 1 worker with threads waiting in futex") && strings.Contains(reason.Text, "looks like a lock")
		for _, file := range reason.Evidence {
			files[file] = true
		}
	}
	if !locks {
		t.Errorf("nothing is said of locks: %+v", r.Reasons)
	}
	for file := range files {
		if text, err := os.ReadFile(b.path(filepath.Join("report", file))); err != nil || len(text) == 0 {
			t.Errorf("%s: %d bytes, %v", file, len(text), err)
		}
	}
	if rules := len(r.Hangs); rules == 0 || !slices.ContainsFunc(r.Hangs, func(h loadtest.HangReport) bool { return h.Rule == "H3" }) {
		t.Errorf("%d hangs, and none of them of fresh connections: %+v", rules, r.Hangs)
	}
}

func TestTheSameServiceWithoutTheBugPasses(t *testing.T) {
	b := newBank(t, "ordered")
	r, code, _ := b.load("run", "bank.yaml", "--target", b.url, "--no-calibration", "--json")
	for _, reason := range r.Reasons {
		if reason.Verdict != loadtest.Invalid { // other tests keep this machine busy
			t.Errorf("%s: %s", reason.Verdict, reason.Text)
		}
	}
	if code != r.Code || code != 0 && code != loadtest.Invalid.Code() {
		t.Errorf("exit code %d, %s", code, r.Verdict)
	}
}

// TestTheExampleOfTheReadmeIsTheOneThatIsTested: the scenario in the README is
// the file that these tests run.
func TestTheExampleOfTheReadmeIsTheOneThatIsTested(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	scenario, err := os.ReadFile("testdata/gunicorn/bank.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "```yaml\n"+string(scenario)+"```") {
		t.Error("the README shows another scenario than testdata/gunicorn/bank.yaml")
	}
}
