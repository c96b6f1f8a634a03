package dashboards

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

// JSON returns the dashboard as Grafana reads it.
func (b Board) JSON() ([]byte, error) {
	d := dashboard.NewDashboardBuilder(b.Title).
		Uid(b.UID).Description(b.Description).Tags([]string{tag}).
		Timezone("browser").Time(b.From, "now").Refresh("30s").
		Tooltip(dashboard.DashboardCursorSyncCrosshair).
		Variables(b.variables()).Annotations(b.annotations()).Links(b.links())
	id := uint32(0)
	for _, row := range b.Rows {
		id++
		d.WithRow(dashboard.NewRowBuilder(row.Title).Id(id))
		for _, p := range row.Panels {
			id++
			d.WithPanel(p.build(id))
		}
	}
	built, err := d.Build()
	if err != nil {
		return nil, fmt.Errorf("build dashboard %s: %w", b.UID, err)
	}
	encoded, err := json.Marshal(built)
	if err != nil {
		return nil, fmt.Errorf("encode dashboard %s: %w", b.UID, err)
	}
	return b.finish(encoded)
}

// tag marks our dashboards, for the links between them.
const tag = "seadog"

// source is the chosen data source.
func source() common.DataSourceRef {
	return common.DataSourceRef{Type: cog.ToPtr("prometheus"), Uid: cog.ToPtr("${" + datasource + "}")}
}

func (b Board) variables() []cog.Builder[dashboard.VariableModel] {
	vars := []cog.Builder[dashboard.VariableModel]{
		dashboard.NewDatasourceVariableBuilder(datasource).Label("Data source").Type("prometheus").
			Description("Where the metrics are."),
		choice(job, "Job", "label_values(seadog_build_info, job)", "Scrape jobs of seadog."),
		choice(instance, "Instance", `label_values(seadog_build_info{job=~"$job"}, instance)`, "Services that are shown; each has its own Docker engine."),
	}
	if b.Load {
		vars = append(vars, choice(generator, "Generator", "label_values(loadgen_run_info, instance)", "Load generators that are shown."))
	}
	return append(vars, dashboard.NewTextBoxVariableBuilder(base).Label("seadog").
		Description("Where seadog's own pages are, for the links to them.").
		DefaultValue(dashboard.StringOrMap{String: cog.ToPtr(defaultBase)}))
}

const defaultBase = "http://127.0.0.1:8787"

func choice(name, label, query, description string) cog.Builder[dashboard.VariableModel] {
	return dashboard.NewQueryVariableBuilder(name).Label(label).Description(description).
		Query(dashboard.StringOrMap{String: cog.ToPtr(query)}).Datasource(source()).
		Refresh(dashboard.VariableRefreshOnTimeRangeChanged).Sort(dashboard.VariableSortAlphabeticalAsc).
		IncludeAll(true).AllValue(".*").Multi(true).
		Current(dashboard.VariableOption{
			Selected: cog.ToPtr(true),
			Text:     dashboard.StringOrArrayOfString{ArrayOfString: []string{"All"}},
			Value:    dashboard.StringOrArrayOfString{ArrayOfString: []string{"$__all"}},
		})
}

// Note is what annotations are made of: while a query returns something, it
// happens.
type Note struct {
	Name, Expr, Text string
	Colour           Colour
}

// Notes returns the annotations of a dashboard.
func (b Board) Notes() []Note {
	notes := []Note{
		{"Deployments", sum("increase("+of("seadog_deployments_total", `status!="superseded"`)+"[$__rate_interval])", "status") + " > 0", "deployment {{status}}", Calm},
		{"Kills", sum("increase("+of("seadog_watchdog_kills_total", `level="hard"`)+"[$__rate_interval])", "pool", "reason") + " > 0", "{{pool}} worker killed: {{reason}}", Bad},
	}
	if b.Load {
		notes = append(notes, Note{"Faults", "max by (fault) (" + load("loadgen_fault_active") + ") == 1", "fault: {{fault}}", Warn})
	}
	return notes
}

func (b Board) annotations() []cog.Builder[dashboard.AnnotationQuery] {
	var list []cog.Builder[dashboard.AnnotationQuery]
	for _, n := range b.Notes() {
		list = append(list, dashboard.NewAnnotationQueryBuilder().
			Name(n.Name).Datasource(source()).Enable(true).IconColor(string(n.Colour)).Expr(n.Expr))
	}
	return list
}

func (b Board) links() []cog.Builder[dashboard.DashboardLink] {
	list := []cog.Builder[dashboard.DashboardLink]{
		dashboard.NewDashboardLinkBuilder("Dashboards").Type(dashboard.DashboardLinkTypeDashboards).
			Tags([]string{tag}).AsDropdown(true).IncludeVars(true).KeepTime(true).Tooltip("The other dashboards of seadog"),
	}
	for _, l := range slices.Concat(deployed(), incidents()) {
		list = append(list, dashboard.NewDashboardLinkBuilder(l.Title).Type(dashboard.DashboardLinkTypeLink).
			Url(l.URL).TargetBlank(true).Icon("external link").Tooltip("seadog's own page"))
	}
	return list
}

// finish adds what the builders do not know, and writes keys in one order.
func (b Board) finish(encoded []byte) ([]byte, error) {
	var d map[string]any
	if err := json.Unmarshal(encoded, &d); err != nil {
		return nil, fmt.Errorf("read dashboard %s again: %w", b.UID, err)
	}
	list := d["annotations"].(map[string]any)["list"].([]any)
	for i, n := range b.Notes() {
		list[i].(map[string]any)["titleFormat"] = n.Text
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(d); err != nil {
		return nil, fmt.Errorf("write dashboard %s: %w", b.UID, err)
	}
	return out.Bytes(), nil
}

func (p Panel) targets() []cog.Builder[dataquery] {
	var list []cog.Builder[dataquery]
	for i, q := range p.Queries {
		t := prometheus.NewDataqueryBuilder().Expr(q.Expr).LegendFormat(q.Legend).RefId(string(rune('A' + i))).
			EditorMode(prometheus.QueryEditorModeCode).Datasource(source())
		switch p.Kind {
		case Graph:
			t.Range()
		case Table:
			t.Instant().Format(prometheus.PromQueryFormatTable)
		default:
			t.Instant()
		}
		list = append(list, t)
	}
	return list
}
