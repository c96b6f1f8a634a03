package loadtest_test

import (
	"testing"

	"github.com/seadog/seadog/loadtest"
)

func TestComparisonHoldsOnItsSideOfTheLimit(t *testing.T) {
	t.Parallel()
	for comparison, want := range map[loadtest.Comparison][3]bool{ // below, at, above the limit
		loadtest.Less:             {true, false, false},
		loadtest.LessEqual:        {true, true, false},
		loadtest.Greater:          {false, false, true},
		loadtest.GreaterEqual:     {false, true, true},
		loadtest.Equal:            {false, true, false},
		loadtest.Comparison("!="): {false, false, false},
	} {
		got := [3]bool{comparison.Holds(1, 2), comparison.Holds(2, 2), comparison.Holds(3, 2)}
		if got != want {
			t.Errorf("%s: %v, want %v", comparison, got, want)
		}
	}
}

func TestQuantileNeedsTenSamplesBeyondIt(t *testing.T) {
	t.Parallel()
	for q, want := range map[float64]uint64{0.5: 20, 0.75: 40, 0.9: 100, 0.95: 200, 0.99: 1000, 0.995: 2000, 0.999: 10_000, 0.9995: 20_000, 0.9999: 100_000, 1: 1} {
		threshold := loadtest.Threshold{Aggregate: loadtest.Quantile, Q: q}
		if got := threshold.Needs(); got != want {
			t.Errorf("the quantile at %g needs %d, want %d", q, got, want)
		}
	}
	for aggregate, want := range map[loadtest.Aggregate]uint64{
		loadtest.Mean: 1, loadtest.Max: 1, loadtest.Min: 1, loadtest.Ratio: 1, loadtest.Slope: 1, loadtest.Recover: 1,
		loadtest.Count: 0, loadtest.Rate: 0, loadtest.Delta: 0,
	} {
		threshold := loadtest.Threshold{Aggregate: aggregate}
		if got := threshold.Needs(); got != want {
			t.Errorf("%s needs %d, want %d", aggregate, got, want)
		}
	}
}

func TestValuesAreWrittenInTheUnitOfTheLimit(t *testing.T) {
	t.Parallel()
	tests := []struct {
		unit    loadtest.Unit
		perHour bool
		value   float64
		want    string
	}{
		{loadtest.Seconds, false, 0.0123456789, "12.346ms"},
		{loadtest.Seconds, false, 1.5, "1.5s"},
		{loadtest.Seconds, false, 90, "1m30s"},
		{loadtest.Seconds, false, -0.25, "-250ms"},
		{loadtest.Bytes, false, 12, "12B"},
		{loadtest.Bytes, false, 1536, "1.5KiB"},
		{loadtest.Bytes, false, 4 << 20, "4MiB"},
		{loadtest.Bytes, true, 4 << 20, "4MiB/h"},
		{loadtest.Bytes, true, -2.5 * (1 << 30), "-2.5GiB/h"},
		{loadtest.Share, false, 0.001, "0.1%"},
		{loadtest.Share, false, 1, "100%"},
		{loadtest.PerSecond, false, 1000.5, "1000.5/s"},
		{loadtest.NoUnit, false, 0, "0"},
		{loadtest.NoUnit, true, 10, "10/h"},
		{loadtest.NoUnit, false, 1234567, "1.23457e+06"},
	}
	for _, test := range tests {
		threshold := loadtest.Threshold{Unit: test.unit, PerHour: test.perHour}
		if got := threshold.Format(test.value); got != test.want {
			t.Errorf("%g %s: %q, want %q", test.value, test.unit, got, test.want)
		}
	}
}

func TestLabelIsFoundByItsName(t *testing.T) {
	t.Parallel()
	threshold := loadtest.Threshold{Labels: []loadtest.Label{{"scenario", "hooks"}, {"route", ""}}}
	for name, want := range map[string]string{"scenario": "hooks", "route": ""} {
		if got, ok := threshold.Label(name); !ok || got != want {
			t.Errorf("%s: %q, %v", name, got, ok)
		}
	}
	if got, ok := threshold.Label("hooks"); ok || got != "" {
		t.Errorf("a label that is not there: %q, %v", got, ok)
	}
}
