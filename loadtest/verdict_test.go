package loadtest_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/loadtest"
)

// precedence is the order of the verdicts, by their codes: what a gate script
// and a reader rely on.
var precedence = []struct {
	verdict loadtest.Verdict
	code    int
}{
	{loadtest.Internal, 70},
	{loadtest.Usage, 64},
	{loadtest.Interrupted, 130},
	{loadtest.Terminated, 143},
	{loadtest.Correctness, 11},
	{loadtest.Hung, 12},
	{loadtest.Invalid, 20},
	{loadtest.Aborted, 30},
	{loadtest.SLO, 10},
	{loadtest.Leaking, 13},
	{loadtest.Regression, 14},
	{loadtest.Inconclusive, 21},
	{loadtest.Pass, 0},
}

func TestEveryVerdictHasACodeOfItsOwn(t *testing.T) {
	t.Parallel()
	seen := map[int]bool{2: true} // that of a Go program that panics
	for _, v := range precedence {
		if got := v.verdict.Code(); got != v.code {
			t.Errorf("%s: code %d, want %d", v.verdict, got, v.code)
		}
		if seen[v.code] {
			t.Errorf("code %d is taken", v.code)
		}
		seen[v.code] = true
	}
	if got := loadtest.Verdict("MAYBE").Code(); got != 70 {
		t.Errorf("a verdict that nobody knows has code %d", got)
	}
}

func TestGravestReasonDecides(t *testing.T) {
	t.Parallel()
	if got := loadtest.Decide(nil); got != loadtest.Pass {
		t.Errorf("without reasons: %s", got)
	}
	for i, graver := range precedence {
		for _, other := range precedence[i:] {
			for _, reasons := range [][]loadtest.Reason{
				{{Verdict: graver.verdict}, {Verdict: other.verdict}},
				{{Verdict: other.verdict}, {Verdict: graver.verdict}},
			} {
				if got := loadtest.Decide(reasons); got != graver.verdict {
					t.Errorf("%s and %s: %s", graver.verdict, other.verdict, got)
				}
			}
		}
	}
}

func TestReasonsAreSortedAndKeepTheirOrderOtherwise(t *testing.T) {
	t.Parallel()
	var want []loadtest.Reason
	for _, v := range precedence {
		for _, text := range []string{"first", "second", "third"} {
			want = append(want, loadtest.Reason{Verdict: v.verdict, Text: text})
		}
	}
	for seed := range uint64(20) {
		got := slices.Clone(want)
		r := rand.New(rand.NewPCG(seed, 1))
		r.Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
		place := map[string]int{} // within the reasons of one verdict, as they came
		for i := range got {
			place[string(got[i].Verdict)]++
			got[i].Text = []string{"first", "second", "third"}[place[string(got[i].Verdict)]-1]
		}
		loadtest.Decide(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d: want -, got +:\n%s", seed, diff)
		}
	}
}
