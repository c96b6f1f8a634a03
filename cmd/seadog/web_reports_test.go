package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/web"
	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/report"
)

func TestTheWebUIShowsLoadReports(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 31, 14, 5, 0, 0, time.UTC)
	dir := loadReports(t, began)
	w := webReports{dir}
	list, err := w.List(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	want := []web.Report{
		{ID: "soak~storm", Name: "storm", Time: began.Add(time.Hour), Seconds: 90, Verdict: "FAIL: SLO", ExitCode: 10, Reasons: []string{"too slow", "and more"}},
		{ID: "first", Name: "storm", Time: began, Seconds: 90, Verdict: "PASS"},
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	whole, err := w.Load(t.Context(), "first")
	wantRow := web.Threshold{Text: "response{kind=push}.p(99) < 200ms", Value: "100ms", Limit: "< 200ms", OK: true}
	if err != nil || !slices.Equal(whole.Rows, []web.Threshold{wantRow}) || !whole.HasHTML || len(whole.Reasons) != 1 {
		t.Errorf("%+v, error %v", whole, err)
	}
	html, err := w.HTML(t.Context(), "soak~storm")
	if err != nil {
		t.Fatal(err)
	}
	defer html.Close()
	if text, err := io.ReadAll(html); err != nil || len(text) < 1000 {
		t.Errorf("%d bytes of HTML, error %v", len(text), err)
	}
	for _, id := range []string{"none", "..", "..~..~etc", ".hidden~x", "first/../../x", "", "a~b~c~d", "first~"} {
		if _, err := w.Load(t.Context(), id); deployer.CodeOf(err) != deployer.CodeNotFound {
			t.Errorf("%q: %v", id, err)
		}
		if _, err := w.HTML(t.Context(), id); deployer.CodeOf(err) != deployer.CodeNotFound {
			t.Errorf("%q: %v", id, err)
		}
	}
	if _, err := w.Load(t.Context(), "broken"); deployer.CodeOf(err) != deployer.CodeConflict {
		t.Errorf("a broken one: %v", err)
	}
	if list, err := (webReports{filepath.Join(dir, "none")}).List(t.Context(), 10); err != nil || len(list) > 0 {
		t.Errorf("no directory: %v, error %v", list, err)
	}
}

// loadReports is a directory with two load reports, and what looks like some.
func loadReports(t *testing.T, began time.Time) string {
	t.Helper()
	dir := t.TempDir()
	write := func(path string, verdict loadtest.Verdict, after time.Duration, reasons ...loadtest.Reason) {
		t.Helper()
		err := report.Write(filepath.Join(dir, path), &loadtest.Report{
			Schema: loadtest.SchemaVersion, Verdict: verdict, Code: verdict.Code(), Reasons: reasons,
			Identity:   loadtest.Identity{Scenario: "storm", Started: began.Add(after), Elapsed: 90 * time.Second},
			Thresholds: []loadtest.ThresholdResult{{Text: "response{kind=push}.p(99) < 200ms", Verdict: verdict, Known: true, Value: 0.1, Limit: 0.2, Shown: "100ms"}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	write("first", loadtest.Pass, 0)
	write("soak/storm", loadtest.SLO, time.Hour, loadtest.Reason{Verdict: loadtest.SLO, Text: "too slow"}, loadtest.Reason{Text: "and more"})
	write(".hidden/x", loadtest.Pass, 0)
	write("a/b/c/d", loadtest.Pass, 0)
	for name, text := range map[string]string{"broken/report.json": "{", "other/report.json": `{"schema_version": 99}`, "notes.txt": "x"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
