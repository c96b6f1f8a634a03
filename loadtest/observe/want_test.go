package observe_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/observe"
)

const metrics = `# TYPE hits_total counter
hits_total{route="/b",code="200"} 7
hits_total{code="500",route="/a"} 1
# TYPE depth gauge
depth 3
# TYPE other gauge
other{quote="a\"b"} 4
# TYPE wait_seconds histogram
wait_seconds_bucket{route="/a",le="0.1"} 5
wait_seconds_bucket{route="/a",le="1"} 6
wait_seconds_bucket{route="/a",le="+Inf"} 8
wait_seconds_sum{route="/a"} 4.5
wait_seconds_count{route="/a"} 8
# TYPE size_bytes summary
size_bytes{quantile="0.5"} 10
size_bytes{quantile="0.9"} NaN
size_bytes_sum 100
size_bytes_count 9
bare 2
`

func want(t *testing.T, texts ...string) []observe.Want {
	t.Helper()
	wants := make([]observe.Want, len(texts))
	for i, text := range texts {
		var err error
		if wants[i], err = observe.ParseWant(text); err != nil {
			t.Fatal(err)
		}
	}
	return wants
}

func TestWantedSeriesAreNamedWithSortedLabels(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		want string
		get  points
	}{
		"a counter":               {"hits_total", points{`hits_total{code="200",route="/b"}`: 7, `hits_total{code="500",route="/a"}`: 1}},
		"one of its series":       {`hits_total{route="/a"}`, points{`hits_total{code="500",route="/a"}`: 1}},
		"labels without quotes":   {`hits_total{ code=200 , route=/b }`, points{`hits_total{code="200",route="/b"}`: 7}},
		"a gauge":                 {"depth", points{"depth": 3}},
		"a value that is escaped": {`other{quote="a\"b"}`, points{`other{quote="a\"b"}`: 4}},
		"without a type":          {"bare", points{"bare": 2}},
		"a histogram": {"wait_seconds", points{
			`wait_seconds_bucket{le="0.1",route="/a"}`: 5, `wait_seconds_bucket{le="1",route="/a"}`: 6,
			`wait_seconds_bucket{le="+Inf",route="/a"}`: 8, `wait_seconds_sum{route="/a"}`: 4.5, `wait_seconds_count{route="/a"}`: 8,
		}},
		"a part of it":              {"wait_seconds_count", points{`wait_seconds_count{route="/a"}`: 8}},
		"a summary, and not no one": {"size_bytes", points{`size_bytes{quantile="0.5"}`: 10, "size_bytes_sum": 100, "size_bytes_count": 9}},
		"what is not there":         {"nothing", points{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, target := serve(t, metrics)
			got := points{}
			o := watch(t, observe.Config{Target: target, Wants: want(t, c.want), Point: got.take})
			if err := o.Scrape(t.Context()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.get, got); diff != "" {
				t.Errorf("points (-want +got):\n%s", diff)
			}
			kept := points{}
			for _, s := range o.Series() {
				kept[s.Name] = s.Points[0].Value
			}
			if diff := cmp.Diff(c.get, kept); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWantsAreWhatAScenarioLooksAt(t *testing.T) {
	t.Parallel()
	s := &loadtest.Scenario{
		Thresholds: []loadtest.Threshold{
			{Metric: loadtest.MetricResponse},
			{Server: true, Metric: "x_seconds", Labels: []loadtest.Label{{Name: "route", Value: "/"}}},
		},
		Hang: loadtest.Hang{Queue: `depth{kind="a,b", pool=c}`, Progress: "done_total"},
	}
	got, err := observe.Wants(s)
	if err != nil {
		t.Fatal(err)
	}
	wants := []observe.Want{
		{Metric: "x_seconds", Labels: []loadtest.Label{{Name: "route", Value: "/"}}},
		{Metric: "depth", Labels: []loadtest.Label{{Name: "kind", Value: "a,b"}, {Name: "pool", Value: "c"}}},
		{Metric: "done_total"},
	}
	if diff := cmp.Diff(wants, got); diff != "" {
		t.Errorf("wants (-want +got):\n%s", diff)
	}
	for text, complaint := range map[string]string{
		"": "is no metric", "a b": "is no metric", "x{": "closed", "x{a}": "name=value", "x{=b}": "name=value",
		`x{a="b}`: "closing quote", `x{a="b"c="d"}`: "commas",
	} {
		s.Hang.Queue = text
		if _, err := observe.Wants(s); text != "" && (err == nil || !strings.Contains(err.Error(), complaint)) {
			t.Errorf("%q: %v, want %q", text, err, complaint)
		}
		if _, err := observe.ParseWant(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}
