package histogram_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/histogram"
)

// twoModes are n durations: a thousandth of them slow, as where t-digests fail.
func twoModes(seed uint64, n int) []time.Duration {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]time.Duration, n)
	for i := range out {
		out[i] = time.Duration(float64(time.Millisecond) * math.Exp(r.NormFloat64()/3))
		if r.IntN(1000) == 0 {
			out[i] = time.Second + time.Duration(r.Int64N(int64(time.Second)))
		}
	}
	return out
}

func record(h *histogram.Histogram, ds []time.Duration) *histogram.Histogram {
	for _, d := range ds {
		h.Record(d)
	}
	return h
}

func percentiles(t *testing.T, h *histogram.Histogram) loadtest.Percentiles {
	t.Helper()
	p, err := h.Percentiles()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestQuantilesAreNeverLessThanTheTruthAndAtMostAStepMore(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		for _, n := range []int{1, 2, 7, 99, 1000, 1003, 200_000} {
			ds := twoModes(seed, n)
			fine, coarse := record(histogram.New(), ds), record(histogram.NewCoarse(), ds)
			slices.Sort(ds)
			for _, q := range []float64{0, 0.01, 0.07, 0.5, 0.9, 0.99, 0.999, 0.9995, 0.9999, 1} {
				truth := ds[max(1, int(math.Ceil(q*float64(n)-1e-6)))-1]
				for h, step := range map[*histogram.Histogram]float64{fine: histogram.Step, coarse: 0.01} {
					most := time.Duration(float64(truth)*(1+step)) + histogram.Grain
					if got := h.Quantile(q); got < truth || got > most {
						t.Errorf("seed %d: quantile %g of %d is %s, want %s … %s", seed, q, n, got, truth, most)
					}
				}
			}
		}
	}
}

func TestCountMeanLeastAndMostAreExact(t *testing.T) {
	t.Parallel()
	h := record(histogram.New(), []time.Duration{3 * time.Nanosecond, 20 * time.Minute, -time.Second, 1501 * time.Nanosecond})
	want := loadtest.Percentiles{N: 4, Min: 0, Max: 20 * time.Minute, Mean: (20*time.Minute + 1504*time.Nanosecond) / 4}
	got := percentiles(t, h)
	got.HDR = ""
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	if got := h.Quantile(1); got != 20*time.Minute {
		t.Errorf("the highest quantile is %s", got)
	}
	if got := h.Quantile(0.5); got != time.Microsecond {
		t.Errorf("3 ns count as %s, want the whole microsecond", got)
	}
	h.Reset()
	if diff := cmp.Diff(loadtest.Percentiles{}, percentiles(t, h)); diff != "" {
		t.Errorf("after a reset: want -, got +:\n%s", diff)
	}
	if h.Quantile(0.5) != 0 {
		t.Error("an empty histogram has a median")
	}
}

func TestPointsAreThereOnlyWhereTheSamplesAllow(t *testing.T) {
	t.Parallel()
	for n, last := range map[int]float64{19: 0, 20: 0.5, 999: 0.95, 1000: 0.99, 99_999: 0.9995, 100_000: 0.9999} {
		p := percentiles(t, record(histogram.New(), twoModes(1, n)))
		got := 0.0
		if len(p.Points) > 0 {
			got = p.Points[len(p.Points)-1].Q
		}
		if got != last {
			t.Errorf("%d samples: the curve ends at %g, want %g", n, got, last)
		}
	}
}

func TestMergedPartsAreTheWhole(t *testing.T) {
	t.Parallel()
	ds := twoModes(4, 150_000)
	want := percentiles(t, record(histogram.New(), ds))
	var parts []loadtest.Percentiles
	direct := histogram.New()
	for part := range slices.Chunk(ds, 40_000) {
		h := record(histogram.New(), part)
		parts = append(parts, percentiles(t, h))
		direct.Merge(h)
		direct.Merge(histogram.New())
	}
	got, err := histogram.Merged(append(parts, loadtest.Percentiles{})...)
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]loadtest.Percentiles{"through text": got, "directly": percentiles(t, direct)} {
		if d := got.Mean - want.Mean; d < -1 || d > 1 { // each part's mean is a whole nanosecond
			t.Errorf("%s: mean %s, want %s", name, got.Mean, want.Mean)
		}
		got.Mean = want.Mean
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: want -, got +:\n%s", name, diff)
		}
	}
}

func TestMergingRefusesWhatIsNoHistogram(t *testing.T) {
	t.Parallel()
	good := percentiles(t, record(histogram.New(), twoModes(1, 10)))
	short := good
	short.N = 9
	for name, p := range map[string]loadtest.Percentiles{"no text": {N: 1}, "other text": {N: 1, HDR: "HISTFAAA"}, "another count": short} {
		if _, err := histogram.Merged(good, p); err == nil {
			t.Errorf("%s was merged", name)
		}
	}
}

func BenchmarkRecord(b *testing.B) {
	ds := twoModes(1, 1<<16)
	h := histogram.New()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		h.Record(ds[i&(1<<16-1)])
	}
}

func BenchmarkQuantile(b *testing.B) {
	for name, h := range map[string]*histogram.Histogram{"fine": histogram.New(), "coarse": histogram.NewCoarse()} {
		record(h, twoModes(1, 1<<16))
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				h.Quantile(0.99)
			}
		})
	}
}
