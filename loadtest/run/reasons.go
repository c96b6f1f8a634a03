package run

import (
	"context"
	"fmt"
	"strings"

	"github.com/seadog/seadog/loadtest"
)

// reasons collects everything that speaks against the run.
func (t *trial) reasons(r *loadtest.Report) []loadtest.Reason {
	all := append(append([]loadtest.Reason{}, t.stopped...), t.aborts...)
	if t.faults != nil {
		all = append(all, t.faults.Reasons()...)
	}
	all = append(all, generatorReasons(r.Generator)...)
	all = append(all, t.hangReasons(r.Hangs)...)
	all = append(all, ledgerReasons(r.Ledger)...)
	for _, th := range r.Thresholds {
		if th.Verdict == loadtest.Pass {
			continue
		}
		text := th.Why
		if text == "" {
			text = "it was " + th.Shown
		}
		all = append(all, loadtest.Reason{Verdict: th.Verdict, Text: th.Text + ": " + text, Threshold: th.Text, At: th.Worst})
	}
	return all
}

func generatorReasons(g loadtest.GeneratorReport) (reasons []loadtest.Reason) {
	for _, rule := range g.Rules {
		if !rule.OK {
			reasons = append(reasons, loadtest.Reason{
				Verdict: loadtest.Invalid, Text: fmt.Sprintf("%s: %s was %s, the limit is %s: this machine was at fault", rule.ID, rule.Name, rule.Value, rule.Limit),
			})
		}
	}
	return reasons
}

// hangReasons returns the hangs, unless they are what the scenario is about.
func (t *trial) hangReasons(hangs []loadtest.HangReport) (reasons []loadtest.Reason) {
	if t.scenario.Hang.Tolerate {
		return nil
	}
	for _, h := range hangs {
		text := h.Rule + ": " + h.Text
		if h.Deadlock != "" {
			text += "; " + h.Deadlock
		}
		reasons = append(reasons, loadtest.Reason{Verdict: loadtest.Hung, Text: text, At: h.At, Evidence: h.Evidence})
	}
	return reasons
}

func ledgerReasons(l *loadtest.LedgerReport) (reasons []loadtest.Reason) {
	if l == nil {
		return nil
	}
	for _, wrong := range []struct {
		n    uint64
		what string
	}{
		{l.Lost, "accepted and not to be found at the service"},
		{l.Duplicate, "accepted once and processed more than once"},
		{l.Refused, "refused and processed all the same"},
		{l.Unended, "accepted and still without an end when the books were closed"},
	} {
		if wrong.n > 0 {
			text := fmt.Sprintf("%d requests were %s", wrong.n, wrong.what)
			if len(l.Examples) > 0 {
				text += " (such as " + strings.Join(l.Examples[:min(3, len(l.Examples))], ", ") + ")"
			}
			reasons = append(reasons, loadtest.Reason{Verdict: loadtest.Correctness, Text: text})
		}
	}
	if l.Error != "" {
		reasons = append(reasons, loadtest.Reason{Verdict: loadtest.Inconclusive, Text: "the ledger could not be balanced: " + l.Error})
	}
	return reasons
}

// protocol names what speaks at the target if nobody answered in HTTP.
func (t *trial) protocol(ctx context.Context) string {
	if t.answered || t.options.Protocol == nil {
		return ""
	}
	patience := protocolWithin
	if len(t.stopped) > 0 {
		patience = protocolAfterStop
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return t.options.Protocol(ctx, t.scenario.Target.BaseURL)
}

// conclude makes the verdict of a report from its reasons.
func conclude(r *loadtest.Report, o Options) {
	r.Verdict = loadtest.Decide(r.Reasons)
	r.Code = r.Verdict.Code()
	if r.Verdict == loadtest.Inconclusive && o.Inconclusive {
		r.Code = 0
		r.Notes = append(r.Notes, "INCONCLUSIVE was allowed: the exit code is 0 all the same")
	}
}
