package e2e_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/report"
	"github.com/seadog/seadog/scenarios"
)

// proof is what a scenario must find in a service without the countermeasure
// that it is about.
type proof struct {
	without string // see cmd/seadog/sabotage.go
	verdict loadtest.Verdict
	reason  string // part of a reason
}

var proofs = map[string]proof{
	"webhook-storm":      {"early-answer", loadtest.Correctness, "not to be found at the service"},
	"health-30s":         {"leak", loadtest.Leaking, "goroutines"},
	"vanishing-deploy":   {"lease-off", loadtest.Correctness, "without an end"},
	"soak":               {"early-answer", loadtest.Correctness, "not to be found at the service"},
	"deploy-storm":       {"first-commit", loadtest.Correctness, "the last one that was pushed"},
	"console-flood":      {"console-off", loadtest.Hung, "H"},
	"stuck-engine":       {"deadlines-off", loadtest.SLO, "engine-named"},
	"slow-database":      {"watchdog-off", loadtest.SLO, "max(response{scenario=webhooks})"},
	"query-storm":        {"budget-off", loadtest.SLO, "query"},
	"wrong-protocol":     {"naming-off", loadtest.SLO, "protocol-named"},
	"lock-order":         {"watchdog-off", loadtest.Hung, "H1"},
	"cpu-spin":           {"watchdog-off", loadtest.Hung, "H1"},
	"frozen-worker":      {"watchdog-off", loadtest.Hung, "H1"},
	"black-hole":         {"gate-off", loadtest.SLO, "count(failed{scenario=requests})"},
	"router-timeout":     {"hangups-off", loadtest.SLO, "ratio(failed{scenario=others})"},
	"death-spiral":       {"watchdog-off", loadtest.SLO, "goodput"},
	"worker-creep":       {"recycle-off", loadtest.SLO, "seadog_worker_resident_bytes"},
	"recycle-under-load": {"drain-off", loadtest.SLO, "ratio(failed)"},
}

// TestEveryScenarioFindsWhatItIsAbout runs each scenario against a service that
// lacks the countermeasure. What else runs on this machine may make runs INVALID
// as well; that does not hide what they found.
func TestEveryScenarioFindsWhatItIsAbout(t *testing.T) {
	needEngine(t)
	for _, name := range scenarios.Names() {
		p, ok := proofs[name]
		if !ok {
			t.Errorf("scenario %s is not proven to find anything", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "reports")
			code, out := soakQuickly(t, dir, name, p.without)
			reasons := reasonsIn(t, dir)
			for _, r := range reasons {
				if r.Verdict == p.verdict && strings.Contains(r.Text, p.reason) {
					if code == 0 {
						t.Errorf("it was found, and the exit code is 0")
					}
					return
				}
			}
			t.Errorf("without its countermeasure (%s) nothing says %s: …%s…; exit code %d\n%s\n%+v", p.without, p.verdict, p.reason, code, out, reasons)
		})
	}
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

// reasonsIn collects the reasons of all reports below a directory.
func reasonsIn(t *testing.T, dir string) (all []loadtest.Reason) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*", report.JSONFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		r, err := report.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r.Reasons...)
	}
	return all
}
