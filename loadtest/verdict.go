package loadtest

import (
	"cmp"
	"slices"
	"time"
)

// Verdict is how a run ended. A gate treats everything but [Pass] as "do not release".
type Verdict string

const (
	Pass         Verdict = "PASS"
	SLO          Verdict = "FAIL: SLO"
	Correctness  Verdict = "FAIL: correctness" // lost, duplicate, refused but processed
	Hung         Verdict = "FAIL: hang"
	Leaking      Verdict = "FAIL: leak"
	Regression   Verdict = "FAIL: regression"
	Invalid      Verdict = "INVALID"      // the generator was at fault
	Inconclusive Verdict = "INCONCLUSIVE" // no data, or too few
	Aborted      Verdict = "ABORTED"      // by a threshold
	Usage        Verdict = "USAGE"
	Internal     Verdict = "INTERNAL"
	Interrupted  Verdict = "INTERRUPTED" // SIGINT
	Terminated   Verdict = "TERMINATED"  // SIGTERM
)

// verdicts in order of precedence. Correctness and hangs outrank INVALID, for a
// slow generator cannot cause them; an SLO failure does not. Codes begin at 10,
// because a Go program that panics exits with 2.
var verdicts = []struct {
	verdict Verdict
	code    int
}{
	{Internal, 70},
	{Usage, 64},
	{Interrupted, 130},
	{Terminated, 143},
	{Correctness, 11},
	{Hung, 12},
	{Invalid, 20},
	{Aborted, 30},
	{SLO, 10},
	{Leaking, 13},
	{Regression, 14},
	{Inconclusive, 21},
	{Pass, 0},
}

// Verdicts returns all there are.
func Verdicts() []Verdict {
	all := make([]Verdict, len(verdicts))
	for i, v := range verdicts {
		all[i] = v.verdict
	}
	return all
}

// Code is what the program exits with.
func (v Verdict) Code() int {
	for _, known := range verdicts {
		if known.verdict == v {
			return known.code
		}
	}
	return Internal.Code()
}

func (v Verdict) rank() int {
	return slices.IndexFunc(verdicts, func(k struct {
		verdict Verdict
		code    int
	},
	) bool {
		return k.verdict == v
	})
}

// Compare returns how v goes before w: negative if it does, as [Decide] sees it.
func (v Verdict) Compare(w Verdict) int { return cmp.Compare(v.rank(), w.rank()) }

// Reason is one thing that speaks against a run.
type Reason struct {
	Verdict   Verdict       `json:"verdict"`
	Text      string        `json:"text"`                // one sentence
	Threshold string        `json:"threshold,omitempty"` // as it is written
	At        time.Duration `json:"at_ns,omitempty"`     // when it was seen, since the start
	Evidence  []string      `json:"evidence,omitempty"`  // files in the report's directory
}

// Decide returns the verdict that goes before all others among reasons, [Pass]
// if there is none, and sorts reasons so that the deciding ones come first.
func Decide(reasons []Reason) Verdict {
	slices.SortStableFunc(reasons, func(a, b Reason) int { return cmp.Compare(a.Verdict.rank(), b.Verdict.rank()) })
	if len(reasons) == 0 {
		return Pass
	}
	return reasons[0].Verdict
}
