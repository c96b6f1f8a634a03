package run

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/attack"
	"github.com/seadog/seadog/loadtest/report"
)

// Run runs a scenario, as often as it says, and returns what became of it. An
// error says that there was no run: what the scenario asks for cannot be had.
// Everything else, a ctx that has ended too, is in the report.
func Run(ctx context.Context, s *loadtest.Scenario, o Options) (*loadtest.Report, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.ID = cmp.Or(o.ID, NewID())
	defer attack.Unhurried()()
	refused, err := lookAtMachine(ctx, s, &o)
	if err != nil || refused != nil {
		return refused, err
	}
	var r *loadtest.Report
	switch traffic := searched(s); {
	case traffic >= 0:
		r, err = search(ctx, s, o, traffic)
	case s.Repeat > 1:
		r, err = repeat(ctx, s, o)
	default:
		r, err = once(ctx, s, o)
	}
	if err != nil {
		return nil, err
	}
	return compare(r, o)
}

// lookAtMachine returns a report if this machine cannot send what is asked, and
// nil if it can.
func lookAtMachine(ctx context.Context, s *loadtest.Scenario, o *Options) (*loadtest.Report, error) {
	err := attack.Preflight(s)
	if err == nil && o.Calibration == nil && !o.Uncalibrated {
		c, failed := attack.Calibrate(ctx, s, o.Log)
		if failed != nil && ctx.Err() == nil {
			return nil, failed
		}
		o.Calibration = &c
	}
	if err == nil && o.Calibration != nil && ctx.Err() == nil {
		err = attack.Refuse(*o.Calibration)
	}
	var refusal *attack.Refusal
	if !errors.As(err, &refusal) {
		return nil, err
	}
	r := newReport(s, *o)
	r.Generator = loadtest.GeneratorReport{
		Calibration: o.Calibration,
		Rules:       []loadtest.Rule{{ID: refusal.Rule, Name: "this machine can send it", Value: refusal.Text}},
	}
	r.Reasons = []loadtest.Reason{{Verdict: loadtest.Invalid, Text: refusal.Rule + ": " + refusal.Text}}
	conclude(r, *o)
	return r, nil
}

// compare holds the report against a baseline.
func compare(r *loadtest.Report, o Options) (*loadtest.Report, error) {
	if o.Baseline == nil {
		return r, nil
	}
	b, err := report.Compare(r, o.Baseline)
	if err != nil {
		return nil, err
	}
	r.Baseline = b
	r.Reasons = append(r.Reasons, report.Regressions(b)...)
	conclude(r, o)
	return r, nil
}

// NewID returns a random name for a run.
func NewID() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
