package watchdog_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/watchdog"
)

func TestJudgeRecycles(t *testing.T) {
	t.Parallel()
	old := func(age time.Duration) change { return func(w *watchdog.Seen) { w.Age = age } }
	served := func(n uint64) change { return func(w *watchdog.Seen) { w.Requests = n } }
	weighs := func(mib int64) change { return func(w *watchdog.Seen) { w.RSS = mib << 20 } }
	heavy := func(times int) change { return func(w *watchdog.Seen) { w.Heavy = times } }
	drew := func(j float64) change { return func(w *watchdog.Seen) { w.Jitter = j } }
	many := func(w *watchdog.Seen) { w.Goroutines = 1001 }
	open := func(w *watchdog.Seen) { w.Descriptors = 501 }
	gated := func(w *watchdog.Seen) { w.Accepting = false }
	stale := func(w *watchdog.Seen) { w.Beat = 300 * time.Millisecond }
	const two = 2 * time.Hour
	for fact, c := range map[string]struct {
		changes map[int][]change
		alter   func(*watchdog.Sight)
		want    []watchdog.Ruling
	}{
		"nothing is wrong": {},
		"requests":         {changes: map[int][]change{1: {served(1000)}}, want: []watchdog.Ruling{ruled(watchdog.Requests, 1)}},
		"requests below":   {changes: map[int][]change{1: {served(999)}}},
		"requests, but it drew to serve more": {
			changes: map[int][]change{1: {served(1099), drew(0.5)}},
		},
		"requests, and it served what it drew": {
			changes: map[int][]change{1: {served(1100), drew(0.5)}}, want: []watchdog.Ruling{ruled(watchdog.Requests, 1)},
		},
		"requests without jitter": {
			changes: map[int][]change{1: {served(1000), drew(0.5)}}, alter: func(s *watchdog.Sight) { s.Policy.Recycle.Jitter = -1 },
			want: []watchdog.Ruling{ruled(watchdog.Requests, 1)},
		},
		"requests below, without jitter": {
			changes: map[int][]change{1: {served(999), drew(0.5)}}, alter: func(s *watchdog.Sight) { s.Policy.Recycle.Jitter = -1 },
		},
		"a busy young worker is not replaced all the time": {
			changes: map[int][]change{1: {served(5000), old(59 * time.Second)}},
		},
		"lifetime":       {changes: map[int][]change{0: {old(two + 1)}}, want: []watchdog.Ruling{ruled(watchdog.Lifetime, 0)}},
		"lifetime below": {changes: map[int][]change{0: {old(two)}}},
		"lifetime, but it drew to live longer": {
			changes: map[int][]change{0: {old(two + 12*time.Minute), drew(0.5)}},
		},
		"memory once":     {changes: map[int][]change{0: {heavy(1), weighs(150)}}},
		"memory twice":    {changes: map[int][]change{0: {heavy(2), weighs(150)}}, want: []watchdog.Ruling{ruled(watchdog.Memory, 0)}},
		"too much memory": {changes: map[int][]change{0: {weighs(201)}}, want: []watchdog.Ruling{ruled(watchdog.MemoryHard, 0)}},
		"too much memory, at any age": {
			changes: map[int][]change{0: {weighs(201), old(time.Second)}}, want: []watchdog.Ruling{ruled(watchdog.MemoryHard, 0)},
		},
		"goroutines":  {changes: map[int][]change{2: {many}}, want: []watchdog.Ruling{ruled(watchdog.Goroutines, 2)}},
		"descriptors": {changes: map[int][]change{2: {open}}, want: []watchdog.Ruling{ruled(watchdog.Descriptors, 2)}},
		"one at a time, the gravest reason first": {
			changes: map[int][]change{0: {served(5000), old(two + 2)}, 1: {heavy(2)}, 2: {weighs(300)}},
			want:    []watchdog.Ruling{ruled(watchdog.MemoryHard, 2)},
		},
		"of equals the oldest first": {
			changes: map[int][]change{0: {many}, 1: {many, old(90 * time.Minute)}, 2: {many}},
			want:    []watchdog.Ruling{ruled(watchdog.Goroutines, 1)},
		},
		"of twins the first place": {
			changes: map[int][]change{1: {many}, 2: {many}}, want: []watchdog.Ruling{ruled(watchdog.Goroutines, 1)},
		},
		"not while another is recycled": {
			changes: map[int][]change{0: {many}}, alter: func(s *watchdog.Sight) { s.Recycling = true },
		},
		"not while anything is stuck": {
			changes: map[int][]change{0: {many}, 1: {busy(abandoned(1, time.Minute))}}, want: []watchdog.Ruling{ruled(watchdog.Wedged, 1, 1)},
		},
		"not while something stuck has to wait for its turn": {
			changes: map[int][]change{0: {many}, 1: {busy(abandoned(1, time.Minute))}},
			alter: func(s *watchdog.Sight) {
				w := ready(1)
				in(watchdog.Dumping, watchdog.Wedged)(&w)
				s.Workers = append(s.Workers, w)
			},
		},
		"not while another place is gated":         {changes: map[int][]change{0: {many}, 1: {gated}}},
		"not while another place starts":           {changes: map[int][]change{0: {many}, 1: {in(watchdog.Starting, watchdog.None)}}},
		"not while another place is silent":        {changes: map[int][]change{0: {many}, 1: {stale}}},
		"not while another place is empty":         {changes: map[int][]change{0: {many}}, alter: func(s *watchdog.Sight) { s.Workers = s.Workers[:2] }},
		"a worker that is being replaced is not":   {changes: map[int][]change{0: {many, in(watchdog.Ready, watchdog.Reload)}}},
		"a spare is not":                           {changes: map[int][]change{0: {many, in(watchdog.Spare, watchdog.None)}}},
		"a gated worker is, when all others serve": {changes: map[int][]change{0: {many, gated}}, want: []watchdog.Ruling{ruled(watchdog.Goroutines, 0)}},
		"a limit of zero is none": {
			changes: map[int][]change{0: {many, open, heavy(9), weighs(9000), old(9000 * time.Hour), served(1 << 60)}},
			alter:   func(s *watchdog.Sight) { s.Policy.Recycle = watchdog.Recycle{} },
		},
	} {
		t.Run(fact, func(t *testing.T) {
			t.Parallel()
			s := with(3, c.changes)
			s.Policy.Recycle = watchdog.Recycle{
				Requests: 1000, Lifetime: two, Memory: 100 << 20, MemoryHard: 200 << 20, Goroutines: 1000, Descriptors: 500,
			}
			if c.alter != nil {
				c.alter(&s)
			}
			if diff := cmp.Diff(c.want, verdicts(t, s)); diff != "" {
				t.Errorf("rulings (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("a pool of one", func(t *testing.T) {
		t.Parallel()
		s := with(1, map[int][]change{0: {many}})
		s.Policy.Recycle.Goroutines = 1000
		if diff := cmp.Diff([]watchdog.Ruling{ruled(watchdog.Goroutines, 0)}, verdicts(t, s)); diff != "" {
			t.Errorf("rulings (-want +got):\n%s", diff)
		}
	})
}
