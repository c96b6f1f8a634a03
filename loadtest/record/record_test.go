package record_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/flight"
	"github.com/seadog/seadog/loadtest/histogram"
	"github.com/seadog/seadog/loadtest/record"
)

const ms = time.Millisecond

// scenario has a warm-up of 2 s, a judged phase, two kinds of requests that
// count and one that only disturbs.
func scenario() *loadtest.Scenario {
	return &loadtest.Scenario{
		Client: loadtest.Client{Timeout: 2 * time.Second, LateLimit: time.Second},
		Phases: []loadtest.Phase{{Name: "warmup", For: 2 * time.Second}, {Name: "steady", For: time.Hour, Judged: true}},
		Traffic: []loadtest.Traffic{
			{Name: "hooks", Judged: true, Negatives: []loadtest.Negative{{Name: "bad-signature"}, {Name: "too-big"}}},
			{Name: "health", Judged: true},
			{Name: "noise"},
		},
	}
}

// answer is a request that was sent when it was due.
func answer(due, took time.Duration) loadtest.Sample {
	s := loadtest.Sample{Due: due, Ready: due, Slot: due, Sent: due, First: due + took/2, Done: due + took, Status: 202, Phase: 1}
	if due < 2*time.Second {
		s.Phase = 0
	}
	return s
}

func taken(s *loadtest.Scenario, samples ...loadtest.Sample) *record.Recorder {
	r := record.New(s)
	for i := range samples {
		r.Take(&samples[i])
	}
	return r
}

func traffic(t *testing.T, r *record.Recorder) []loadtest.TrafficReport {
	t.Helper()
	out, err := r.Traffic()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTrafficCountsTheRunAndMeasuresTheJudgedPhases(t *testing.T) {
	t.Parallel()
	warm := answer(time.Second, 900*ms)
	plain := answer(3*time.Second, 10*ms)
	plain.BytesOut, plain.BytesIn = 2000, 15
	late := answer(3*time.Second, 40*ms)
	late.Ready, late.Slot, late.Sent = late.Due+1*ms, late.Due+21*ms, late.Due+22*ms
	late.First = late.Due + 32*ms
	late.Variant, late.Outcome, late.Status = loadtest.Repeated, loadtest.Unexpected, 503
	refused := answer(3*time.Second, 2*ms)
	refused.Variant, refused.Negative, refused.Status = loadtest.Spoiled, 1, 413
	dropped := loadtest.Sample{Due: 4 * time.Second, Ready: 4 * time.Second, Done: 5 * time.Second, Phase: 1, Outcome: loadtest.Dropped}
	own := loadtest.Sample{Due: 4 * time.Second, Ready: 4*time.Second + 3*ms, Done: 5 * time.Second, Phase: 1, Outcome: loadtest.OwnFault, Class: "too many open files"}
	got := traffic(t, taken(scenario(), warm, plain, late, refused, dropped, own))[0]

	want := loadtest.TrafficReport{
		Name: "hooks", Planned: 6, Sent: 4, Done: 4, BytesOut: 2000, BytesIn: 15,
		Outcomes: map[string]uint64{"ok": 3, "unexpected": 1, "dropped": 1, "own_fault": 1},
		Statuses: map[string]uint64{"202": 2, "413": 1, "503": 1},
		Variants: map[string]uint64{"plain": 4, "replay": 1, "too-big": 1},
		Response: loadtest.Percentiles{N: 4, Min: 2 * ms, Mean: 263 * ms, Max: time.Second},
		Service:  loadtest.Percentiles{N: 3, Min: 2 * ms, Mean: 10 * ms, Max: 18 * ms},
		TTFB:     loadtest.Percentiles{N: 3, Min: 1 * ms, Mean: 16 * ms / 3, Max: 10 * ms},
		SelfLag:  loadtest.Percentiles{N: 5, Max: 3 * ms, Mean: 1 * ms},
		SlotWait: loadtest.Percentiles{N: 4, Max: time.Second, Mean: 255 * ms},
	}
	for _, p := range []*loadtest.Percentiles{&got.Response, &got.Service, &got.TTFB, &got.SelfLag, &got.SlotWait} {
		if p.HDR == "" {
			t.Error("a histogram is missing")
		}
		p.HDR = ""
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

func TestRunWithoutJudgedPhasesMeasuresAll(t *testing.T) {
	t.Parallel()
	s := scenario()
	s.Phases[1].Judged = false
	if got := traffic(t, taken(s, answer(time.Second, ms), answer(3*time.Second, ms)))[0].Response.N; got != 2 {
		t.Errorf("%d measured, want 2", got)
	}
}

func TestExportedHistogramsAreTheWholeRuns(t *testing.T) {
	t.Parallel()
	var parts []loadtest.Percentiles
	whole := record.New(scenario())
	for seed := range uint64(3) {
		r := rand.New(rand.NewPCG(seed, 1))
		part := record.New(scenario())
		for i := range 20_000 {
			s := answer(2*time.Second+time.Duration(i)*ms, time.Duration(r.ExpFloat64()*float64(5*ms)))
			part.Take(&s)
			whole.Take(&s)
		}
		parts = append(parts, traffic(t, part)[0].Response)
	}
	want := traffic(t, whole)[0].Response
	got, err := histogram.Merged(parts...)
	if err != nil {
		t.Fatal(err)
	}
	got.Mean = want.Mean // rounded once more
	if diff := cmp.Diff(want, got); diff != "" || len(got.Points) < 7 {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

func TestPlanCountsWhatWasDueNotWhatCame(t *testing.T) {
	t.Parallel()
	r := record.New(scenario())
	r.Plan(0, func(until time.Duration) uint64 { return uint64(until / (10 * ms)) }) // 100 a second
	r.Plan(2, func(until time.Duration) uint64 { return uint64(until / ms) })
	for _, s := range []loadtest.Sample{answer(500*ms, ms), answer(1500*ms, ms)} {
		r.Take(&s)
		s.Traffic = 1
		r.Take(&s)
	}
	r.End(2500 * ms)
	reports := traffic(t, r)
	for i, want := range []uint64{250, 2, 2500} {
		if got := reports[i].Planned; got != want {
			t.Errorf("%s: %d planned, want %d", reports[i].Name, got, want)
		}
	}
	rows := r.Series()
	if len(rows) != 3 || rows[2].For != 500*ms {
		t.Fatalf("rows: %+v", rows)
	}
	for i, want := range []uint64{101, 101, 50} {
		if rows[i].Planned != want {
			t.Errorf("row %d: %d planned, want %d", i, rows[i].Planned, want)
		}
	}
}

// anyRun returns the samples of a run of the scenario, in the order of their ends.
func anyRun(r *rand.Rand, length time.Duration) []loadtest.Sample {
	var out []loadtest.Sample
	rest := 1 + r.Int64N(int64(40*ms))
	for due := time.Duration(0); due < length; due += time.Duration(r.Int64N(rest)) {
		s := answer(due+1, time.Duration(r.ExpFloat64()*float64(5*ms)))
		s.Traffic = r.IntN(3)
		switch r.IntN(13) {
		case 0: // slow
			s.Done = s.Sent + time.Duration(r.Int64N(int64(1900*ms)))
		case 1: // waited for a slot
			s.Slot += time.Duration(r.Int64N(int64(time.Second)))
			s.Sent = s.Slot + time.Duration(r.Int64N(int64(ms)))
			s.Done = s.Sent + 3*ms
		case 2:
			s.Done, s.Outcome, s.Status = s.Sent+2*time.Second, loadtest.TimedOut, 0
		case 3:
			s.Outcome, s.Status = loadtest.Unexpected, 500
		case 4:
			s.Outcome, s.Status = loadtest.Broken, 0
		case 5:
			s.Sent, s.Done, s.Outcome = 0, due+4*ms, loadtest.OwnFault
		case 6:
			s = loadtest.Sample{Traffic: s.Traffic, Due: due + 1, Ready: due + 1, Done: due + time.Second, Outcome: loadtest.Dropped, Phase: s.Phase}
		}
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b loadtest.Sample) int { return int(a.Done - b.Done) })
	return out
}

// naiveRow computes the row of a second from all samples.
func naiveRow(samples []loadtest.Sample, from time.Duration) loadtest.Row {
	row, to := loadtest.Row{At: from, For: time.Second}, from+time.Second
	var response, service, selfLag, slotWait []time.Duration
	for _, s := range samples {
		if s.Traffic == 2 {
			continue
		}
		if s.Done >= from && s.Done < to {
			if s.Outcome == loadtest.OK || s.Outcome == loadtest.Unexpected {
				row.Done++
			}
			if s.Outcome != loadtest.OK && s.Outcome != loadtest.OwnFault {
				row.Failed++
			}
		}
		if s.Due < from || s.Due >= to {
			continue
		}
		row.Planned++
		selfLag = append(selfLag, s.SelfLag())
		if s.Outcome == loadtest.OwnFault {
			continue
		}
		response, slotWait = append(response, s.Response()), append(slotWait, s.SlotWait())
		if s.Sent == 0 {
			row.Dropped++
			continue
		}
		row.Sent++
		service = append(service, s.Service())
	}
	at := func(q float64, ds []time.Duration) time.Duration {
		if len(ds) == 0 {
			return 0
		}
		slices.Sort(ds)
		return ds[max(1, int(math.Ceil(q*float64(len(ds))-1e-6)))-1]
	}
	row.P50, row.P99, row.Max = at(0.5, response), at(0.99, response), at(1, response)
	row.Service, row.SelfLag, row.SlotWait = at(0.99, service), at(0.99, selfLag), at(0.99, slotWait)
	return row
}

func TestRowsAreThoseOfOneWhoKeepsEverything(t *testing.T) {
	t.Parallel()
	near := cmp.Comparer(func(a, b time.Duration) bool {
		return (a - b).Abs() <= max(a, b)/100+time.Microsecond
	})
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 2))
		samples := anyRun(r, 20*time.Second)
		var gaps flight.Gaps
		var changes [30_000]int // of what is under way, by millisecond
		for i := range samples {
			if s := &samples[i]; s.Traffic < 2 && s.Sent > 0 {
				gaps.Take(s.Sent, s.Done, s.Outcome.Completes())
				changes[(s.Sent+ms-1)/ms]++
				changes[(s.Done+ms-1)/ms]--
			}
		}
		rec := taken(scenario(), samples...)
		if early := rec.Series(); len(early) < 10 {
			t.Fatalf("seed %d: %d rows before the end", seed, len(early))
		}
		end := samples[len(samples)-1].Done
		rec.End(end)
		rec.Take(&samples[0]) // nothing is taken any more
		rows, under := rec.Series(), 0
		if want := int((end + time.Second - 1) / time.Second); len(rows) != want {
			t.Fatalf("seed %d: %d rows, want %d", seed, len(rows), want)
		}
		for i, got := range rows {
			want := naiveRow(samples, time.Duration(i)*time.Second)
			gaps.Settle(want.At+time.Second, func(g flight.Gap) { want.Gap = max(want.Gap, g.To-g.From) })
			for at := i * 1000; at < (i+1)*1000; at++ {
				under += changes[at]
				want.Inflight = max(want.Inflight, under)
			}
			if i == len(rows)-1 {
				want.For = end - want.At
			}
			if diff := cmp.Diff(want, got, near); diff != "" {
				t.Fatalf("seed %d, second %d: want -, got +:\n%s", seed, i, diff)
			}
		}
	}
}

func TestStallIsAGapInEverySecondOfIt(t *testing.T) {
	t.Parallel()
	r := record.New(scenario())
	var samples []loadtest.Sample
	for due := 10 * ms; due < 8*time.Second; due += 10 * ms {
		s := answer(due, ms)
		if due >= 3*time.Second && due < 4500*ms {
			s.Done = 4500*ms + (due-3*time.Second)/100
		}
		samples = append(samples, s)
	}
	slices.SortStableFunc(samples, func(a, b loadtest.Sample) int { return int(a.Done - b.Done) })
	for i := range samples {
		r.Take(&samples[i])
	}
	r.End(8 * time.Second)
	var got []time.Duration
	for _, row := range r.Series() {
		got = append(got, row.Gap)
	}
	want := []time.Duration{0, 0, 0, time.Second, 1500 * ms, 0, 0, 0}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("gaps: want -, got +:\n%s", diff)
	}
}

func TestLongRunsMergeRowsAndKeepTheWorstSecond(t *testing.T) {
	t.Parallel()
	r := record.New(scenario())
	const seconds = 10_000
	for i := range seconds {
		s := answer(time.Duration(i)*time.Second+1, 2*ms)
		if i == 1232 {
			s.Done = s.Sent + 1500*ms
		}
		r.Take(&s)
	}
	r.End(seconds * time.Second)
	rows := r.Series()
	if len(rows) != 2500 {
		t.Fatalf("%d rows, want 2500 of 4 s", len(rows))
	}
	for i, row := range rows {
		want := loadtest.Row{
			At: time.Duration(4*i) * time.Second, For: 4 * time.Second, Planned: 4, Sent: 4, Done: 4,
			Inflight: 1, P50: 2 * ms, P99: 2 * ms, Max: 2 * ms, Service: 2 * ms,
		}
		if i == 1232/4 {
			want.P50, want.P99, want.Max, want.Service = 1500*ms, 1500*ms, 1500*ms, 1500*ms
			want.Gap, want.Inflight = 1002*ms, 2 // until the one of the next second completed
		}
		if diff := cmp.Diff(want, row); diff != "" {
			t.Fatalf("row %d: want -, got +:\n%s", i, diff)
		}
	}
}

func TestSampleOfAClosedSecondStillCounts(t *testing.T) {
	t.Parallel()
	late := answer(3*time.Second, 17*time.Second) // no request of the scenario can take that long
	r := taken(scenario(), answer(3*time.Second, ms), answer(19*time.Second, ms), late)
	r.End(20 * time.Second)
	row := r.Series()[3]
	if row.Sent != 2 || row.Planned != 2 || row.Max != 17*time.Second || row.P99 != ms {
		t.Errorf("row %+v", row)
	}
}

func TestWorstSendIsOfAllTraffic(t *testing.T) {
	t.Parallel()
	r := record.New(scenario())
	for i := range 300 {
		s := answer(3*time.Second+time.Duration(i)*10*ms, ms)
		r.Take(&s)
		if i == 299 {
			s.Traffic = 2
			for range 20 {
				r.Take(&s)
			}
		}
	}
	r.End(6 * time.Second)
	if got := r.WorstSend(); got != 300 {
		t.Errorf("%g/s, want 300: ten and twenty within 100 ms", got)
	}
}
