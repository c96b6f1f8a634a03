package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seadog/seadog/loadtest"
)

// worse is by how much a median may differ without being a regression.
const worse = 0.10

// Compare holds a report against an earlier one of the same scenario: what is
// larger by more than a tenth, in the median, and lies outside of the range of
// then, has become worse. Where both have several runs, ranges are those of the
// runs; a single run is its own range, so that only the tenth counts.
func Compare(now, then *loadtest.Report) (*loadtest.BaselineReport, error) {
	if now.Identity.Scenario != then.Identity.Scenario {
		return nil, fmt.Errorf("the baseline is of scenario %q, this is %q", then.Identity.Scenario, now.Identity.Scenario)
	}
	b := &loadtest.BaselineReport{Run: then.Identity.Run}
	before, after := ranges(then), ranges(now)
	for _, name := range names(after) {
		old, known := before[name]
		if !known {
			continue
		}
		c := loadtest.Change{Name: name, Unit: unitOf(name), Then: old, Now: after[name]}
		if old.Median != 0 {
			c.Ratio = c.Now.Median / old.Median
		}
		c.Regression = old.Median > 0 && c.Ratio > 1+worse && c.Now.Min > old.Max
		if fallen(name) {
			c.Regression = old.Median > 0 && c.Ratio < 1-worse && c.Now.Max < old.Min
		}
		b.Metrics = append(b.Metrics, c)
	}
	return b, nil
}

// Regressions returns a reason for everything that has become worse.
func Regressions(b *loadtest.BaselineReport) (reasons []loadtest.Reason) {
	for _, c := range b.Metrics {
		if c.Regression {
			reasons = append(reasons, loadtest.Reason{
				Verdict: loadtest.Regression,
				Text:    fmt.Sprintf("%s: %.4g then, %.4g now (%.2f ×), and the ranges do not overlap", c.Name, c.Then.Median, c.Now.Median, c.Ratio),
			})
		}
	}
	return reasons
}

// Values are the figures of a run that are compared: by traffic its response
// percentiles in seconds and the answers per second that were as expected.
func Values(r *loadtest.Report) map[string]float64 {
	values := map[string]float64{}
	for _, t := range r.Traffic {
		for _, q := range []float64{0.5, 0.95, 0.99, 0.999} {
			if v, ok := t.Response.At(q); ok {
				values[fmt.Sprintf("p%g(response{scenario=%s})", q*100, t.Name)] = v.Seconds()
			}
		}
		if s := r.Identity.Elapsed.Seconds(); s > 0 {
			values[fmt.Sprintf("rate(ok{scenario=%s})", t.Name)] = float64(t.Outcomes[loadtest.OK.String()]) / s
		}
	}
	return values
}

// fallen reports whether less is worse.
func fallen(name string) bool { return strings.HasPrefix(name, "rate(") }

func unitOf(name string) loadtest.Unit {
	if fallen(name) {
		return loadtest.PerSecond
	}
	return loadtest.Seconds
}

// ranges returns the median of each value over the runs of a report, and what it lies in.
func ranges(r *loadtest.Report) map[string]loadtest.Range {
	runs := []map[string]float64{Values(r)}
	if len(r.Runs) > 0 {
		runs = runs[:0]
		for _, run := range r.Runs {
			runs = append(runs, run.Values)
		}
	}
	all := map[string][]float64{}
	for _, run := range runs {
		for name, v := range run {
			all[name] = append(all[name], v)
		}
	}
	out := map[string]loadtest.Range{}
	for name, values := range all {
		slices.Sort(values)
		out[name] = loadtest.Range{Median: values[len(values)/2], Min: values[0], Max: values[len(values)-1]}
	}
	return out
}

func names(m map[string]loadtest.Range) []string {
	list := make([]string, 0, len(m))
	for name := range m {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}
