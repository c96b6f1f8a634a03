package budget_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/seadog/seadog/deployer/budget"
)

func TestExcessNamesTheRepeatedStatement(t *testing.T) {
	ctx, l := budget.Start(t.Context(), "GET /x", 4)
	budget.Count(ctx, "select 1")
	for i := range 3 {
		budget.Count(ctx, fmt.Sprintf("select a from t where id = %d", i))
	}
	if e, over := l.Over(); over {
		t.Fatalf("over at the limit: %+v", e)
	}
	budget.Count(ctx, "select b from t where id in ($1, $2)")
	got, over := l.Over()
	want := budget.Excess{Name: "GET /x", Queries: 5, Limit: 4, Statement: "select a from t where id = ?", Repeats: 3}
	if !over || got != want {
		t.Errorf("got %+v, %v, want %+v", got, over, want)
	}
}

func TestSharedWorkIsChargedToNobody(t *testing.T) {
	ctx, l := budget.Start(t.Context(), "x", 1)
	budget.Count(budget.Shared(ctx), "select 1")
	budget.Count(t.Context(), "select 1")
	if n := l.Queries(); n != 0 {
		t.Errorf("%d queries, want 0", n)
	}
	if bare := budget.Shared(t.Context()); bare != t.Context() {
		t.Error("a context without a ledger was wrapped")
	}
}

func TestNoLimitIsNeverExceeded(t *testing.T) {
	ctx, l := budget.Start(t.Context(), "x", 0)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 1000 {
				budget.Count(ctx, fmt.Sprintf("select %d.%d", i, n))
			}
		})
	}
	wg.Wait()
	if _, over := l.Over(); over || l.Queries() != 8000 {
		t.Errorf("over %v after %d queries", over, l.Queries())
	}
}

func TestNormalize(t *testing.T) {
	for in, want := range map[string]string{
		"select a\n\t from  t ":                                    "select a from t",
		"SELECT a FROM t WHERE b = 'x''y' AND c IN ($1, $2, 3)":    "SELECT a FROM t WHERE b = ? AND c IN (?)",
		"insert into t values (?,?,?), (1, 'a;b', -2.5)":           "insert into t values (?), (?, -?)",
		"select 1 -- a comment\nfrom t /* 'another */ where x=1e5": "select ? from t where x=?",
		"select t1.col_2 from schema3.t1":                          "select t1.col_2 from schema3.t1",
		"select 'not closed":                                       "select ?",
		"":                                                         "",
	} {
		if got := budget.Normalize(in); got != want {
			t.Errorf("Normalize(%q)\n got %q\nwant %q", in, got, want)
		}
	}
}

func FuzzNormalize(f *testing.F) {
	for _, s := range []string{"select 1", "a 'b' -- c\n /* d */ $1, ?2", "'", "/*", "--", "in (1,2,\xff)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := budget.Normalize(s)
		if len(got) > 500+len(s) || strings.Contains(got, "\n") && !strings.Contains(s, "\n") {
			t.Errorf("Normalize(%q) = %q", s, got)
		}
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Errorf("Normalize(%q) = %q is no text", s, got)
		}
	})
}
