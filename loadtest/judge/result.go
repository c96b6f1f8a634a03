package judge

import (
	"fmt"
	"time"

	"github.com/seadog/seadog/loadtest"
)

// result says what became of a threshold.
func (j *Judge) result(r *rule, f Facts) loadtest.ThresholdResult {
	switch r.kind {
	case byFault:
		return j.recovered(r)
	case bySlope:
		return j.slope(r, f)
	case byFacts:
		value, why := told(r.t, f)
		out := r.of(value)
		if why != "" && (out.Verdict == loadtest.Pass || !out.Known) {
			out.Verdict, out.Why = loadtest.Inconclusive, why
		}
		return out
	case byRequest, byFlight, byService:
	}
	var out loadtest.ThresholdResult
	if r.windows != nil {
		out = r.ofWindows()
	} else {
		out = r.of(r.whole.read(r.t, r.scope.length(j.now).Seconds()))
	}
	if r.service == nil || out.Verdict != loadtest.Pass {
		return out
	}
	if hole := r.service.missing(&r.scope, j.now); hole.length() > 0 {
		out.Verdict, out.Why = loadtest.Inconclusive, r.gone(hole)
	}
	return out
}

// of judges one value.
func (r *rule) of(x reading) loadtest.ThresholdResult {
	out := loadtest.ThresholdResult{
		Text: r.t.Text, Limit: r.t.Limit, Value: x.value, Known: x.known, N: x.n, Needs: r.t.Needs(),
	}
	if x.known {
		out.Shown, out.Margin = r.shown(x), margin(r.t, x.value)
	}
	switch {
	case !x.known:
		out.Verdict, out.Why = loadtest.Inconclusive, r.nothing()
	case x.n < out.Needs && r.kind != byFacts:
		out.Verdict, out.Why = loadtest.Inconclusive, fmt.Sprintf("there were %d samples, and it needs %d", x.n, out.Needs)
	case x.holds(r.t):
		out.Verdict, out.Why = loadtest.Pass, r.must(x)
	default:
		out.Verdict, out.Why = r.fails(), r.must(x)
	}
	return out
}

// ofWindows judges by the worst window.
func (r *rule) ofWindows() loadtest.ThresholdResult {
	w := r.windows
	out := loadtest.ThresholdResult{
		Text: r.t.Text, Limit: r.t.Limit, Value: w.worst.value, Known: w.judged > 0, N: w.worst.n, Needs: r.t.Needs(),
		Windows: int(w.judged), Failing: int(w.failing), Worst: w.worstAt,
	}
	if out.Known {
		out.Shown, out.Margin = r.shown(w.worst), margin(r.t, w.worst.value)
	}
	switch {
	case w.failing > 0:
		out.Verdict = r.fails()
		out.Why = fmt.Sprintf("%d of %d windows of %s failed; the worst began at %s: %s", w.failing, w.judged, r.t.Over, round(w.worstAt), r.must(w.worst))
	case w.judged == 0 && w.thin > 0:
		out.Verdict = loadtest.Inconclusive
		out.Why = fmt.Sprintf("none of %d windows of %s had the %d samples that it needs", w.thin, r.t.Over, out.Needs)
	case w.judged == 0:
		out.Verdict, out.Why = loadtest.Inconclusive, r.nothing()
	case w.late > 0:
		out.Verdict = loadtest.Inconclusive
		out.Why = fmt.Sprintf("%d samples came after their windows had been closed", w.late)
	default:
		out.Verdict = loadtest.Pass
		out.Why = fmt.Sprintf("%d windows of %s held; the worst began at %s: %s", w.judged, r.t.Over, round(w.worstAt), r.must(w.worst))
		if w.thin > 0 {
			out.Why += fmt.Sprintf("; %d more had too few samples and were passed over", w.thin)
		}
	}
	return out
}

// slope judges a series by the leak test.
func (j *Judge) slope(r *rule, f Facts) loadtest.ThresholdResult {
	out := loadtest.ThresholdResult{
		Text: r.t.Text, Limit: r.t.Limit, N: uint64(len(r.points.list)), Needs: 1, Verdict: loadtest.Inconclusive,
	}
	if out.N == 0 {
		out.Why = r.nothing()
		return out
	}
	if !j.ended {
		out.Why = "a leak can only be told at the end"
		return out
	}
	l := r.points.test(r.t, f.Leak)
	out.Verdict, out.Why = l.Verdict, l.Why
	if l.Detectable > 0 { // there was enough to take a slope of
		out.Value, out.Known, out.Shown, out.Margin = l.Slope, true, r.t.Format(l.Slope), margin(r.t, l.Lower)
	}
	if hole := r.service.missing(&r.scope, j.now); out.Verdict == loadtest.Pass && hole.length() > 0 {
		out.Verdict, out.Why = loadtest.Inconclusive, r.gone(hole)
	}
	return out
}

// recovered judges how long the service took to come back after a fault, each
// time that it came.
func (j *Judge) recovered(r *rule) loadtest.ThresholdResult {
	out := loadtest.ThresholdResult{Text: r.t.Text, Limit: r.t.Limit, Needs: 1}
	var worst, open *Recovery
	for i := range j.recoveries {
		x := &j.recoveries[i]
		if x.Fault != r.t.Fault {
			continue
		}
		took := reading{value: x.Took.Seconds(), known: true}
		if !x.Known && took.holds(r.t) {
			open = x
			continue
		}
		out.N++
		if worst == nil || x.Took > worst.Took {
			worst = x
		}
	}
	if worst != nil {
		out.Value, out.Known, out.Worst = worst.Took.Seconds(), true, worst.Ended
		out.Shown, out.Margin = r.t.Format(out.Value), margin(r.t, out.Value)
	}
	must := fmt.Sprintf("it must be %s %s", r.t.Compare, r.t.Format(r.t.Limit))
	switch {
	case worst != nil && !r.t.Compare.Holds(out.Value, r.t.Limit):
		out.Verdict = loadtest.SLO
		how := "it took %s until the thresholds held again"
		if !worst.Known {
			how = "the thresholds did not hold again within %s"
		}
		out.Why = fmt.Sprintf("after the fault that ended at %s "+how+"; %s", round(worst.Ended), out.Shown, must)
	case open != nil:
		out.Verdict = loadtest.Inconclusive
		out.Why = fmt.Sprintf("after the fault that ended at %s the load was too little, or over too soon, to show five good seconds in a row", round(open.Ended))
	case worst == nil:
		out.Verdict, out.Why = loadtest.Inconclusive, fmt.Sprintf("no end of %s was seen", r.t.Fault)
	default:
		out.Verdict, out.Why = loadtest.Pass, fmt.Sprintf("the thresholds held again after %s; %s", out.Shown, must)
	}
	return out
}

// fails is the verdict of a threshold that does not hold.
func (r *rule) fails() loadtest.Verdict {
	switch r.t.Metric {
	case loadtest.MetricLost, loadtest.MetricDuplicate, loadtest.MetricRefused:
		return loadtest.Correctness
	case loadtest.MetricHangs:
		return loadtest.Hung
	}
	return loadtest.SLO
}

func round(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }
