package watchdog_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/watchdog"
)

// ready is a healthy worker that is old enough for everything.
func ready(index int) watchdog.Seen {
	return watchdog.Seen{
		ID: watchdog.ID{Pool: "http", Index: index}, Incarnation: uint64(index) + 1, State: watchdog.Ready, Accepting: true,
		Age: time.Hour, Beat: 50 * time.Millisecond, Procs: 4, Goroutines: 20, Descriptors: 20, RSS: 50 << 20,
	}
}

func healthyPool(n int) watchdog.Sight {
	var s watchdog.Sight
	for i := range n {
		s.Workers = append(s.Workers, ready(i))
	}
	s.Places = n
	return s
}

func abandoned(slot int, since time.Duration) watchdog.Task {
	return watchdog.Task{Slot: slot, Age: 30*time.Second + since, Overdue: since - 5*time.Second, Abandoned: since}
}

func overdue(slot int, since time.Duration) watchdog.Task {
	return watchdog.Task{Slot: slot, Age: 35*time.Second + since, Overdue: since}
}

// at says where a task waits.
func at(place string, t watchdog.Task) watchdog.Task {
	t.Waiting = place
	return t
}

type change = func(*watchdog.Seen)

func busy(tasks ...watchdog.Task) change {
	return func(w *watchdog.Seen) { w.Busy = append(w.Busy, tasks...) }
}

func overloaded(latency time.Duration) change {
	return func(w *watchdog.Seen) { w.Runnable, w.Latency = 100, latency }
}

func in(state watchdog.State, why watchdog.Reason) change {
	return func(w *watchdog.Seen) {
		w.State, w.Ruled, w.Accepting = state, why, state == watchdog.Ready || state == watchdog.Quarantined
	}
}

// with is a healthy pool in which some workers are changed.
func with(n int, changes map[int][]change) watchdog.Sight {
	s := healthyPool(n)
	for i, list := range changes {
		for _, c := range list {
			c(&s.Workers[i])
		}
	}
	return s
}

// verdicts are rulings without words.
func verdicts(t *testing.T, s watchdog.Sight) []watchdog.Ruling {
	t.Helper()
	rulings := s.Judge()
	for i := range rulings {
		if rulings[i].Why == "" {
			t.Errorf("ruling without a reason in words: %+v", rulings[i])
		}
		rulings[i].Why = ""
	}
	return rulings
}

func ruled(reason watchdog.Reason, index int, slots ...int) watchdog.Ruling {
	return watchdog.Ruling{ID: watchdog.ID{Pool: "http", Index: index}, Incarnation: uint64(index) + 1, Reason: reason, Slots: slots}
}

func TestJudgeStuckWorkers(t *testing.T) {
	t.Parallel()
	const mercy = 10 * time.Second
	for fact, c := range map[string]struct {
		sight watchdog.Sight
		want  []watchdog.Ruling
	}{
		"a healthy pool is left alone": {sight: healthyPool(4)},
		"an empty pool is left alone":  {sight: watchdog.Sight{Places: 2}},
		"a young heartbeat is none to worry about": {
			sight: with(2, map[int][]change{0: {func(w *watchdog.Seen) { w.Beat = 2 * time.Second }}}),
		},
		"no heartbeat is frozen, outside of the budget": {
			sight: with(2, map[int][]change{
				0: {func(w *watchdog.Seen) { w.Beat = 2001 * time.Millisecond }},
				1: {func(w *watchdog.Seen) { w.Beat = time.Minute }},
			}),
			want: []watchdog.Ruling{ruled(watchdog.Frozen, 0), ruled(watchdog.Frozen, 1)},
		},
		"a frozen worker that drains is frozen": {
			sight: with(2, map[int][]change{0: {in(watchdog.Draining, watchdog.Lifetime), func(w *watchdog.Seen) { w.Beat = 3 * time.Second }}}),
			want:  []watchdog.Ruling{ruled(watchdog.Frozen, 0)},
		},
		"a spare can freeze": {
			sight: with(2, map[int][]change{1: {in(watchdog.Spare, watchdog.None), func(w *watchdog.Seen) { w.Beat = 3 * time.Second }}}),
			want:  []watchdog.Ruling{ruled(watchdog.Frozen, 1)},
		},
		"a worker that starts need not beat": {
			sight: with(2, map[int][]change{0: {in(watchdog.Starting, watchdog.None), func(w *watchdog.Seen) { w.Beat = time.Minute }}}),
		},
		"a worker that dumps need not beat": {
			sight: with(2, map[int][]change{0: {in(watchdog.Dumping, watchdog.Wedged), func(w *watchdog.Seen) { w.Beat = time.Minute }}}),
		},
		"a stopped worker has until its heartbeat is old": {
			sight: with(2, map[int][]change{0: {func(w *watchdog.Seen) { w.Stopped, w.Beat = true, time.Second }}}),
		},
		"a stopped worker is stopped, not frozen": {
			sight: with(2, map[int][]change{0: {func(w *watchdog.Seen) { w.Stopped, w.Beat = true, 3*time.Second }}}),
			want:  []watchdog.Ruling{ruled(watchdog.Stopped, 0)},
		},
		"a frozen worker is not wedged as well": {
			sight: with(2, map[int][]change{0: {busy(abandoned(1, time.Minute)), func(w *watchdog.Seen) { w.Beat = 3 * time.Second }}}),
			want:  []watchdog.Ruling{ruled(watchdog.Frozen, 0)},
		},
		"mercy lasts as long as it is promised": {
			sight: with(2, map[int][]change{0: {busy(abandoned(7, mercy))}}),
		},
		"a task that outlives its mercy wedges the worker": {
			sight: with(2, map[int][]change{0: {busy(abandoned(7, mercy+1), abandoned(3, time.Second))}}),
			want:  []watchdog.Ruling{ruled(watchdog.Wedged, 0, 7)},
		},
		"all offenders are named": {
			sight: with(2, map[int][]change{0: {busy(overdue(9, time.Second), abandoned(7, mercy+1), abandoned(3, time.Minute))}}),
			want:  []watchdog.Ruling{ruled(watchdog.Wedged, 0, 9, 7, 3)},
		},
		"a task before its hard deadline is none to worry about": {
			sight: with(2, map[int][]change{0: {busy(overdue(7, -1), overdue(8, 0))}}),
		},
		"a task past its hard deadline that nobody gave up is overdue": {
			sight: with(2, map[int][]change{1: {busy(overdue(7, 1))}}),
			want:  []watchdog.Ruling{ruled(watchdog.Overdue, 1, 7)},
		},
		"a task that was given up is not overdue": {
			sight: with(2, map[int][]change{1: {busy(watchdog.Task{Overdue: time.Second, Abandoned: 6 * time.Second})}}),
		},
		"a stream is never overdue": {
			sight: with(2, map[int][]change{1: {busy(watchdog.Task{Stream: true, Age: time.Hour, Overdue: time.Hour})}}),
		},
		"a stream that was given up can wedge": {
			sight: with(2, map[int][]change{1: {busy(watchdog.Task{Slot: 4, Stream: true, Overdue: time.Hour, Abandoned: mercy + 1})}}),
			want:  []watchdog.Ruling{ruled(watchdog.Wedged, 1, 4)},
		},
		"a proven deadlock needs no mercy": {
			sight: with(2, map[int][]change{0: {busy(abandoned(7, time.Second), overdue(8, -1)), func(w *watchdog.Seen) { w.Deadlock = true }}}),
			want:  []watchdog.Ruling{ruled(watchdog.Deadlock, 0, 7)},
		},
		"a proven deadlock needs no victim": {
			sight: with(1, map[int][]change{0: {func(w *watchdog.Seen) { w.Deadlock = true }}}),
			want:  []watchdog.Ruling{ruled(watchdog.Deadlock, 0)},
		},
		"the last worker that accepts is condemned too, it works on until another accepts": {
			sight: with(2, map[int][]change{0: {in(watchdog.Starting, watchdog.None)}, 1: {busy(abandoned(7, time.Minute))}}),
			want:  []watchdog.Ruling{ruled(watchdog.Wedged, 1, 7)},
		},
		"a worker that drains can be condemned, its drain would wait for what is stuck": {
			sight: with(2, map[int][]change{0: {in(watchdog.Draining, watchdog.Lifetime), busy(abandoned(7, time.Minute))}}),
			want:  []watchdog.Ruling{ruled(watchdog.Wedged, 0, 7)},
		},
		"a worker that stops has its time limit": {
			sight: with(2, map[int][]change{0: {in(watchdog.Stopping, watchdog.Lifetime), busy(abandoned(7, time.Minute))}}),
		},
		"a condemned worker that drains is not condemned again": {
			sight: with(8, map[int][]change{0: {in(watchdog.Draining, watchdog.Overdue), busy(abandoned(7, time.Minute))}}),
		},
		"but it can freeze": {
			sight: with(2, map[int][]change{0: {in(watchdog.Draining, watchdog.Overdue), func(w *watchdog.Seen) { w.Beat = 3 * time.Second }}}),
			want:  []watchdog.Ruling{ruled(watchdog.Frozen, 0)},
		},
		"once": {
			sight: with(2, map[int][]change{
				0: {in(watchdog.Draining, watchdog.Frozen), func(w *watchdog.Seen) { w.Beat = 3 * time.Second }},
				1: {in(watchdog.Quarantined, watchdog.Stopped), func(w *watchdog.Seen) { w.Beat = 3 * time.Second }},
			}),
		},
		"a worker is condemned once": {
			sight: with(8, map[int][]change{0: {in(watchdog.Ready, watchdog.Wedged), busy(abandoned(7, time.Minute))}}),
		},
		"a worker about to be recycled can be condemned": {
			sight: with(2, map[int][]change{0: {in(watchdog.Ready, watchdog.Lifetime), busy(abandoned(7, time.Minute))}}),
			want:  []watchdog.Ruling{ruled(watchdog.Wedged, 0, 7)},
		},
	} {
		t.Run(fact, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, verdicts(t, c.sight)); diff != "" {
				t.Errorf("rulings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestJudgeBelievesNoLatePass(t *testing.T) {
	t.Parallel()
	s := with(3, map[int][]change{
		0: {func(w *watchdog.Seen) { w.Beat = time.Minute }},
		1: {busy(abandoned(1, time.Minute))},
		2: {func(w *watchdog.Seen) { w.Deadlock = true }},
	})
	s.Late = time.Second + 1
	if got := s.Judge(); got != nil {
		t.Errorf("ruled after a late pass: %+v", got)
	}
	s.Late = time.Second
	if got := s.Judge(); len(got) == 0 {
		t.Error("a second is not late, but nothing was ruled")
	}
}

func TestJudgeKeepsTheBudget(t *testing.T) {
	t.Parallel()
	wedged := func(since time.Duration) []change { return []change{busy(abandoned(1, since))} }
	three := map[int][]change{0: wedged(time.Minute), 1: wedged(3 * time.Minute), 2: wedged(2 * time.Minute)}
	half := with(8, three)
	half.Policy.Unavailable = 0.5
	exact := with(100, map[int][]change{})
	exact.Policy.Unavailable = 0.29
	for i := range exact.Workers {
		busy(abandoned(1, time.Minute))(&exact.Workers[i])
	}
	if got := len(exact.Judge()); got != 29 {
		t.Errorf("0.29 of 100 workers are %d", got)
	}
	taken := func(c ...change) watchdog.Sight {
		return with(4, map[int][]change{0: c, 1: wedged(time.Minute)})
	}
	replaced := taken(in(watchdog.Killed, watchdog.Frozen))
	replaced.Workers = append(replaced.Workers, ready(0))
	successor := taken(in(watchdog.Killed, watchdog.Frozen))
	successor.Workers = append(successor.Workers, ready(0))
	in(watchdog.Starting, watchdog.None)(&successor.Workers[4])
	reversed := with(2, map[int][]change{0: wedged(time.Minute), 1: wedged(time.Minute)})
	slices.Reverse(reversed.Workers)
	one := []watchdog.Ruling{ruled(watchdog.Wedged, 1, 1)}
	for fact, c := range map[string]struct {
		sight watchdog.Sight
		want  []watchdog.Ruling
	}{
		"the longest stuck goes first":         {with(4, three), one},
		"a pool of two may lose one":           {with(2, map[int][]change{0: wedged(time.Minute), 1: wedged(2 * time.Minute)}), one},
		"a share is rounded down":              {with(7, three), one},
		"eight may lose two":                   {with(8, three), []watchdog.Ruling{one[0], ruled(watchdog.Wedged, 2, 1)}},
		"the share is the policy's":            {half, []watchdog.Ruling{one[0], ruled(watchdog.Wedged, 2, 1), ruled(watchdog.Wedged, 0, 1)}},
		"of equals the first place goes first": {reversed, []watchdog.Ruling{ruled(watchdog.Wedged, 0, 1)}},
		"a worker is as stuck as its worst task": {
			with(2, map[int][]change{0: wedged(2 * time.Minute), 1: {busy(abandoned(1, 3*time.Minute), abandoned(2, time.Minute))}}),
			[]watchdog.Ruling{ruled(watchdog.Wedged, 1, 1, 2)},
		},
		"a quarantined worker takes a part":              {taken(in(watchdog.Quarantined, watchdog.Wedged)), nil},
		"a worker that dumps takes a part":               {taken(in(watchdog.Dumping, watchdog.Wedged)), nil},
		"a condemned worker that drains takes a part":    {taken(in(watchdog.Draining, watchdog.Wedged)), nil},
		"a recycled worker that drains takes none":       {taken(in(watchdog.Draining, watchdog.Lifetime)), one},
		"a killed worker takes a part":                   {taken(in(watchdog.Killed, watchdog.Frozen)), nil},
		"a killed worker takes one while another starts": {successor, nil},
		"a killed worker that was replaced takes none":   {replaced, one},
		"a frozen worker uses the budget, and has none": {
			with(4, map[int][]change{0: {func(w *watchdog.Seen) { w.Beat = time.Minute }}, 1: wedged(time.Minute)}),
			[]watchdog.Ruling{ruled(watchdog.Frozen, 0)},
		},
		"an overdue task is older than its hard deadline": {
			// 8 s after it should have been given up, beside one that was given up 7 s ago.
			with(2, map[int][]change{
				0: {busy(abandoned(1, 7*time.Second)), func(w *watchdog.Seen) { w.Deadlock = true }},
				1: {busy(overdue(5, 3*time.Second))},
			}),
			[]watchdog.Ruling{ruled(watchdog.Overdue, 1, 5)},
		},
	} {
		t.Run(fact, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, verdicts(t, c.sight)); diff != "" {
				t.Errorf("rulings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOverloadStretchesPatience(t *testing.T) {
	t.Parallel()
	for fact, c := range map[string]struct {
		latency time.Duration
		task    watchdog.Task
		want    watchdog.Reason
	}{
		"without latency mercy is as promised":      {250 * time.Millisecond, abandoned(1, 11*time.Second), watchdog.Wedged},
		"twice the latency doubles mercy":           {500 * time.Millisecond, abandoned(1, 20*time.Second), watchdog.None},
		"but no more":                               {500 * time.Millisecond, abandoned(1, 20*time.Second+1), watchdog.Wedged},
		"at most five times":                        {time.Hour, abandoned(1, 50*time.Second), watchdog.None},
		"what never ends goes":                      {time.Hour, abandoned(1, 50*time.Second+1), watchdog.Wedged},
		"twice the latency doubles the slack":       {500 * time.Millisecond, overdue(1, 5*time.Second), watchdog.None},
		"but not more of the slack":                 {500 * time.Millisecond, overdue(1, 5*time.Second+1), watchdog.Overdue},
		"what is never answered goes":               {time.Hour, overdue(1, 20*time.Second+1), watchdog.Overdue},
		"what is not answered has up to five times": {time.Hour, overdue(1, 20*time.Second), watchdog.None},
	} {
		t.Run(fact, func(t *testing.T) {
			t.Parallel()
			got := watchdog.None
			for _, r := range with(2, map[int][]change{0: {overloaded(c.latency), busy(c.task)}}).Judge() {
				got = r.Reason
				if over := c.latency > 250*time.Millisecond; over != strings.Contains(r.Why, "overloaded") {
					t.Errorf("it says %q", r.Why)
				}
			}
			if got != c.want {
				t.Errorf("ruled %s, want %s", got, c.want)
			}
		})
	}
}

func TestOverloadedNeedsBothACrowdAndASlowProcessor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		runnable int
		latency  time.Duration
		want     bool
	}{
		{17, 251 * time.Millisecond, true},
		{16, 251 * time.Millisecond, false},
		{17, 250 * time.Millisecond, false},
		{0, 0, false},
	} {
		w := ready(0)
		w.Runnable, w.Latency = c.runnable, c.latency
		if got := (watchdog.Sight{}).Overloaded(w); got != c.want {
			t.Errorf("%d runnable on 4 processors, %s: overloaded is %t", c.runnable, c.latency, got)
		}
	}
}

func TestRulingsSayWhy(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]change{
		"no heartbeat for 3s":                                           func(w *watchdog.Seen) { w.Beat = 3 * time.Second },
		"stopped by a signal, no heartbeat for 3s":                      func(w *watchdog.Seen) { w.Beat, w.Stopped = 3*time.Second, true },
		"slot 7 went on for 1m0s after it was given up, and 1 more":     busy(abandoned(2, 20*time.Second), abandoned(7, time.Minute)),
		"slot 7 was not answered 2s after its hard deadline":            busy(overdue(7, 2*time.Second)),
		"a proven cycle of locks, 1 stuck in it or behind it":           func(w *watchdog.Seen) { w.Deadlock = true; busy(abandoned(7, 1))(w) },
		"slot 2 went on for 2m0s after it was given up, and 1 more":     busy(abandoned(2, 2*time.Minute), overdue(7, time.Minute)),
		"slot 2 was not answered 2m0s after its hard deadline, and 1 m": busy(overdue(2, 2*time.Minute), overdue(7, time.Minute)),
	} {
		got := with(2, map[int][]change{1: {c}}).Judge()
		if len(got) != 1 || !strings.HasPrefix(got[0].Why, want) {
			t.Errorf("got %+v, want %q", got, want)
		}
	}
}
