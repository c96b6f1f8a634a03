package scoreboard_test

import (
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "child" {
		os.Exit(childMain())
	}
	goleak.VerifyTestMain(m)
}

func layout() scoreboard.Layout {
	return scoreboard.Layout{
		Pools: []scoreboard.PoolLayout{
			{Name: "http", Regions: 3, Slots: 1024},
			{Name: "a-pool-with-32-letters-in-its-nam", Regions: 64},
		},
		Counters: []string{"requests", "errors", "bytes"},
		Routes:   []string{"/", "/hooks"},
	}
}

func create(t testing.TB) (*scoreboard.Board, *os.File) {
	t.Helper()
	l := layout()
	l.Pools[1].Name = l.Pools[1].Name[:32]
	b, f, err := scoreboard.Create(l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		_ = f.Close()
	})
	return b, f
}

func region(t testing.TB, b *scoreboard.Board, i int) *scoreboard.Region {
	t.Helper()
	p, err := b.Pool("http")
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Region(i)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWhatOneMappingWritesAnotherReads(t *testing.T) {
	t.Parallel()
	b, f := create(t)
	other, err := scoreboard.Open(f)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	r := region(t, b, 1)
	r.Begin(7, 1)
	r.SetPID(100)
	r.SetState(watchdog.Ready)
	r.Promote()
	r.Add(2, 5)
	r.Count(scoreboard.SoftKills, 2)
	r.Observe(1, 3*time.Millisecond)
	r.Observe(1, time.Minute)
	vitals := scoreboard.Vitals{Goroutines: 9, Runnable: 2, Latency: time.Second, Procs: 4, Every: 300 * time.Millisecond}
	r.Beat(vitals)
	r.Pool().Set(scoreboard.Places, 2)
	r.Pool().CountEnd(watchdog.Wedged)

	s := other.Snapshot()
	p := s.Pool("http")
	if len(p.Workers) != 1 || p.Counters[2] != 5 || p.Soft[scoreboard.SoftKills] != 2 || p.Places != 2 || p.Ends[watchdog.Wedged] != 1 {
		t.Fatalf("pool: %+v", p)
	}
	w := p.Workers[0]
	if w.ID != (watchdog.ID{Pool: "http", Index: 1}) || w.PID != 100 || w.Incarnation != 7 || w.State != watchdog.Ready || !w.Accepting {
		t.Errorf("worker: %+v", w)
	}
	if w.Vitals != vitals || r.Heard() != w.Heartbeat+int64(200*time.Millisecond) {
		t.Errorf("vitals: %+v", w.Vitals)
	}
	if age := s.HeartbeatAge(w); age < 0 || age > time.Minute {
		t.Errorf("heartbeat is %s old", age)
	}
	h := p.Histograms[1]
	if h.Count() != 2 || h.Counts[2] != 1 || h.Counts[len(scoreboard.Bounds())] != 1 || h.Sum != time.Minute+3*time.Millisecond {
		t.Errorf("histogram: %+v", h)
	}
	if got := s.Pool("nobody"); got.Name != "" {
		t.Errorf("a pool that is not there: %+v", got)
	}
}

func TestANewIncarnationForgetsSlotsAndKeepsCounts(t *testing.T) {
	t.Parallel()
	b, _ := create(t)
	r := region(t, b, 0)
	r.Begin(1, 0)
	r.Add(0, 3)
	r.Observe(0, time.Second)
	r.Use(2)
	slot := &r.Slots()[1]
	slot.Set(scoreboard.Token(0).Next(scoreboard.Running))
	slot.Complete()
	r.ReportDeadlock()
	r.SetDumping(5)
	r.Remember(scoreboard.Memory{Heap: 9})
	r.CountIncident(watchdog.Stalled)
	r.ObserveDump(time.Millisecond)
	if w := r.Worker(); w.Served != 1 || len(w.Busy) != 1 || !w.Deadlock || w.Dumping != 5 {
		t.Fatalf("before: %+v", w)
	}
	r.SetState(watchdog.Absent)
	if n := len(b.Snapshot().Pool("http").Workers); n != 0 {
		t.Errorf("%d workers after the end of the only one", n)
	}
	r.Begin(2, 0)
	if w := r.Worker(); w.Served != 0 || w.Busy != nil || w.Deadlock || w.Dumping != 0 || w.Memory.Heap != 0 || w.Incarnation != 2 || w.State != watchdog.Starting {
		t.Errorf("after: %+v", w)
	}
	if p := b.Snapshot().Pool("http"); p.Counters[0] != 3 || p.Histograms[0].Count() != 1 || p.Incidents[watchdog.Stalled] != 1 || p.OwnDumps.Counts[0] != 1 {
		t.Errorf("counts were lost: %v %v", p.Counters, p.Histograms[0])
	}
	if slot.Token() != 0 {
		t.Errorf("slot kept its token %x", slot.Token())
	}
}

func TestTheLastWorkerThatIsAliveCannotLeave(t *testing.T) {
	t.Parallel()
	const fresh = time.Minute
	b, _ := create(t)
	one, two := region(t, b, 0), region(t, b, 1)
	for i, r := range []*scoreboard.Region{one, two} {
		r.Begin(1, i)
		r.Promote()
		r.Beat(scoreboard.Vitals{})
	}
	if !one.Gate(fresh) || one.Accepting() {
		t.Fatal("one of two was not gated")
	}
	if two.Gate(fresh) || !two.Accepting() {
		t.Error("the last one was gated")
	}
	if !one.Gate(fresh) {
		t.Error("who is gated is not gated")
	}
	one.Ungate()
	if !one.Accepting() || !two.Gate(fresh) {
		t.Error("the gate did not open")
	}
	two.Begin(2, 1) // has not beaten yet
	two.Promote()
	one.Beat(scoreboard.Vitals{})
	if one.Gate(fresh) {
		t.Error("one was gated although the other has no heartbeat")
	}
	if !two.Gate(fresh) {
		t.Error("the silent one was kept")
	}
	two.Ungate()
	two.Beat(scoreboard.Vitals{})
	two.Dismiss()
	if one.Gate(fresh) {
		t.Error("one was gated although the other must not accept")
	}
	two.Ungate()
	if two.Accepting() {
		t.Error("a dismissed worker let itself in again")
	}
}

func TestOfManyThatWantToLeaveAtOnceOneStays(t *testing.T) {
	t.Parallel()
	b, _ := create(t)
	for range 2000 {
		var left [3]bool
		done := make(chan int, 3)
		for i := range left {
			r := region(t, b, i)
			r.Begin(1, i)
			r.Promote()
			r.Beat(scoreboard.Vitals{})
		}
		for i := range left {
			go func() {
				left[i] = region(t, b, i).Gate(time.Minute)
				done <- i
			}()
		}
		n := 0
		for range left {
			if left[<-done] {
				n++
			}
		}
		if n != 2 {
			t.Fatalf("%d of 3 left", n)
		}
	}
}

func TestImpossibleLayoutsAreRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*scoreboard.Layout){
		"nobody":           func(l *scoreboard.Layout) { l.Pools = nil },
		"twice the same":   func(l *scoreboard.Layout) { l.Pools[1].Name = "http" },
		"no name":          func(l *scoreboard.Layout) { l.Pools[0].Name = "" },
		"long name":        func(*scoreboard.Layout) {}, // as it is: 33 letters
		"no region":        func(l *scoreboard.Layout) { l.Pools[0].Regions = 0 },
		"too many regions": func(l *scoreboard.Layout) { l.Pools[0].Regions = 65 },
		"negative slots":   func(l *scoreboard.Layout) { l.Pools[0].Slots = -1 },
	} {
		l := layout()
		if name != "long name" {
			l.Pools[1].Name = "other"
		}
		change(&l)
		if _, _, err := scoreboard.Create(l); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	b, _ := create(t)
	if _, err := b.Pool("other"); err == nil {
		t.Error("a pool that is not there was found")
	}
	if _, err := b.Pools()[0].Region(3); err == nil {
		t.Error("a region that is not there was found")
	}
}

func TestRoomForManyNames(t *testing.T) {
	t.Parallel()
	l := scoreboard.Layout{Pools: []scoreboard.PoolLayout{{Name: "a", Regions: 2, Slots: 3}, {Name: "b", Regions: 1, Slots: 1}}}
	for i := range 3000 {
		l.Counters = append(l.Counters, string(rune('a'+i%26)))
	}
	l.Routes = l.Counters[:101]
	b, f, err := scoreboard.Create(l)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	defer b.Close()
	n := uint64(0)
	for _, p := range b.Pools() {
		for _, r := range p.Regions() {
			n++
			r.Begin(n, 0)
			r.Add(2999, n)
			r.Add(0, 7*n)
			r.Observe(100, time.Duration(n))
			for i := range r.Slots() {
				r.Slots()[i].Set(scoreboard.Token(n).Next(scoreboard.Idle))
			}
		}
	}
	n = 0
	for _, p := range b.Pools() {
		for _, r := range p.Regions() {
			n++
			if w := r.Worker(); w.Incarnation != n || r.Value(2999) != n || r.Value(0) != 7*n || r.Histogram(100).Sum != time.Duration(n) {
				t.Errorf("region %d has something of another: %+v", n, w)
			}
		}
	}
}
