package scoreboard_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

func TestTheMasterTellsOfItself(t *testing.T) {
	t.Parallel()
	b, _ := create(t)
	if got := b.Snapshot().Master; !cmp.Equal(got, scoreboard.MasterState{}) {
		t.Errorf("before the beginning: %+v", got)
	}
	begun := time.Unix(1_800_000_000, 5)
	m := b.Master()
	m.Begin(begun)
	m.Pass()
	m.Pass()
	m.Overslept(time.Second)
	m.Overslept(time.Second)
	m.SetLost(7)
	s := b.Snapshot()
	if s.Master.Pass == 0 || s.Master.Pass > s.Now {
		t.Errorf("passed at %d, now is %d", s.Master.Pass, s.Now)
	}
	s.Master.Pass = 0
	want := scoreboard.MasterState{Begun: begun, Passes: 2, Overslept: 2 * time.Second, Lost: 7}
	if diff := cmp.Diff(want, s.Master); diff != "" {
		t.Error(diff)
	}
}

func TestWhatTheMasterCountsForAPool(t *testing.T) {
	t.Parallel()
	b, _ := create(t)
	p := b.Pools()[0]
	p.Set(scoreboard.Places, 2)
	p.CountKill(watchdog.Wedged)
	p.CountIncident(watchdog.Stalled) // the last of the reasons
	p.CountIncident(watchdog.Crash)
	region(t, b, 0).CountIncident(watchdog.Crash)
	p.ObserveDump(time.Minute)
	p.AddCPU(0, time.Second)
	p.AddCPU(1, 2*time.Second)
	p.AddCPU(1, time.Second)
	p.AddCPU(255, time.Hour) // a place of a larger pool
	p.AddCPU(-1, time.Hour)  // a spare
	p.AddCPU(256, time.Hour)
	s := b.Snapshot().Pools[0]
	if s.Kills[watchdog.Wedged] != 1 || s.Ends[watchdog.Wedged] != 0 || s.Incidents[watchdog.Stalled] != 1 || s.Incidents[watchdog.Crash] != 2 {
		t.Errorf("kills %v, ends %v, incidents %v", s.Kills, s.Ends, s.Incidents)
	}
	if s.LastDumps.Count() != 1 || s.LastDumps.Sum != time.Minute || s.OwnDumps.Count() != 0 {
		t.Errorf("dumps %+v, own %+v", s.LastDumps, s.OwnDumps)
	}
	if diff := cmp.Diff([]time.Duration{time.Second, 3 * time.Second}, s.CPU); diff != "" {
		t.Error(diff)
	}
	if other := b.Snapshot().Pools[1]; other.Kills != [watchdog.Reasons]uint64{} || p.CPU(255) != time.Hour || p.CPU(-1) != 0 {
		t.Errorf("another pool: %+v", other)
	}
}

func TestBoundsAreTheLimitsThatArePromised(t *testing.T) {
	t.Parallel()
	known := map[time.Duration]bool{}
	for i, b := range scoreboard.Bounds() {
		if i > 0 && b <= scoreboard.Bounds()[i-1] {
			t.Errorf("%s is not above %s", b, scoreboard.Bounds()[i-1])
		}
		known[b] = true
	}
	for _, ms := range []time.Duration{25, 30, 100, 200, 2500} {
		if !known[ms*time.Millisecond] {
			t.Errorf("%d ms is no bound", ms)
		}
	}
}
