package dashboards

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

// Record is a recording rule.
type Record struct{ Name, Expr string }

// Alert is an alert: an expression that always says something while seadog is
// scraped, and from where on that is too much.
type Alert struct {
	Name     string
	Expr     string
	Wrong    string // what is wrong of it, as in "> 600"
	For      string
	Severity Severity
	Board    string // where to look; a UID
	Summary  string // one line, with templates
	Runbook  string // what it means and what to do, in steps
}

// Severity is how soon somebody has to come.
type Severity string

// Severities.
const (
	Page   Severity = "page"   // now
	Ticket Severity = "ticket" // in working hours
)

// rulesFile is what Prometheus reads.
type rulesFile struct {
	Groups []group `yaml:"groups"`
}

type group struct {
	Name  string `yaml:"name"`
	Rules []any  `yaml:"rules"`
}

type recordYAML struct {
	Record string `yaml:"record"`
	Expr   string `yaml:"expr"`
}

type alertYAML struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for,omitempty"`
	Labels      map[string]string `yaml:"labels"`
	Annotations annotationsYAML   `yaml:"annotations"`
}

type annotationsYAML struct {
	Summary   string `yaml:"summary"`
	Dashboard string `yaml:"dashboard"`
	Runbook   string `yaml:"runbook"`
}

const rulesHeader = "# Generated from dashboards/alerts*.go and dashboards/records.go: make dashboards.\n"

// Rules returns the rules as Prometheus reads them.
func Rules() ([]byte, error) {
	recording := group{Name: "seadog-recording"}
	for _, r := range Records() {
		recording.Rules = append(recording.Rules, recordYAML{Record: r.Name, Expr: r.Expr})
	}
	alerts := group{Name: "seadog-alerts"}
	for _, a := range Alerts() {
		alerts.Rules = append(alerts.Rules, alertYAML{
			Alert: a.Name, Expr: a.Expr + " " + a.Wrong, For: a.For,
			Labels: map[string]string{"severity": string(a.Severity)},
			Annotations: annotationsYAML{
				Summary: a.Summary, Dashboard: "/d/" + a.Board, Runbook: strings.TrimSpace(a.Runbook),
			},
		})
	}
	text, err := yaml.MarshalWithOptions(rulesFile{[]group{recording, alerts}}, yaml.UseLiteralStyleIfMultiline(true), yaml.Indent(2), yaml.IndentSequence(true))
	if err != nil {
		return nil, fmt.Errorf("write rules: %w", err)
	}
	return append([]byte(rulesHeader), text...), nil
}

// above and below are what can be wrong of a value.
func above(bar float64) string { return "> " + strconv.FormatFloat(bar, 'f', -1, 64) }
func below(bar float64) string { return "< " + strconv.FormatFloat(bar, 'f', -1, 64) }
