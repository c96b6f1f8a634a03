package flight_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/loadtest/flight"
)

const ms = time.Millisecond

// seeds are fewer under the race detector, which has nothing to find here.
func seeds(n uint64) uint64 {
	if testing.Short() {
		return n / 10
	}
	return n
}

type request struct {
	sent, done time.Duration
	completed  bool
}

// inOrder returns the requests in the order of their ends.
func inOrder(rs []request) []request {
	slices.SortStableFunc(rs, func(a, b request) int { return cmp.Compare(a.done, b.done) })
	return rs
}

// gapsOf returns all gaps of requests, through steps of settling of the given length.
func gapsOf(rs []request, horizon, step time.Duration) (ended, all []flight.Gap) {
	var g flight.Gaps
	keep := func(gap flight.Gap) {
		all = append(all, gap)
		if gap.Ended {
			ended = append(ended, gap)
		}
	}
	settled := time.Duration(0)
	for _, r := range rs {
		for settled+step <= r.done-horizon {
			settled += step
			g.Settle(settled, keep)
		}
		g.Take(r.sent, r.done, r.completed)
	}
	g.Settle(time.Hour, keep)
	return ended, all
}

func TestGapIsTimeWithSomethingOutstandingAndNoCompletion(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		requests []request
		want     []flight.Gap
	}{
		"one request":                 {[]request{{100 * ms, 300 * ms, true}}, []flight.Gap{{100 * ms, 300 * ms, true}}},
		"a short one is none":         {[]request{{100 * ms, 109 * ms, true}}, nil},
		"idle time is none":           {[]request{{100 * ms, 105 * ms, true}, {900 * ms, 950 * ms, true}}, []flight.Gap{{900 * ms, 950 * ms, true}}},
		"a completion ends it":        {[]request{{100 * ms, 900 * ms, true}, {200 * ms, 500 * ms, true}}, []flight.Gap{{100 * ms, 500 * ms, true}, {500 * ms, 900 * ms, true}}},
		"a request given up does not": {[]request{{100 * ms, 900 * ms, true}, {200 * ms, 500 * ms, false}}, []flight.Gap{{100 * ms, 900 * ms, true}}},
		"nothing ever completes": {
			[]request{{100 * ms, 600 * ms, false}, {500 * ms, 1000 * ms, false}, {1200 * ms, 1700 * ms, false}},
			[]flight.Gap{{100 * ms, 1000 * ms, true}, {1200 * ms, 1700 * ms, true}},
		},
		"a stall, seen from what waited": {
			[]request{{990 * ms, 991 * ms, true}, {1000 * ms, 3000 * ms, true}, {1001 * ms, 3001 * ms, true}, {3000 * ms, 3001 * ms, true}},
			[]flight.Gap{{1000 * ms, 3000 * ms, true}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, _ := gapsOf(inOrder(test.requests), 5*time.Second, 100*ms)
			if diff := gocmp.Diff(test.want, got); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

func TestGapThatGoesOnIsToldAtEachStep(t *testing.T) {
	t.Parallel()
	_, got := gapsOf([]request{{50 * ms, 1150 * ms, true}}, 0, 500*ms)
	want := []flight.Gap{{50 * ms, 1150 * ms, true}}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("taken as it ends: want -, got +:\n%s", diff)
	}
	var g flight.Gaps
	g.Take(50*ms, 1150*ms, true)
	got = nil
	for at := 500 * ms; at <= 2000*ms; at += 500 * ms {
		g.Settle(at, func(gap flight.Gap) { got = append(got, gap) })
	}
	want = []flight.Gap{{50 * ms, 500 * ms, false}, {50 * ms, 1000 * ms, false}, {50 * ms, 1150 * ms, true}}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

func TestGapThatGoesOnNowBeginsAtTheLastCompletion(t *testing.T) {
	t.Parallel()
	var g flight.Gaps
	if got := g.Open(time.Second, 200*ms); got != 800*ms {
		t.Errorf("nothing has ended yet: %s", got)
	}
	g.Take(100*ms, 600*ms, true)
	if got := g.Open(time.Second, 200*ms); got != 400*ms {
		t.Errorf("the oldest was sent before the last completion: %s", got)
	}
	if got := g.Open(time.Second, 900*ms); got != 100*ms {
		t.Errorf("it was sent after: %s", got)
	}
	if got := g.Open(time.Second, 0); got != 0 {
		t.Errorf("nothing is under way: %s", got)
	}
	g.Take(700*ms, 950*ms, false)
	if got := g.Open(time.Second, 900*ms); got != 300*ms {
		t.Errorf("one was given up meanwhile: %s", got)
	}
}

// anyRequests returns requests of at most horizon, busy or idle, quick or slow.
func anyRequests(r *rand.Rand, horizon time.Duration) []request {
	rs := make([]request, 20+r.IntN(600))
	rest, slow, ties := 1+r.Int64N(int64(60*ms)), r.Float64(), r.IntN(2) == 0
	at := time.Duration(0)
	for i := range rs {
		if at += time.Duration(r.Int64N(rest)); r.IntN(50) == 0 {
			at += time.Duration(r.Int64N(int64(time.Second)))
		}
		took := time.Duration(r.Int64N(int64(5 * ms)))
		if r.Float64() < slow {
			took = time.Duration(r.Int64N(int64(horizon)))
		}
		rs[i] = request{sent: at, done: at + took, completed: r.IntN(3) > 0}
		if r.IntN(20) == 0 {
			rs[i].done, rs[i].completed = at+horizon, false
		}
		if ties {
			rs[i].sent, rs[i].done = rs[i].sent.Round(5*ms), rs[i].done.Round(5*ms)
		}
	}
	return inOrder(rs)
}

// naiveGaps finds gaps with everything in hand.
func naiveGaps(rs []request) []flight.Gap {
	type event struct {
		at    time.Duration
		order int // of what happens at the same time: ends, completions, begins
	}
	var events []event
	for _, r := range rs {
		if r.sent == r.done && r.completed {
			events = append(events, event{r.done, 1})
			continue
		}
		events = append(events, event{r.sent, 2})
		events = append(events, event{r.done, map[bool]int{true: 1, false: 0}[r.completed]})
	}
	slices.SortFunc(events, func(a, b event) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(b.order, a.order)) })
	var out []flight.Gap
	under, since := 0, time.Duration(0)
	end := func(at time.Duration) {
		if under > 0 && at-since >= flight.Shortest {
			out = append(out, flight.Gap{From: since, To: at, Ended: true})
		}
		since = at
	}
	zero := map[time.Duration]int{} // completions of requests that took no time
	for _, r := range rs {
		if r.sent == r.done && r.completed {
			zero[r.done]++
		}
	}
	for _, e := range events {
		switch e.order {
		case 2:
			if under == 0 {
				since = e.at
			}
			under++
		case 1:
			end(e.at)
			if zero[e.at] > 0 {
				zero[e.at]--
				continue
			}
			under--
		case 0:
			if under == 1 {
				end(e.at)
			}
			under--
		}
	}
	return out
}

func TestGapsAreThoseOfOneWhoKeepsEverything(t *testing.T) {
	t.Parallel()
	found := 0
	for seed := range seeds(3000) {
		r := rand.New(rand.NewPCG(seed, 7))
		horizon := time.Duration(50+r.IntN(2000)) * ms
		rs := anyRequests(r, horizon)
		want := naiveGaps(rs)
		for i := range rs { // several senders: not quite in order
			if j := i + r.IntN(3); j < len(rs) && rs[j].done-rs[i].done < 20*ms {
				rs[i], rs[j] = rs[j], rs[i]
			}
		}
		got, _ := gapsOf(rs, horizon+20*ms, time.Duration(1+r.IntN(3000))*ms)
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d: want -, got +:\n%s", seed, diff)
		}
		found += len(got)
	}
	if found < 1000 {
		t.Errorf("%d gaps only: the test shows little", found)
	}
}

func TestLevelIsWhatWasUnderWayAtEachLook(t *testing.T) {
	t.Parallel()
	for seed := range seeds(300) {
		r := rand.New(rand.NewPCG(seed, 8))
		horizon := time.Duration(50+r.IntN(20_000)) * ms
		rs := anyRequests(r, horizon)
		step := max(ms, (horizon+2*time.Second)/(1<<13))
		l := flight.NewLevel(horizon)
		under := make([]int, rs[len(rs)-1].done/step+2) // at each look
		for _, r := range rs {
			for at := (r.sent + step - 1) / step; at*step < r.done; at++ {
				under[at]++
			}
		}
		settled := time.Duration(0)
		check := func(until time.Duration) {
			got, want := l.Settle(until), flight.Load{}
			for at := (settled + step - 1) / step; at*step < until; at++ {
				want.Add(flight.Load{Looks: 1, Sum: float64(under[at]), Most: under[at], Least: under[at]})
			}
			if got != want {
				t.Fatalf("seed %d: %+v under way between %s and %s, want %+v", seed, got, settled, until, want)
			}
		}
		for _, r := range rs {
			for settled+time.Second <= r.done-horizon {
				check(settled + time.Second)
				settled += time.Second
			}
			l.Take(r.sent, r.done)
		}
	}
}

func TestLevelSurvivesTimeThatNobodySettled(t *testing.T) {
	t.Parallel()
	l := flight.NewLevel(time.Second)
	for i := range 3 {
		for range 5 - i {
			l.Take(time.Duration(i)*time.Minute, time.Duration(i)*time.Minute+100*ms)
		}
	}
	want := flight.Load{Looks: 600_000, Sum: 100 * (5 + 4 + 3), Most: 5}
	if got := l.Settle(10 * time.Minute); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := l.Settle(11 * time.Minute); got != (flight.Load{Looks: 60_000}) {
		t.Errorf("%+v are still under way", got)
	}
}

func TestBurstIsTheWorstTenthOfASecond(t *testing.T) {
	t.Parallel()
	for seed := range seeds(300) {
		r := rand.New(rand.NewPCG(seed, 9))
		rs := anyRequests(r, 3*time.Second)
		b := flight.NewBurst(3 * time.Second)
		for _, r := range rs {
			b.Settle(r.done - 3*time.Second)
			b.Take(r.sent)
		}
		b.Settle(time.Hour)
		var sends []time.Duration
		for _, r := range rs {
			sends = append(sends, r.sent)
		}
		slices.Sort(sends)
		worst := 0
		for from := time.Duration(0); from <= rs[len(rs)-1].done; from += 10 * ms {
			first, _ := slices.BinarySearch(sends, from)
			after, _ := slices.BinarySearch(sends, from+100*ms)
			worst = max(worst, after-first)
		}
		if got := b.Most(); got != float64(worst)*10 {
			t.Fatalf("seed %d: %g/s, want %d in 100 ms", seed, got, worst)
		}
	}
}

func BenchmarkGaps(b *testing.B) {
	for name, every := range map[string]time.Duration{"30,000 a second": time.Second / 30_000, "50 a second": 20 * ms} {
		b.Run(name, func(b *testing.B) {
			var g flight.Gaps
			at := time.Duration(0)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				at += every
				g.Take(at-200*time.Microsecond, at, true)
				if i%1000 == 0 {
					g.Settle(at-7*time.Second, func(flight.Gap) {})
				}
			}
		})
	}
}
