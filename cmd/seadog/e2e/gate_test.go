package e2e_test

import (
	"cmp"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/report"
	"github.com/seadog/seadog/scenarios"
)

// proof is a run of scenarios against a service without the countermeasures
// that they are about, and what each of them must find.
type proof struct {
	without string // see cmd/seadog/sabotage.go
	finds   []finding
}

// finding is a verdict and a part of its reason.
type finding struct {
	scenario string
	verdict  loadtest.Verdict
	reason   string
	report   string // in which it is found, if that is not the scenario's own
}

var proofs = []proof{
	// That something grows can be seen only when a service has run for a while.
	{"leak,early-answer", []finding{
		{"health-30s", loadtest.Leaking, "goroutines", "steady"},
		{"webhook-storm", loadtest.Correctness, "not to be found at the service", ""},
		{"soak", loadtest.Correctness, "not to be found at the service", ""},
	}},
	{"lease-off", []finding{{"vanishing-deploy", loadtest.Correctness, "without an end", ""}}},
	{"first-commit", []finding{{"deploy-storm", loadtest.Correctness, "the last one that was pushed", ""}}},
	{"console-off", []finding{{"console-flood", loadtest.Hung, "H1", ""}}},
	{"deadlines-off", []finding{{"stuck-engine", loadtest.SLO, "engine-named", ""}}},
	{"watchdog-off,deadlines-off", []finding{{"slow-database", loadtest.SLO, "max(response{scenario=webhooks})", ""}}},
	{"budget-off", []finding{{"query-storm", loadtest.SLO, "query", ""}}},
	{"naming-off", []finding{{"wrong-protocol", loadtest.SLO, "protocol-named", ""}}},
	{"watchdog-off", []finding{
		{"lock-order", loadtest.Hung, "H1", ""},
		{"cpu-spin", loadtest.Hung, "H1", ""},
		{"frozen-worker", loadtest.Hung, "H1", ""},
		{"death-spiral", loadtest.SLO, "goodput", ""},
	}},
	{"gate-off", []finding{{"black-hole", loadtest.SLO, "count(failed{scenario=requests})", ""}}},
	{"hangups-off", []finding{{"router-timeout", loadtest.SLO, "ratio(failed{scenario=others})", ""}}},
	{"recycle-off", []finding{{"worker-creep", loadtest.SLO, "seadog_worker_resident_bytes", ""}}},
	{"drain-off", []finding{{"recycle-under-load", loadtest.SLO, "ratio(failed)", ""}}},
}

// TestEveryScenarioFindsWhatItIsAbout runs each scenario against a service that
// lacks the countermeasure. What else runs on this machine may make runs INVALID
// as well; that does not hide what they found.
func TestEveryScenarioFindsWhatItIsAbout(t *testing.T) {
	needEngine(t)
	missing := scenarios.Names()
	for _, p := range proofs {
		var names []string
		for _, f := range p.finds {
			names = append(names, f.scenario)
			missing = slices.DeleteFunc(missing, func(name string) bool { return name == f.scenario })
		}
		t.Run(strings.Join(names, ","), func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "reports")
			code, out := soakQuickly(t, dir, strings.Join(names, ","), p.without)
			if code == 0 {
				t.Error("the exit code is 0")
			}
			for _, f := range p.finds {
				f.check(t, dir)
			}
			if t.Failed() {
				t.Logf("without %s: exit code %d\n%s", p.without, code, out)
			}
		})
	}
	if len(missing) > 0 {
		t.Errorf("scenarios %v are not proven to find anything", missing)
	}
}

// check looks for the finding in its report.
func (f finding) check(t *testing.T, dir string) {
	t.Helper()
	r, err := report.Read(filepath.Join(dir, cmp.Or(f.report, f.scenario), report.JSONFile))
	if err != nil {
		t.Errorf("scenario %s: %v", f.scenario, err)
		return
	}
	for _, reason := range r.Reasons {
		if reason.Verdict == f.verdict && strings.Contains(reason.Text, f.reason) {
			return
		}
	}
	t.Errorf("scenario %s: nothing says %s: …%s…, but %+v", f.scenario, f.verdict, f.reason, r.Reasons)
}

// soakQuickly runs scenarios of the gate.
func soakQuickly(t *testing.T, dir, only, fault string) (code int, out string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	args := []string{"soak", "--quick", "--dir", dir}
	if only != "" {
		args = append(args, "--no-calibration", "--only", only)
	}
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = os.Environ()
	if fault != "" {
		cmd.Env = append(cmd.Env, "SEADOG_FAULT="+fault)
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 2 * time.Minute
	text, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatalf("soak: %v", err)
	}
	return cmd.ProcessState.ExitCode(), string(text)
}
