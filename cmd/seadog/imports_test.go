package main_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/seadog/seadog/"

// mayImport is the import table: what each package may import of this module,
// tests aside. A package that is not listed may import nothing of ours but its
// area's root. cmd/seadog wires and may import everything.
var mayImport = map[string][]string{
	"deployer/transcript": {"deployer/process"},
	"deployer/git":        {"deployer/process"},
	"deployer/compose":    {"deployer/process"},
	"deployer/engine":     {"deployer/health"},
	"deployer/record":     {"deployer/budget"},
	"deployer/sqlite":     {"deployer/batch", "deployer/budget", "deployer/record"},
	"deployer/postgres":   {"deployer/batch", "deployer/budget", "deployer/record"},
	"deployer/storetest":  {"deployer/budget", "deployer/cluster"},
	"deployer/httpd":      {"deployer/webhook", "deployer/budget", "deployer/desk", "deployer/transcript"},
	"deployer/web":        {"deployer/desk", "deployer/httpd", "deployer/process", "deployer/transcript"},
	"deployer/client":     {"deployer/transcript"},
	"deployer/recording":  {"deployer/transcript"},
	"deployer/runner":     {"deployer/process", "deployer/transcript", "deployer/git", "deployer/compose", "deployer/engine", "deployer/health"},

	"watchdog/process":   {"watchdog/answer"},
	"watchdog/guard":     {"watchdog/answer", "watchdog/process", "watchdog/sched", "watchdog/scoreboard"},
	"watchdog/fastguard": {"watchdog/guard"},
	"watchdog/selfdump":  {"watchdog/process", "watchdog/scoreboard", "watchdog/stackdump"},
	"watchdog/deadlock":  {"watchdog/lock", "watchdog/process", "watchdog/scoreboard", "watchdog/selfdump", "watchdog/stackdump"},
	"watchdog/locate":    {"watchdog/process", "watchdog/scoreboard"},
	"watchdog/master":    {"watchdog/handoff", "watchdog/locate", "watchdog/process", "watchdog/scoreboard", "watchdog/selfdump", "watchdog/stackdump"},
	"watchdog/worker":    {"watchdog/deadlock", "watchdog/guard", "watchdog/handoff", "watchdog/journal", "watchdog/lock", "watchdog/sched", "watchdog/scoreboard", "watchdog/selfdump"},
	"watchdog/service":   {"watchdog/handoff", "watchdog/journal", "watchdog/lock", "watchdog/master", "watchdog/scoreboard", "watchdog/worker"},
	"watchdog/metrics":   {"watchdog/process", "watchdog/scoreboard", "watchdog/worker"},
	"watchdog/lab":       {"watchdog/fastguard", "watchdog/guard", "watchdog/handoff", "watchdog/lock", "watchdog/metrics", "watchdog/service", "watchdog/worker"},

	"loadtest/spec":        {"loadtest/pace"},
	"loadtest/attack":      {"loadtest/pace", "loadtest/probe", "loadtest/target"},
	"loadtest/replay":      {"loadtest/spec", "loadtest/target"},
	"loadtest/record":      {"loadtest/flight", "loadtest/histogram"},
	"loadtest/judge":       {"loadtest/flight", "loadtest/histogram", "loadtest/leak"},
	"loadtest/hang":        {"loadtest/observe"},
	"loadtest/fault":       {"loadtest/fault/client", "loadtest/fault/disk", "loadtest/fault/process"},
	"loadtest/fault/proxy": {"loadtest/fault"},
	"loadtest/run": {
		"loadtest/attack", "loadtest/fault", "loadtest/hang", "loadtest/judge", "loadtest/leak", "loadtest/ledger",
		"loadtest/observe", "loadtest/pace", "loadtest/record", "loadtest/report", "loadtest/target",
	},

	"cmd/seadog/console": {"deployer"},
	"cmd/seadog/config":  {"deployer", "watchdog"},
	"cmd/seadog/gate": {
		"cmd/seadog/scene", "deployer", "deployer/cluster", "loadtest", "loadtest/attack", "loadtest/fault", "loadtest/fault/proxy",
		"loadtest/leak", "loadtest/observe", "loadtest/report", "loadtest/run", "loadtest/spec", "scenarios", "watchdog", "watchdog/journal",
	},
	"cmd/seadog/doctor": {"deployer", "cmd/seadog/config", "watchdog/process"},
	"cmd/seadog/demo":   {"cmd/seadog/scene", "deployer", "deployer/client", "loadtest", "watchdog"},
}

func TestPackagesImportOnlyWhatTheTableAllows(t *testing.T) {
	t.Parallel()
	for _, p := range listPackages(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		if from == "cmd/seadog" {
			continue
		}
		area, _, _ := strings.Cut(from, "/")
		for _, imported := range p.Imports {
			to, ours := strings.CutPrefix(imported, module)
			if !ours || to == area && from != area || slices.Contains(mayImport[from], to) {
				continue
			}
			t.Errorf("%s imports %s, which the table does not allow", from, to)
		}
	}
}

func TestPrometheusIsImportedOnlyByMetricsPackages(t *testing.T) {
	t.Parallel()
	for _, p := range listPackages(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		if from == "cmd/seadog" || strings.HasSuffix(from, "/metrics") || from == "loadtest/observe" { // which reads those of others
			continue
		}
		for _, imported := range p.Imports {
			if strings.HasPrefix(imported, "github.com/prometheus/") {
				t.Errorf("%s imports %s", from, imported)
			}
		}
	}
}

// TestTheMasterHasNothingToHangOn: no HTTP, no database, no deployer in what
// the master is made of.
func TestTheMasterHasNothingToHangOn(t *testing.T) {
	t.Parallel()
	for _, p := range listPackages(t) {
		if p.ImportPath != module+"watchdog/master" {
			continue
		}
		for _, dep := range p.Deps {
			for _, banned := range []string{"net/http", "database/sql", "github.com/gofiber/", "github.com/valyala/", "github.com/jackc/", module + "deployer"} {
				if strings.HasPrefix(dep, banned) {
					t.Errorf("the master depends on %s", dep)
				}
			}
		}
	}
}

type goPackage struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("decode: %v", err)
		}
		packages = append(packages, p)
	}
}
