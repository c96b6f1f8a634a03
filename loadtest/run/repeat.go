package run

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/report"
)

// repeat runs a scenario several times. The median run decides: the one in the
// middle when they stand from the best to the worst. All are shown.
func repeat(ctx context.Context, s *loadtest.Scenario, o Options) (*loadtest.Report, error) {
	var runs []*loadtest.Report
	for i := range s.Repeat {
		each := o
		each.ID = fmt.Sprintf("%s-%d", o.ID, i+1)
		if o.Dir != "" {
			each.Dir = filepath.Join(o.Dir, fmt.Sprintf("run-%d", i+1))
		}
		r, err := once(ctx, s, each)
		if err != nil {
			return nil, err
		}
		runs = append(runs, r)
		if ctx.Err() != nil {
			break
		}
	}
	median := middle(runs)
	for _, r := range runs {
		median.Runs = append(median.Runs, loadtest.RunReport{Run: r.Identity.Run, Verdict: r.Verdict, Values: report.Values(r)})
	}
	if ctx.Err() != nil { // whichever is in the middle
		median.Reasons = append(median.Reasons, loadtest.Reason{Verdict: stopVerdict(ctx), Text: fmt.Sprintf("the run was stopped in repetition %d of %d", len(runs), s.Repeat)})
		conclude(median, o)
	}
	return median, nil
}

// middle returns the median of runs: by verdict, then by how close thresholds
// came to their limits.
func middle(runs []*loadtest.Report) *loadtest.Report {
	sorted := slices.SortedStableFunc(slices.Values(runs), func(a, b *loadtest.Report) int {
		return cmp.Or(-a.Verdict.Compare(b.Verdict), -cmp.Compare(margin(a), margin(b)))
	})
	return sorted[len(sorted)/2]
}

// margin is that of the threshold that came closest to its limit.
func margin(r *loadtest.Report) float64 {
	least := 1.0
	for _, t := range r.Thresholds {
		if t.Known && t.Limit != 0 {
			least = min(least, t.Margin)
		}
	}
	return least
}
