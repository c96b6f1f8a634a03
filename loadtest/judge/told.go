package judge

import "github.com/seadog/seadog/loadtest"

// told returns the value of what is known at the end only. Why says what is
// wrong with it.
func told(t *loadtest.Threshold, f Facts) (r reading, why string) {
	if t.Metric == loadtest.MetricHangs {
		if f.Hangs < 0 {
			return reading{}, "nobody has looked for hangs yet"
		}
		return reading{value: float64(f.Hangs), known: true}, ""
	}
	l := f.Ledger
	if l == nil {
		return reading{}, "there is no ledger yet that could tell"
	}
	count := map[loadtest.Metric]uint64{
		loadtest.MetricLost: l.Lost, loadtest.MetricDuplicate: l.Duplicate,
		loadtest.MetricUnknown: l.UnknownOK, loadtest.MetricRefused: l.Refused,
	}[t.Metric]
	r = reading{value: float64(count), n: l.Sent, known: l.Sent > 0}
	switch {
	case l.Error != "":
		return r, "the ledger is not complete: " + l.Error
	case l.Sent == 0:
		return r, "nothing was sent that the ledger could follow"
	}
	return r, ""
}
