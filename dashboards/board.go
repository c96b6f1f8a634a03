package dashboards

import "strings"

// Board is one dashboard.
type Board struct {
	UID, Title, Description string
	From                    string // the time that is shown, as in "now-1h"
	Load                    bool   // it shows a load generator, too
	Rows                    []Row
}

// Row is a row of panels.
type Row struct {
	Title  string
	Panels []Panel
}

// Kind is how a panel shows its data.
type Kind string

// Kinds.
const (
	Graph Kind = "timeseries"
	Stat  Kind = "stat"
	Table Kind = "table"
)

// Panel is one panel.
type Panel struct {
	Title       string
	Description string // what is seen, and what to think of it
	Kind        Kind
	Unit        string // as Grafana names it
	Width       int    // of 24; what the kind usually has if 0
	Queries     []Query
	Bars        []Bar   // colours, from the lowest value on; what is below the first is green
	Names       []Name  // of values
	Zero        bool    // the axis begins at 0
	Stacked     bool    // areas on top of each other
	Links       []Link  // from what is shown
	Decimals    float64 // of a stat
}

// Bar is a value from which on another colour is shown.
type Bar struct {
	From   float64
	Colour Colour
}

// Colour is good, bad or in between.
type Colour string

// Colours, as Grafana names them.
const (
	Good Colour = "green"
	Warn Colour = "orange"
	Bad  Colour = "red"
	Calm Colour = "blue" // neither
)

// Name is what a value is called.
type Name struct {
	Value  string
	Text   string
	Colour Colour
}

// Query is one query of a panel.
type Query struct {
	Expr   string
	Legend string
}

// Link leads to a page of seadog's own, or to another dashboard.
type Link struct{ Title, URL string }

// Boards returns all dashboards in the order in which they are listed.
func Boards() []Board {
	return []Board{overview(), deployments(), watchdog(), loadTest(), soak()}
}

// Variables of every dashboard.
const (
	datasource = "datasource"
	job        = "job"
	instance   = "instance"
	generator  = "generator" // only where a load generator is shown
	base       = "seadog"    // the URL of seadog's own pages
)

// of returns a selector for the chosen instances: of("m", `pool="http"`).
func of(metric string, matchers ...string) string {
	return metric + "{" + strings.Join(append([]string{`job=~"$job"`, `instance=~"$instance"`}, matchers...), ",") + "}"
}

// load returns a selector for the chosen load generators.
func load(metric string, matchers ...string) string {
	return metric + "{" + strings.Join(append([]string{`instance=~"$generator"`}, matchers...), ",") + "}"
}

// rate returns how much a counter rises per second.
func rate(counter string) string { return "rate(" + counter + "[$__rate_interval])" }

// increase returns by how much a counter rose in all of the time that is shown.
func increase(counter string) string { return "increase(" + counter + "[$__range])" }

// sum adds up by labels.
func sum(expr string, by ...string) string {
	if len(by) == 0 {
		return "sum(" + expr + ")"
	}
	return "sum by (" + strings.Join(by, ", ") + ") (" + expr + ")"
}

// maximum returns the greatest by labels.
func maximum(expr string, by ...string) string {
	if len(by) == 0 {
		return "max(" + expr + ")"
	}
	return "max by (" + strings.Join(by, ", ") + ") (" + expr + ")"
}

// quantile returns a quantile of a histogram by labels.
func quantile(q, buckets string, by ...string) string {
	return "histogram_quantile(" + q + ", " + sum(rate(buckets), append(by, "le")...) + ")"
}

// incidents and deployed are where to read on.
func incidents() []Link { return []Link{{"Incidents", "${" + base + "}/incidents"}} }
func deployed() []Link  { return []Link{{"Deployments", "${" + base + "}/deployments"}} }

// Bars that many panels share.
func anyIsBad() []Bar  { return []Bar{{1, Bad}} }
func anyIsWarn() []Bar { return []Bar{{1, Warn}} }
func upDown() []Name   { return []Name{{"0", "down", Bad}, {"1", "up", Good}} }
