package watchdog_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/watchdog"
)

func TestStalledDependencyKillsNobody(t *testing.T) {
	t.Parallel()
	const db, api = "net.(*netFD).Read postgres.go:10", "net.(*netFD).Read client.go:5"
	long := 15 * time.Second
	for fact, c := range map[string]struct {
		sight watchdog.Sight
		place string
		at    []int
		want  []watchdog.Ruling
	}{
		"two workers at one place": {
			sight: with(4, map[int][]change{0: {busy(at(db, abandoned(1, long)))}, 2: {busy(at(db, overdue(2, 1)), at(db, abandoned(3, 1)))}}),
			place: db, at: []int{0, 2},
		},
		"one worker alone is wedged": {
			sight: with(4, map[int][]change{0: {busy(at(db, abandoned(1, long)))}}),
			want:  []watchdog.Ruling{ruled(watchdog.Wedged, 0, 1)},
		},
		"two workers at two places are wedged": {
			sight: with(4, map[int][]change{0: {busy(at(db, abandoned(1, 2*long)))}, 1: {busy(at(api, abandoned(1, long)))}}),
			want:  []watchdog.Ruling{ruled(watchdog.Wedged, 0, 1)},
		},
		"two workers at no known place are wedged": {
			sight: with(4, map[int][]change{0: {busy(abandoned(1, 2*long))}, 1: {busy(abandoned(1, long))}}),
			want:  []watchdog.Ruling{ruled(watchdog.Wedged, 0, 1)},
		},
		"a worker that waits at two places is no witness": {
			sight: with(4, map[int][]change{0: {busy(at(db, abandoned(1, 2*long)), at(api, abandoned(2, 1)))}, 1: {busy(at(db, abandoned(1, long)))}}),
			want:  []watchdog.Ruling{ruled(watchdog.Wedged, 0, 1)},
		},
		"in whatever order": {
			sight: with(4, map[int][]change{0: {busy(at(api, abandoned(2, 1)), at(db, abandoned(1, 2*long)))}, 1: {busy(at(db, abandoned(1, long)))}}),
			want:  []watchdog.Ruling{ruled(watchdog.Wedged, 0, 1)},
		},
		"a worker that waits nobody knows where is no witness": {
			sight: with(4, map[int][]change{0: {busy(abandoned(2, 1), at(db, abandoned(1, 2*long)))}, 1: {busy(at(db, abandoned(1, long)))}}),
			want:  []watchdog.Ruling{ruled(watchdog.Wedged, 0, 1)},
		},
		"requests in time are no witnesses": {
			sight: with(4, map[int][]change{0: {busy(at(db, abandoned(1, long)))}, 1: {busy(at(db, overdue(1, -1)))}}),
			want:  []watchdog.Ruling{ruled(watchdog.Wedged, 0, 1)},
		},
		"requests in time speak for nothing else": {
			sight: with(4, map[int][]change{0: {busy(at(db, abandoned(1, long)), at(api, overdue(2, -1)))}, 1: {busy(at(db, abandoned(1, long)))}}),
			place: db, at: []int{0, 1},
		},
		"a worker on its way out is a witness": {
			sight: with(4, map[int][]change{0: {in(watchdog.Draining, watchdog.Wedged), busy(at(db, abandoned(1, long)))}, 1: {busy(at(db, abandoned(1, long)))}}),
			place: db, at: []int{0, 1},
		},
		"a killed worker is none": {
			sight: with(8, map[int][]change{0: {in(watchdog.Killed, watchdog.Wedged), busy(at(db, abandoned(1, long)))}, 1: {busy(at(db, abandoned(1, long)))}}),
			want:  []watchdog.Ruling{ruled(watchdog.Wedged, 1, 1)},
		},
		"a third worker is stuck elsewhere": {
			sight: with(4, map[int][]change{
				0: {busy(at(db, abandoned(1, long)))},
				1: {busy(at(db, abandoned(1, long)))},
				3: {busy(at(db, abandoned(1, long)), abandoned(6, long))},
			}),
			place: db, at: []int{0, 1},
			want: []watchdog.Ruling{ruled(watchdog.Wedged, 3, 1, 6)},
		},
		"a deadlock is no dependency": {
			sight: with(4, map[int][]change{
				0: {busy(at(db, abandoned(1, long))), func(w *watchdog.Seen) { w.Deadlock = true }},
				1: {busy(at(db, abandoned(1, long)))},
			}),
			place: db, at: []int{0, 1},
			want: []watchdog.Ruling{ruled(watchdog.Deadlock, 0, 1)},
		},
		"the place of most workers is named": {
			sight: with(5, map[int][]change{
				0: {busy(at(api, abandoned(1, long)))}, 1: {busy(at(api, abandoned(1, long)))},
				2: {busy(at(db, abandoned(1, long)))}, 3: {busy(at(db, abandoned(1, long)))}, 4: {busy(at(db, abandoned(1, long)))},
			}),
			place: db, at: []int{2, 3, 4},
		},
		"of equal places the first by name": {
			sight: with(4, map[int][]change{
				0: {busy(at(db, abandoned(1, long)))}, 1: {busy(at(db, abandoned(1, long)))},
				2: {busy(at(api, abandoned(1, long)))}, 3: {busy(at(api, abandoned(1, long)))},
			}),
			place: api, at: []int{2, 3},
		},
	} {
		t.Run(fact, func(t *testing.T) {
			t.Parallel()
			var at []int
			place, workers, ok := c.sight.Stall()
			for _, id := range workers {
				at = append(at, id.Index)
			}
			if place != c.place || ok != (place != "") || !slices.Equal(at, c.at) {
				t.Errorf("stall at %q in %v (%t), want %q in %v", place, at, ok, c.place, c.at)
			}
			if diff := cmp.Diff(c.want, verdicts(t, c.sight)); diff != "" {
				t.Errorf("rulings (-want +got):\n%s", diff)
			}
		})
	}
}
