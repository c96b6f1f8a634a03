package dashboards_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seadog/seadog/dashboards"
)

// catalogue is what seadog exports: type by name. A test of cmd/seadog holds the
// file against the service.
func catalogue(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../cmd/seadog/testdata/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		all[fields[0]] = fields[1]
	}
	return all
}

// generatorNames is what a load generator exports.
func generatorNames() map[string]string {
	return map[string]string{
		"loadgen_hits_planned_total": "counter", "loadgen_hits_sent_total": "counter", "loadgen_hits_dropped_total": "counter",
		"loadgen_responses_total": "counter", "loadgen_response_seconds": "histogram", "loadgen_service_seconds": "histogram",
		"loadgen_schedule_lag_seconds": "histogram", "loadgen_inflight_requests": "gauge", "loadgen_threshold_ok": "gauge",
		"loadgen_fault_active": "gauge", "loadgen_run_info": "gauge", "loadgen_verdict": "gauge",
	}
}

// expression is one query, and where it stands.
type expression struct {
	where, expr string
	graph       bool // it is shown over time
}

// expressions returns everything that Grafana asks, variables aside.
func expressions() []expression {
	var all []expression
	for _, b := range dashboards.Boards() {
		for _, r := range b.Rows {
			for _, p := range r.Panels {
				for _, q := range p.Queries {
					all = append(all, expression{b.Title + " / " + p.Title, q.Expr, p.Kind == dashboards.Graph})
				}
			}
		}
		for _, n := range b.Notes() {
			all = append(all, expression{b.Title + " / annotation " + n.Name, n.Expr, true})
		}
	}
	return all
}

// rules returns what Prometheus asks by itself: of alerts the part that always
// says something.
func rules() []expression {
	var all []expression
	for _, r := range dashboards.Records() {
		all = append(all, expression{where: "rule " + r.Name, expr: r.Expr})
	}
	for _, a := range dashboards.Alerts() {
		all = append(all, expression{where: "alert " + a.Name, expr: a.Expr})
	}
	return all
}

var (
	names   = regexp.MustCompile(`\b(seadog|loadgen)_[a-z0-9_]+`)
	records = regexp.MustCompile(`\bseadog:[a-z0-9_:]+`)
	text    = regexp.MustCompile(`"[^"]*"`) // what is in a matcher is no name
)

// namesIn returns the metrics that an expression reads, histograms by their own name.
func namesIn(expr string, known map[string]string) []string {
	var found []string
	for _, name := range names.FindAllString(text.ReplaceAllString(expr, ""), -1) {
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if base, cut := strings.CutSuffix(name, suffix); cut && known[base] == "histogram" {
				name = base
			}
		}
		found = append(found, name)
	}
	return found
}

func TestEveryNameIsExported(t *testing.T) {
	t.Parallel()
	known := catalogue(t)
	for name, kind := range generatorNames() {
		known[name] = kind
	}
	recorded := map[string]bool{}
	for _, r := range dashboards.Records() {
		recorded[r.Name] = true
	}
	for _, e := range append(expressions(), rules()...) {
		for _, name := range namesIn(e.expr, known) {
			if known[name] == "" {
				t.Errorf("%s reads %s, which nobody exports", e.where, name)
			}
		}
		for _, name := range records.FindAllString(e.expr, -1) {
			if !recorded[name] {
				t.Errorf("%s reads %s, which no rule records", e.where, name)
			}
		}
	}
}

// TestEveryMetricIsLookedAt: what is on no dashboard and in no rule is exported
// for nobody.
func TestEveryMetricIsLookedAt(t *testing.T) {
	t.Parallel()
	known := catalogue(t)
	used := map[string]bool{}
	read := func(expr string) {
		for _, name := range namesIn(expr, known) {
			used[name] = true
		}
	}
	// A rule that nobody reads is no use of its metrics.
	for _, e := range expressions() {
		read(e.expr)
	}
	for _, a := range dashboards.Alerts() {
		read(a.Expr)
	}
	reads := append(expressions(), rules()...)
	for _, r := range dashboards.Records() {
		isRead := slices.ContainsFunc(reads, func(e expression) bool { return slices.Contains(records.FindAllString(e.expr, -1), r.Name) })
		if !isRead {
			t.Errorf("nobody reads what rule %s records", r.Name)
			continue
		}
		read(r.Expr)
	}
	var idle []string
	for name := range known {
		if !used[name] {
			idle = append(idle, name)
		}
	}
	slices.Sort(idle)
	t.Logf("%d of %d metrics are on a dashboard or in a rule", len(known)-len(idle), len(known))
	if len(idle) > 0 {
		t.Errorf("nobody looks at %v", idle)
	}
}
