package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/seadog/seadog/loadtest"
)

// Text writes what a person wants to see when a run has ended, for a terminal
// of any width: verdict, reasons, thresholds, traffic and what else was found.
func Text(w io.Writer, r *loadtest.Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n", r.Verdict, Deciding(r))
	for _, reason := range r.Reasons[min(1, len(r.Reasons)):] {
		fmt.Fprintf(&b, "  %s  %s\n", reason.Verdict, reason.Text)
	}
	b.WriteString("\n")
	for _, t := range r.Thresholds {
		mark, shown := "✓", "–"
		if t.Verdict != loadtest.Pass {
			mark = "✗"
		}
		if t.Known {
			shown = t.Shown
		}
		fmt.Fprintf(&b, "  %s %-60s %s\n", mark, t.Text, shown)
	}
	b.WriteString("\n")
	for _, t := range r.Traffic {
		fmt.Fprintf(&b, "  %s: %d planned, %d sent, %d ok%s\n", t.Name, t.Planned, t.Sent, t.Outcomes[loadtest.OK.String()], others(t))
		fmt.Fprintf(&b, "    response %s\n    service  %s\n", curveText(t.Response), curveText(t.Service))
	}
	for _, h := range r.Hangs {
		fmt.Fprintf(&b, "  hang %s at %s: %s\n", h.Rule, at(h.At), h.Text)
	}
	for _, l := range r.Leaks {
		fmt.Fprintf(&b, "  leak %s: %s, %s%s\n", l.Series, l.Verdict, l.Why, idleText(l))
	}
	if l := r.Ledger; l != nil {
		fmt.Fprintf(&b, "  ledger: %d accepted, %d lost, %d duplicate, %d refused but processed, %d without an end\n", l.Accepted, l.Lost, l.Duplicate, l.Refused, l.Unended)
	}
	for _, e := range r.Errors {
		fmt.Fprintf(&b, "  error %s × %d\n", e.Class, e.Count)
	}
	if c := r.Capacity; c != nil {
		fmt.Fprintf(&b, "  capacity of %s: %.4g/s held, %.4g/s did not\n", c.Traffic, c.Held, c.Failed)
	}
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "  note: %s\n", note)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// others lists what did not go as expected.
func others(t loadtest.TrafficReport) string {
	var b strings.Builder
	for o := range loadtest.Outcomes {
		name := loadtest.Outcome(o).String()
		if n := t.Outcomes[name]; n > 0 && loadtest.Outcome(o) != loadtest.OK {
			fmt.Fprintf(&b, ", %d %s", n, name)
		}
	}
	return b.String()
}

func curveText(p loadtest.Percentiles) string {
	if p.N == 0 {
		return "nothing"
	}
	var b strings.Builder
	for _, q := range []float64{0.5, 0.9, 0.95, 0.99, 0.999, 0.9999} {
		if v, ok := p.At(q); ok {
			fmt.Fprintf(&b, "p%g %s, ", q*100, duration(v))
		}
	}
	return b.String() + "max " + duration(p.Max)
}

// idleText says how the idle service differs after the load.
func idleText(l loadtest.LeakReport) string {
	if l.Idle == nil {
		return ""
	}
	t := loadtest.Threshold{Unit: l.Unit}
	return fmt.Sprintf("; idle, it is %s larger than before, for a million requests", t.Format(*l.Idle))
}
