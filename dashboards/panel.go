package dashboards

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

type dataquery = variants.Dataquery

// Size of panels, on a grid that is 24 wide.
const (
	graphWidth  = 8
	statWidth   = 6
	graphHeight = 8
	statHeight  = 4
)

func (p Panel) width(usual int) uint32 {
	if p.Width > 0 {
		return uint32(p.Width)
	}
	return uint32(usual)
}

// height of a stat is that of the graphs beside it, unless it is one of many.
func (p Panel) height() uint32 {
	if p.Kind == Graph || p.Width == 0 {
		return graphHeight
	}
	return statHeight
}

func (p Panel) build(id uint32) cog.Builder[dashboard.Panel] {
	switch p.Kind {
	case Stat:
		return p.stat(id)
	case Table:
		return p.table(id)
	}
	return p.graph(id)
}

func (p Panel) graph(id uint32) *timeseries.PanelBuilder {
	b := timeseries.NewPanelBuilder().Id(id).Title(p.Title).Description(p.Description).
		Datasource(source()).Targets(p.targets()).Unit(p.Unit).
		Span(p.width(graphWidth)).Height(p.height()).
		Thresholds(p.thresholds()).Links(p.links()).
		LineWidth(1).FillOpacity(10).ShowPoints(common.VisibilityModeNever).
		Legend(common.NewVizLegendOptionsBuilder().DisplayMode(common.LegendDisplayModeList).Placement(common.LegendPlacementBottom).ShowLegend(true)).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderDescending))
	if len(p.Bars) > 0 {
		b.ThresholdsStyle(common.NewGraphThresholdsStyleConfigBuilder().Mode(common.GraphThresholdsStyleModeDashed))
	}
	if p.Zero {
		b.Min(0)
	}
	if p.Stacked {
		b.FillOpacity(50).Stacking(common.NewStackingConfigBuilder().Mode(common.StackingModeNormal))
	}
	return b
}

func (p Panel) stat(id uint32) *stat.PanelBuilder {
	return stat.NewPanelBuilder().Id(id).Title(p.Title).Description(p.Description).
		Datasource(source()).Targets(p.targets()).Unit(p.Unit).Decimals(p.Decimals).
		Span(p.width(statWidth)).Height(p.height()).
		Thresholds(p.thresholds()).Links(p.links()).Mappings(p.mappings()).
		ColorMode(common.BigValueColorModeBackground).GraphMode(common.BigValueGraphModeNone).
		TextMode(p.text()).NoValue("none").
		ReduceOptions(common.NewReduceDataOptionsBuilder().Calcs([]string{"lastNotNull"}))
}

// text is whether a stat names what it shows: only if that says something.
func (p Panel) text() common.BigValueTextMode {
	for _, q := range p.Queries {
		if len(p.Queries) > 1 || len(q.Legend) > 2 && q.Legend[:2] == "{{" {
			return common.BigValueTextModeValueAndName
		}
	}
	return common.BigValueTextModeValue
}

func (p Panel) table(id uint32) *table.PanelBuilder {
	return table.NewPanelBuilder().Id(id).Title(p.Title).Description(p.Description).
		Datasource(source()).Targets(p.targets()).Unit(p.Unit).
		Span(p.width(statWidth)).Height(p.height()).
		Thresholds(p.thresholds()).Links(p.links()).
		WithTransformation(dashboard.DataTransformerConfig{
			Id: "organize", Options: map[string]any{"excludeByName": map[string]bool{"Time": true, "Value": true}},
		})
}

func (p Panel) thresholds() cog.Builder[dashboard.ThresholdsConfig] {
	steps := []dashboard.Threshold{{Color: string(Good)}}
	if len(p.Bars) == 0 {
		steps[0].Color = string(Calm)
	}
	for _, bar := range p.Bars {
		steps = append(steps, dashboard.Threshold{Value: cog.ToPtr(bar.From), Color: string(bar.Colour)})
	}
	return dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).Steps(steps)
}

func (p Panel) mappings() []dashboard.ValueMapping {
	if len(p.Names) == 0 {
		return nil
	}
	options := map[string]dashboard.ValueMappingResult{}
	for i, n := range p.Names {
		options[n.Value] = dashboard.ValueMappingResult{Text: cog.ToPtr(n.Text), Color: cog.ToPtr(string(n.Colour)), Index: cog.ToPtr(int32(i))}
	}
	return []dashboard.ValueMapping{{ValueMap: &dashboard.ValueMap{Type: dashboard.MappingTypeValueToText, Options: options}}}
}

func (p Panel) links() []cog.Builder[dashboard.DashboardLink] {
	var list []cog.Builder[dashboard.DashboardLink]
	for _, l := range p.Links {
		list = append(list, dashboard.NewDashboardLinkBuilder(l.Title).Type(dashboard.DashboardLinkTypeLink).Url(l.URL).TargetBlank(true))
	}
	return list
}
