package dashboards_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/seadog/seadog/dashboards"
)

// need returns the path of a program of the Debian package prometheus. Without
// it the test is skipped loudly, and fails where it is required.
func need(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing; run make bootstrap", program)
	}
	t.Skipf("SKIPPED: %s is missing; run make bootstrap", program)
	return ""
}

func TestEveryAlertSaysWhatToDo(t *testing.T) {
	t.Parallel()
	boards := map[string]bool{}
	for _, b := range dashboards.Boards() {
		boards[b.UID] = true
	}
	tests, err := os.ReadFile("prometheus/rules_test.yml")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, a := range dashboards.Alerts() {
		if names[a.Name] || !strings.HasPrefix(a.Name, "Seadog") {
			t.Errorf("%s: the name is taken, or not ours", a.Name)
		}
		names[a.Name] = true
		if a.Summary == "" || len(a.Runbook) < 80 || !boards[a.Board] || a.Wrong == "" || a.For == "" {
			t.Errorf("%s is not complete: %+v", a.Name, a)
		}
		if a.Severity != dashboards.Page && a.Severity != dashboards.Ticket {
			t.Errorf("%s: severity %q", a.Name, a.Severity)
		}
		if !strings.Contains(string(tests), `alertname="`+a.Name+`"`) {
			t.Errorf("no unit test makes %s fire", a.Name)
		}
	}
}

func TestAlertsFireWhenTheyShould(t *testing.T) {
	t.Parallel()
	promtool := need(t, "promtool")
	for _, args := range [][]string{
		{"check", "config", "prometheus/prometheus.yml"},
		{"check", "rules", "prometheus/rules.yml"},
		{"test", "rules", "prometheus/rules_test.yml"},
	} {
		if out, err := exec.Command(promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
