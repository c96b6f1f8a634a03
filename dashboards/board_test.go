package dashboards_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/dashboards"
)

func TestFilesAreThoseThatAreGenerated(t *testing.T) {
	t.Parallel()
	files, err := dashboards.Files()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range files {
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s is not what is generated (make dashboards):\n%.2000s", path, diff)
		}
	}
	boards, err := filepath.Glob("grafana/boards/*")
	if err != nil || len(boards) != len(dashboards.Boards()) {
		t.Errorf("%d files in grafana/boards, want those of %d dashboards: %v", len(boards), len(dashboards.Boards()), err)
	}
}

// panel is what these tests look at of a panel in the files.
type panel struct {
	ID          int
	Type        string
	Title       string
	Description string
	Datasource  struct{ Type, UID string }
	FieldConfig struct {
		Defaults struct {
			Unit       string
			Thresholds struct{ Steps []struct{ Color string } }
		}
	}
	GridPos struct{ H, W, X, Y int }
	Targets []struct {
		Expr, LegendFormat string
		Datasource         struct{ UID string }
	}
	Links []struct{ URL string }
}

type board struct {
	UID         string
	Title       string
	Description string
	Panels      []panel
	Templating  struct{ List []struct{ Name, Type string } }
	Annotations struct {
		List []struct{ Name, Expr, TitleFormat string }
	}
	Links []struct{ Type, URL string }
}

func load(t *testing.T, path string) board {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var b board
	if err := json.Unmarshal(text, &b); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return b
}

var (
	ranges = regexp.MustCompile(`\[([^\]]+)\]`)
	rates  = regexp.MustCompile(`\brate\(`)
)

func TestEveryPanelIsComplete(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("grafana/boards/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		b := load(t, path)
		ids, titles := map[int]bool{}, map[string]bool{}
		row := ""
		for _, p := range b.Panels {
			where := b.Title + " / " + row + " / " + p.Title
			if ids[p.ID] {
				t.Errorf("%s: another panel has the id %d", where, p.ID)
			}
			ids[p.ID] = true
			if p.Type == "row" {
				row = p.Title
				continue
			}
			if p.Title == "" || titles[p.Title] {
				t.Errorf("%s: no title, or another panel has the same", where)
			}
			titles[p.Title] = true
			if len(p.Description) < 20 && p.Description != "Likewise." && p.Description != "Resident, each." {
				t.Errorf("%s: the description %q says nothing", where, p.Description)
			}
			if p.FieldConfig.Defaults.Unit == "" || len(p.FieldConfig.Defaults.Thresholds.Steps) == 0 {
				t.Errorf("%s: no unit, or no colours", where)
			}
			if p.Datasource.UID != "${datasource}" || p.Datasource.Type != "prometheus" || len(p.Targets) == 0 {
				t.Errorf("%s: data source %+v, %d queries", where, p.Datasource, len(p.Targets))
			}
			if p.GridPos.X+p.GridPos.W > 24 || p.GridPos.W == 0 || p.GridPos.H == 0 {
				t.Errorf("%s: lies at %+v", where, p.GridPos)
			}
			for _, q := range p.Targets {
				checkQuery(t, where, q.Expr)
				if q.Datasource.UID != "${datasource}" || q.LegendFormat == "" && p.Type != "table" {
					t.Errorf("%s: data source %s, legend %q", where, q.Datasource.UID, q.LegendFormat)
				}
			}
		}
	}
}

// checkQuery holds a query against what makes it right at every zoom and for
// every choice of instances.
func checkQuery(t *testing.T, where, expr string) {
	t.Helper()
	for _, r := range ranges.FindAllStringSubmatch(expr, -1) {
		if r[1] != "$__rate_interval" && r[1] != "$__range" {
			t.Errorf("%s: the range %s is fixed", where, r[1])
		}
	}
	if n := strings.Count(expr, "[$__rate_interval]"); len(rates.FindAllString(expr, -1)) > n {
		t.Errorf("%s: a rate that is not over $__rate_interval", where)
	}
	for _, selector := range regexp.MustCompile(`\b(seadog|loadgen)[_:][a-z0-9_:]+\b`).FindAllStringIndex(text.ReplaceAllStringFunc(expr, blank), -1) {
		rest := expr[selector[1]:]
		if !strings.HasPrefix(rest, `{job=~"$job",instance=~"$instance"`) && !strings.HasPrefix(rest, `{instance=~"$generator"`) {
			t.Errorf("%s: %s is not of the chosen instances", where, expr[selector[0]:selector[1]])
		}
	}
}

// blank keeps the length of what it takes away.
func blank(s string) string { return strings.Repeat(" ", len(s)) }

func TestEveryDashboardLeadsOn(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("grafana/boards/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		b := load(t, path)
		if b.UID == "" || len(b.Description) < 20 {
			t.Errorf("%s: uid %q, description %q", path, b.UID, b.Description)
		}
		variables := map[string]string{}
		for _, v := range b.Templating.List {
			variables[v.Name] = v.Type
		}
		if variables["datasource"] != "datasource" || variables["job"] != "query" || variables["instance"] != "query" || variables["seadog"] != "textbox" {
			t.Errorf("%s: variables %v", path, variables)
		}
		kinds, pages := map[string]bool{}, ""
		for _, l := range b.Links {
			kinds[l.Type] = true
			pages += l.URL + " "
		}
		if !kinds["dashboards"] || !strings.Contains(pages, "${seadog}/incidents") || !strings.Contains(pages, "${seadog}/deployments") {
			t.Errorf("%s: leads to %v %s", path, kinds, pages)
		}
		notes := map[string]bool{}
		for _, n := range b.Annotations.List {
			notes[n.Name] = n.Expr != "" && n.TitleFormat != ""
		}
		if !notes["Deployments"] || !notes["Kills"] || notes["Faults"] != (variables["generator"] == "query") {
			t.Errorf("%s: annotations %v", path, notes)
		}
	}
}
