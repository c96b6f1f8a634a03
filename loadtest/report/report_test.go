package report_test

import (
	"bytes"
	"encoding/xml"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/report"
)

// sample is a run in which everything happened.
func sample() *loadtest.Report {
	r := &loadtest.Report{
		Schema: loadtest.SchemaVersion, Verdict: loadtest.Hung, Code: loadtest.Hung.Code(),
		Reasons: []loadtest.Reason{
			{Verdict: loadtest.Hung, Text: "nothing completed for 2.1 s although 10 requests were out", At: 31 * time.Second, Evidence: []string{"hang-1-goroutines.txt"}},
			{Verdict: loadtest.SLO, Text: "p99(response) was 1.9 s", Threshold: "p99(response) < 50ms in steady"},
		},
		Identity: loadtest.Identity{
			Run: "r-1", Scenario: "gate", Description: "what <b>is</b> sent", Digest: "abc", Seed: 42, Target: "http://127.0.0.1:8080",
			Started: time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC), Elapsed: time.Minute, Version: "v1", Go: "go1.26", Kernel: "Linux 6.18", CPU: "EPYC", CPUs: 2, Procs: 2, Descriptors: 65536,
		},
		Phases: []loadtest.PhaseReport{{Name: "warmup", For: 10 * time.Second}, {Name: "steady", Begins: 10 * time.Second, For: 50 * time.Second, Judged: true, Scale: 1}},
		Thresholds: []loadtest.ThresholdResult{
			{Text: "p99(response) < 50ms in steady", Verdict: loadtest.SLO, Known: true, Value: 1.9, Shown: "1.9s", Limit: 0.05, Margin: -37, N: 50000, Needs: 1000, Why: "the limit is 50ms"},
			{Text: "count(lost) == 0", Verdict: loadtest.Pass, Known: true, Shown: "0"},
			{Text: "p99.9(response) < 1s", Verdict: loadtest.Inconclusive, Why: "100 samples, 10,000 are needed"},
		},
		Traffic: []loadtest.TrafficReport{{
			Name: "webhooks", Planned: 60000, Sent: 59990, Done: 59990,
			Outcomes: map[string]uint64{"ok": 59900, "timeout": 90, "dropped": 10}, Statuses: map[string]uint64{"202": 59900},
			Response: percentiles(time.Millisecond), Service: percentiles(800 * time.Microsecond),
		}},
		Generator: loadtest.GeneratorReport{OK: true, Rules: []loadtest.Rule{{ID: "G1", Name: "own lag", OK: true, Value: "0.2 ms", Limit: "5 ms"}}, Calibration: &loadtest.Calibration{Rate: 1250, Achieved: 1250, OK: true}},
		Faults:    []loadtest.FaultReport{{Name: "freeze", What: "a worker is stopped", Begin: 30 * time.Second, End: 32 * time.Second}},
		Hangs:     []loadtest.HangReport{{Rule: "H2", Text: "no completion", At: 31 * time.Second, For: 2 * time.Second, Deadlock: "goroutines 7 and 9 wait for each other", Evidence: []string{"hang-1-goroutines.txt"}}},
		Leaks:     []loadtest.LeakReport{{Series: "rss", Unit: loadtest.Bytes, Verdict: loadtest.Pass, Slope: 1 << 20, Tolerance: 4 << 20, Detectable: 32 << 20, Why: "no trend"}},
		Ledger:    &loadtest.LedgerReport{Mode: "deliveries", Sent: 59990, Accepted: 59900, Found: 59900},
		Errors:    []loadtest.ErrorClass{{Class: "timeout", Count: 90}},
	}
	for i := range 60 {
		r.Series = append(r.Series, loadtest.Row{
			At: time.Duration(i) * time.Second, For: time.Second, Planned: 1000, Sent: 1000, Done: 1000 - uint64(i%3), Failed: uint64(i % 3), Inflight: 3 + i%5,
			P50: time.Millisecond, P99: time.Duration(5+i%7) * time.Millisecond, Max: time.Duration(20+i%11) * time.Millisecond, Service: 4 * time.Millisecond, SelfLag: 50 * time.Microsecond, Gap: 3 * time.Millisecond,
		})
	}
	rss := loadtest.ServerSeries{Name: "rss", Unit: loadtest.Bytes}
	for i := range 60 {
		rss.Points = append(rss.Points, loadtest.Point{At: time.Duration(i) * time.Second, Value: 80e6 + 1e5*math.Sin(float64(i))})
	}
	r.Server = []loadtest.ServerSeries{rss}
	return r
}

func percentiles(base time.Duration) loadtest.Percentiles {
	p := loadtest.Percentiles{N: 60000, Min: base / 2, Mean: base, Max: 40 * base}
	for i, q := range []float64{0, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999} {
		p.Points = append(p.Points, loadtest.Percentile{Q: q, Value: base * time.Duration(1+i*i/2)})
	}
	return p
}

func TestAReportIsReadBackAsItWas(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	want := sample()
	if err := report.Write(dir, want); err != nil {
		t.Fatal(err)
	}
	got, err := report.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 3 {
		t.Errorf("%d files: %v, %v", len(files), files, err)
	}
}

func TestWhatIsNoReportIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for text, want := range map[string]string{
		`{"schema_version": 99}`: "schema version 99",
		`no JSON`:                "it is no report",
		`{}`:                     "schema version 0",
	} {
		path := filepath.Join(dir, report.JSONFile)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := report.Read(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	if _, err := report.Read(filepath.Join(dir, "nothing")); err == nil {
		t.Error("no error for a file that is not there")
	}
}

func TestThePageNeedsNothingElse(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := report.HTML(&b, sample()); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{"FAIL: hang", "nothing completed for 2.1 s", "p99(response) &lt; 50ms in steady", "hang-1-goroutines.txt", "what &lt;b&gt;is&lt;/b&gt; sent", "could be believed", "uPlot"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, foreign := range []string{"src=\"http", "href=\"http", "@import", "url(http"} {
		if strings.Contains(page, foreign) {
			t.Errorf("the page refers to others: %s", foreign)
		}
	}
	if len(page) > 2<<20 {
		t.Errorf("the page has %d bytes", len(page))
	}
}

func TestHostileNamesStayText(t *testing.T) {
	t.Parallel()
	r := sample()
	r.Faults[0].Name = `</script><script>alert(1)</script>`
	r.Traffic[0].Name = `"><img src=x onerror=alert(1)>`
	var b bytes.Buffer
	if err := report.HTML(&b, r); err != nil {
		t.Fatal(err)
	}
	for _, live := range []string{"<script>alert", "<img src=x"} {
		if strings.Contains(b.String(), live) {
			t.Errorf("the page has %s", live)
		}
	}
}

func TestJUnitTellsFailuresFromErrors(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	good := sample()
	good.Verdict, good.Reasons, good.Thresholds = loadtest.Pass, nil, good.Thresholds[1:2]
	if err := report.JUnit(&b, sample(), good); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Suites   []struct {
			Cases []struct {
				Name    string  `xml:"name,attr"`
				Failure *string `xml:"failure"`
				Error   *string `xml:"error"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	// The run and the p99 failed; too few samples for p99.9 is an error.
	if got.Tests != 6 || got.Failures != 2 || got.Errors != 1 || len(got.Suites) != 2 {
		t.Errorf("%+v", got)
	}
	if c := got.Suites[0].Cases[0]; c.Name != "run" || c.Failure == nil {
		t.Errorf("%+v", c)
	}
}

func TestWhatDecidedIsTheReasonOrTheNearestThreshold(t *testing.T) {
	t.Parallel()
	r := sample()
	if got := report.Deciding(r); got != r.Reasons[0].Text {
		t.Error(got)
	}
	r.Reasons = nil
	r.Thresholds = []loadtest.ThresholdResult{
		{Text: "p99(response) < 50ms in steady", Known: true, Shown: "10ms", Limit: 0.05, Margin: 0.8},
		{Text: "max(gap{scenario=a}) < 1s in fault(f)", Known: true, Shown: "900ms", Limit: 1, Margin: 0.1},
		{Text: "count(lost) == 0", Known: true, Shown: "0"},
	}
	if got, want := report.Deciding(r), "max(gap{scenario=a}) is 900ms, < 1s in fault(f)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	r.Thresholds = r.Thresholds[2:]
	if got, want := report.Deciding(r), "every threshold held"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestARegressionIsLargeAndOutsideOfTheRange(t *testing.T) {
	t.Parallel()
	runs := func(values ...float64) *loadtest.Report {
		r := &loadtest.Report{Identity: loadtest.Identity{Scenario: "gate"}}
		for _, v := range values {
			r.Runs = append(r.Runs, loadtest.RunReport{Values: map[string]float64{"p99(response{scenario=a})": v, "rate(ok{scenario=a})": 1000 / v}})
		}
		return r
	}
	for name, test := range map[string]struct {
		then, now *loadtest.Report
		worse     int
	}{
		"the same":                    {runs(1, 2, 3), runs(1, 2, 3), 0},
		"larger, and ranges overlap":  {runs(1, 2, 3), runs(2.5, 4, 5), 0},
		"larger, and they do not":     {runs(1, 2, 3), runs(4, 5, 6), 2},
		"smaller":                     {runs(4, 5, 6), runs(1, 2, 3), 0},
		"within a tenth":              {runs(1.00, 1.01, 1.02), runs(1.05, 1.06, 1.07), 0},
		"one run each, a little more": {runs(1), runs(1.05), 0},
		"one run each, much more":     {runs(1), runs(1.2), 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := report.Compare(test.now, test.then)
			if err != nil {
				t.Fatal(err)
			}
			if got := report.Regressions(b); len(got) != test.worse {
				t.Errorf("%d regressions, want %d: %+v", len(got), test.worse, got)
			}
		})
	}
	other := runs(1)
	other.Identity.Scenario = "another"
	if _, err := report.Compare(runs(1), other); err == nil {
		t.Error("another scenario is no baseline")
	}
}

func TestTextSaysItAll(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := report.Text(&b, sample()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"FAIL: hang  nothing completed", "✗ p99(response) < 50ms in steady", "1.9s", "✓ count(lost) == 0", "90 timeout", "10 dropped",
		"response p50 1ms", "hang H2 at 31.0 s", "leak rss: PASS", "ledger: 59900 accepted, 0 lost", "error timeout × 90",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("lacks %q:\n%s", want, b.String())
		}
	}
}
