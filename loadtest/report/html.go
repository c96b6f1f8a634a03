package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/seadog/seadog/loadtest"
)

var (
	//go:embed assets/report.html
	pageText string
	//go:embed assets/report.css
	pageCSS string
	//go:embed assets/report.js
	pageJS string
	//go:embed assets/uPlot.iife.min.js
	plotJS string
	//go:embed assets/uPlot.min.css
	plotCSS string
)

var page = template.Must(template.New("report").Funcs(template.FuncMap{
	"dur": duration, "at": at, "num": number, "pct": percent, "bytes": size, "tone": Tone, "at99": func(p loadtest.Percentiles, q float64) string {
		if v, ok := p.At(q); ok {
			return duration(v)
		}
		return "–"
	},
	"idle": idleText,
	"value": func(u loadtest.Unit, v float64) string {
		t := loadtest.Threshold{Unit: u}
		return t.Format(v)
	},
	"share": func(part, whole uint64) string {
		if whole == 0 {
			return "–"
		}
		return percent(float64(part) / float64(whole))
	},
}).Parse(pageText))

// view is what the page shows.
type view struct {
	*loadtest.Report
	Deciding string
	CSS      template.CSS
	JS       []template.JS
	Data     plots
}

// HTML writes r as one page that needs nothing else, neither files nor network.
func HTML(w io.Writer, r *loadtest.Report) error {
	return page.Execute(w, view{
		Report: r, Deciding: Deciding(r),
		CSS:  template.CSS(plotCSS + pageCSS),
		JS:   []template.JS{template.JS(plotJS), template.JS(pageJS)},
		Data: plotted(r),
	})
}

// plots is what the page's script draws. Times are seconds since the start.
type plots struct {
	Time   []float64    `json:"time"`
	Charts []chart      `json:"charts"`
	Faults []band       `json:"faults"`
	Phases []band       `json:"phases"`
	Hangs  []band       `json:"hangs"`
	Server []serverPlot `json:"server"`
	Curves []curve      `json:"curves"`
}

type chart struct {
	Title string `json:"title"`
	Unit  string `json:"unit"`
	Log   bool   `json:"log"`
	Lines []line `json:"lines"`
}

type line struct {
	Name   string     `json:"name"`
	Values []*float64 `json:"values"` // null where there is none
}

type band struct {
	Name string  `json:"name"`
	From float64 `json:"from"`
	To   float64 `json:"to"`
}

type serverPlot struct {
	Name   string     `json:"name"`
	Unit   string     `json:"unit"`
	Time   []float64  `json:"time"`
	Values []float64  `json:"values"`
	Trend  []*float64 `json:"trend,omitempty"` // what a leak test fitted
	Note   string     `json:"note,omitempty"`
}

type curve struct {
	Name   string    `json:"name"`
	Q      []float64 `json:"q"`
	Values []float64 `json:"values"` // ms
}

func plotted(r *loadtest.Report) plots {
	p := plots{Faults: []band{}, Phases: []band{}, Hangs: []band{}, Server: []serverPlot{}, Curves: []curve{}}
	for _, row := range r.Series {
		p.Time = append(p.Time, row.At.Seconds())
	}
	p.Charts = charts(r.Series)
	for _, f := range r.Faults {
		p.Faults = append(p.Faults, band{f.Name, f.Begin.Seconds(), max(f.End, f.Begin).Seconds()})
	}
	for _, f := range r.Phases {
		p.Phases = append(p.Phases, band{f.Name, f.Begins.Seconds(), (f.Begins + f.For).Seconds()})
	}
	for _, h := range r.Hangs {
		p.Hangs = append(p.Hangs, band{h.Rule, h.At.Seconds(), (h.At + h.For).Seconds()})
	}
	for _, s := range r.Server {
		p.Server = append(p.Server, serverPlotOf(s, r.Leaks))
	}
	for _, t := range r.Traffic {
		for _, c := range []struct {
			name string
			from loadtest.Percentiles
		}{{" response", t.Response}, {" service", t.Service}} {
			if len(c.from.Points) < 2 {
				continue
			}
			one := curve{Name: t.Name + c.name}
			for _, point := range c.from.Points {
				one.Q = append(one.Q, point.Q)
				one.Values = append(one.Values, milliseconds(point.Value))
			}
			p.Curves = append(p.Curves, one)
		}
	}
	return p
}

// charts are the pictures over time that every run has.
func charts(rows []loadtest.Row) []chart {
	rate := func(of func(loadtest.Row) uint64) func(loadtest.Row) *float64 {
		return func(r loadtest.Row) *float64 {
			if r.For <= 0 {
				return nil
			}
			v := float64(of(r)) / r.For.Seconds()
			return &v
		}
	}
	ms := func(of func(loadtest.Row) time.Duration) func(loadtest.Row) *float64 {
		return func(r loadtest.Row) *float64 {
			d := of(r)
			if d == 0 {
				return nil // nothing was measured
			}
			v := milliseconds(d)
			return &v
		}
	}
	level := func(of func(loadtest.Row) float64) func(loadtest.Row) *float64 {
		return func(r loadtest.Row) *float64 { v := of(r); return &v }
	}
	type series struct {
		name string
		of   func(loadtest.Row) *float64
	}
	build := func(title, unit string, log bool, all ...series) chart {
		c := chart{Title: title, Unit: unit, Log: log}
		for _, s := range all {
			l := line{Name: s.name}
			for _, r := range rows {
				l.Values = append(l.Values, s.of(r))
			}
			c.Lines = append(c.Lines, l)
		}
		return c
	}
	return []chart{
		build("Requests per second", "/s", false,
			series{"planned", rate(func(r loadtest.Row) uint64 { return r.Planned })},
			series{"sent", rate(func(r loadtest.Row) uint64 { return r.Sent })},
			series{"done", rate(func(r loadtest.Row) uint64 { return r.Done })}),
		build("Response, from when it was due", "ms", true,
			series{"p50", ms(func(r loadtest.Row) time.Duration { return r.P50 })},
			series{"p99", ms(func(r loadtest.Row) time.Duration { return r.P99 })},
			series{"max", ms(func(r loadtest.Row) time.Duration { return r.Max })},
			series{"service p99", ms(func(r loadtest.Row) time.Duration { return r.Service })}),
		build("Failed and dropped per second", "/s", false,
			series{"failed", rate(func(r loadtest.Row) uint64 { return r.Failed })},
			series{"dropped", rate(func(r loadtest.Row) uint64 { return r.Dropped })}),
		build("In flight", "", false, series{"in flight", level(func(r loadtest.Row) float64 { return float64(r.Inflight) })}),
		build("Lateness, p99: the generator's own, and waiting for a slot", "ms", true,
			series{"own", ms(func(r loadtest.Row) time.Duration { return r.SelfLag })},
			series{"slot", ms(func(r loadtest.Row) time.Duration { return r.SlotWait })}),
		build("Longest time without a completion", "ms", false,
			series{"gap", level(func(r loadtest.Row) float64 { return milliseconds(r.Gap) })}),
	}
}

func serverPlotOf(s loadtest.ServerSeries, leaks []loadtest.LeakReport) serverPlot {
	p := serverPlot{Name: s.Name, Unit: string(s.Unit)}
	for _, point := range s.Points {
		p.Time = append(p.Time, point.At.Seconds())
		p.Values = append(p.Values, point.Value)
	}
	i := slices.IndexFunc(leaks, func(l loadtest.LeakReport) bool { return l.Series == s.Name })
	if i < 0 || len(p.Values) == 0 {
		return p
	}
	leak := leaks[i]
	t := loadtest.Threshold{Unit: leak.Unit, PerHour: true}
	p.Note = fmt.Sprintf("%s: %s, at least %s, tolerance %s", leak.Verdict, t.Format(leak.Slope), t.Format(leak.Lower), t.Format(leak.Tolerance))
	// Theil-Sen: the line of that slope through the medians.
	mt, mv := median(p.Time), median(p.Values)
	for _, x := range p.Time {
		v := mv + leak.Slope/3600*(x-mt)
		p.Trend = append(p.Trend, &v)
	}
	return p
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// duration writes d with three digits that mean something.
func duration(d time.Duration) string {
	if d == 0 {
		return "0"
	}
	digits := math.Floor(math.Log10(math.Abs(float64(d)))) - 2
	unit := time.Duration(math.Pow10(int(max(0, digits))))
	return strings.Replace(d.Round(unit).String(), "µ", "µ", 1)
}

// at writes a moment of the run.
func at(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

func number(n any) string {
	text := fmt.Sprint(n)
	if strings.ContainsAny(text, ".-e") {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		if i > 0 && (len(text)-i)%3 == 0 {
			b.WriteRune('\u202f') // a narrow space
		}
		b.WriteRune(r)
	}
	return b.String()
}

func percent(v float64) string { return fmt.Sprintf("%.3g %%", v*100) }

func size(n any) string {
	var v float64
	switch n := n.(type) {
	case int64:
		v = float64(n)
	case uint64:
		v = float64(n)
	}
	t := loadtest.Threshold{Unit: loadtest.Bytes}
	return t.Format(v)
}

// Style is the style sheet of pages, for one that lists reports.
func Style() template.CSS { return template.CSS(pageCSS) }

// Tone is the class that a verdict has in [Style]: good, bad or unsure.
func Tone(v loadtest.Verdict) string {
	switch {
	case v == loadtest.Pass:
		return "good"
	case blames(v):
		return "bad"
	}
	return "unsure"
}
