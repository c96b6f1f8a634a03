package doctor_test

import (
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/cmd/seadog/doctor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func noEnvironment(string) string { return "" }

// expect fails unless there is a finding of that name and level whose words contain what.
func expect(t *testing.T, findings []doctor.Finding, name string, level doctor.Level, what string) {
	t.Helper()
	for _, f := range findings {
		if f.Name != name {
			continue
		}
		if f.Level != level || !strings.Contains(f.What, what) {
			t.Errorf("%s is %s %q, want %s %q", name, f.Level, f.What, level, what)
		}
		if f.Level != doctor.OK && f.Do == "" {
			t.Errorf("%s does not say what to do", name)
		}
		return
	}
	t.Errorf("no finding %s among %+v", name, findings)
}
