package scoreboard_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

var (
	names   = []string{"requests_total", "errors_total", "bytes_total"}
	workers = []watchdog.ID{{Pool: "http"}, {Pool: "http", Index: 1}, {Pool: "a-pool-with-31-letters-in-its-na"}}
)

func create(t *testing.T, l scoreboard.Layout) (*scoreboard.Board, *os.File) {
	t.Helper()
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

func region(t *testing.T, b *scoreboard.Board, id watchdog.ID) *scoreboard.Region {
	t.Helper()
	r, err := b.Region(id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWhatOneMappingWritesAnotherReads(t *testing.T) {
	t.Parallel()
	b, f := create(t, scoreboard.Layout{Workers: workers, Counters: names})
	other, err := scoreboard.Open(f, names)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	var wg sync.WaitGroup
	for _, board := range []*scoreboard.Board{b, other} {
		for range 4 {
			wg.Go(func() {
				for range 1000 {
					region(t, board, workers[1]).Add(2, 3)
				}
			})
		}
	}
	wg.Wait()
	region(t, other, workers[0]).Add(2, 1)
	s := b.Snapshot()
	if len(s.Workers) != len(workers) {
		t.Fatalf("%d workers", len(s.Workers))
	}
	for i, w := range s.Workers {
		if w.ID != workers[i] || w.State != watchdog.Absent || w.PID != 0 {
			t.Errorf("worker %d: %+v", i, w)
		}
	}
	if got := s.Workers[1].Counters; got[0] != 0 || got[2] != 24000 {
		t.Errorf("counters: %v", got)
	}
	if got := s.Totals("http"); got[2] != 24001 {
		t.Errorf("totals: %v", got)
	}
	if got := s.Totals("nobody"); got != nil {
		t.Errorf("totals of no pool: %v", got)
	}
	if got := region(t, b, workers[1]).Value(2); got != 24000 {
		t.Errorf("value: %d", got)
	}
}

func TestOnlyTheNamedIncarnationIsShown(t *testing.T) {
	t.Parallel()
	b, _ := create(t, scoreboard.Layout{Workers: workers, Counters: names})
	r := region(t, b, workers[0])
	show := func() scoreboard.Worker { return b.Snapshot().Workers[0] }

	r.Begin(1, 100, watchdog.Starting)
	if w := show(); w.PID != 100 || w.Incarnation != 1 || w.State != watchdog.Starting || w.Heartbeat != 0 || w.Started == 0 {
		t.Errorf("begun: %+v", w)
	}
	r.Beat(1)
	r.SetState(1, watchdog.Ready)
	if w := show(); w.Heartbeat < w.Started || w.State != watchdog.Ready {
		t.Errorf("alive: %+v", w)
	}
	beat := show().Heartbeat
	r.Beat(2)
	r.SetState(2, watchdog.Starting)
	if w := show(); w.Heartbeat != beat || w.State != watchdog.Ready {
		t.Errorf("a successor that was not promoted shows: %+v", w)
	}
	r.Begin(2, 200, watchdog.Ready)
	r.Beat(1)
	r.SetState(1, watchdog.Absent)
	if w := show(); w.Heartbeat != 0 || w.PID != 200 || w.State != watchdog.Ready {
		t.Errorf("a predecessor that retires shows: %+v", w)
	}
	r.SetState(2, watchdog.Absent)
	r.CountDeath()
	if w := show(); w.PID != 0 || w.State != watchdog.Absent || w.Deaths != 1 || w.Incarnation != 2 {
		t.Errorf("dead: %+v", w)
	}
}

func TestHeartbeatAgeCountsFromTheStartBeforeTheFirst(t *testing.T) {
	t.Parallel()
	s := scoreboard.Snapshot{Now: int64(10 * time.Second)}
	for _, c := range []struct {
		w    scoreboard.Worker
		want time.Duration
	}{
		{scoreboard.Worker{Started: int64(4 * time.Second)}, 6 * time.Second},
		{scoreboard.Worker{Started: int64(4 * time.Second), Heartbeat: int64(9 * time.Second)}, time.Second},
	} {
		if got := s.HeartbeatAge(c.w); got != c.want {
			t.Errorf("HeartbeatAge(%+v) = %s, want %s", c.w, got, c.want)
		}
	}
}

func TestImpossibleLayoutsAreRefused(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]scoreboard.Layout{
		"nobody":         {},
		"twice the same": {Workers: []watchdog.ID{{Pool: "a"}, {Pool: "a"}}},
		"no name":        {Workers: []watchdog.ID{{}}},
		"long name":      {Workers: []watchdog.ID{{Pool: strings.Repeat("a", 33)}}},
		"negative":       {Workers: []watchdog.ID{{Pool: "a", Index: -1}}},
	} {
		if _, _, err := scoreboard.Create(l); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	b, _ := create(t, scoreboard.Layout{Workers: workers})
	if _, err := b.Region(watchdog.ID{Pool: "other"}); err == nil {
		t.Error("a region that is not there was found")
	}
}

func TestCountersMayNeedSeveralPages(t *testing.T) {
	t.Parallel()
	many := make([]string, 3000)
	for i := range many {
		many[i] = strings.Repeat("x", i%7) + string(rune('a'+i%26))
	}
	b, _ := create(t, scoreboard.Layout{Workers: workers, Counters: many})
	for i, id := range workers {
		region(t, b, id).Add(2999, uint64(i+1))
		region(t, b, id).Add(0, 7)
	}
	for i, w := range b.Snapshot().Workers {
		if w.Counters[2999] != uint64(i+1) || w.Counters[0] != 7 || w.ID != workers[i] {
			t.Errorf("worker %d: first %d, last %d", i, w.Counters[0], w.Counters[2999])
		}
	}
}

func TestForeignFilesAreRefused(t *testing.T) {
	t.Parallel()
	_, f := create(t, scoreboard.Layout{Workers: workers, Counters: names})
	good := make([]byte, 4*4096)
	if _, err := f.ReadAt(good, 0); err != nil {
		t.Fatal(err)
	}
	word := func(i int, v uint64) func([]byte) []byte {
		return func(b []byte) []byte { binary.NativeEndian.PutUint64(b[i*8:], v); return b }
	}
	for name, c := range map[string]struct {
		change   func([]byte) []byte
		counters []string
	}{
		"empty":                  {func([]byte) []byte { return nil }, names},
		"header cut":             {func(b []byte) []byte { return b[:20] }, names},
		"header only":            {func(b []byte) []byte { return b[:4096] }, names},
		"one byte short":         {func(b []byte) []byte { return b[:len(b)-1] }, names},
		"one page more":          {func(b []byte) []byte { return append(b, make([]byte, 4096)...) }, names},
		"not a scoreboard":       {word(0, 1), names},
		"another version":        {word(1, 2), names},
		"no regions":             {word(3, 0), names},
		"too many regions":       {word(3, 1<<40), names},
		"another size":           {word(4, 8192), names},
		"absurd counters":        {word(5, 1<<60), names},
		"same worker twice":      {func(b []byte) []byte { copy(b[2*4096:3*4096], b[4096:2*4096]); return b }, names},
		"fewer counters":         {func(b []byte) []byte { return b }, names[:2]},
		"other counters":         {func(b []byte) []byte { return b }, []string{"a", "b", "c"}},
		"the same in one string": {func(b []byte) []byte { return b }, []string{strings.Join(names, ""), "", ""}},
	} {
		path := filepath.Join(t.TempDir(), "board")
		if err := os.WriteFile(path, c.change(append([]byte(nil), good...)), 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := scoreboard.Open(file, c.counters); err == nil {
			t.Errorf("%s was accepted", name)
			_ = b.Close()
		}
		_ = file.Close()
	}
}

func TestNobodyCanCutTheFile(t *testing.T) {
	t.Parallel()
	_, f := create(t, scoreboard.Layout{Workers: workers, Counters: names})
	if err := f.Truncate(0); err == nil {
		t.Error("the file was truncated under its readers")
	}
}

func TestAnUnlinkedFileServesWithoutMemfd(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	f, err := scoreboard.CreateUnlinked(3 * 4096)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() != 3*4096 {
		t.Errorf("size %v, %v", info, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("the file has a name: %v, %v", left, err)
	}
}

func FuzzOpen(f *testing.F) {
	b, file, err := scoreboard.Create(scoreboard.Layout{Workers: workers[:1], Counters: names})
	if err != nil {
		f.Fatal(err)
	}
	defer b.Close()
	good := make([]byte, 2*4096)
	if _, err := file.ReadAt(good, 0); err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:48])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "board")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		b, err := scoreboard.Open(file, names)
		if err != nil {
			return
		}
		b.Snapshot()
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	board, _, err := scoreboard.Create(scoreboard.Layout{Workers: workers, Counters: names})
	if err != nil {
		b.Fatal(err)
	}
	r, err := board.Region(workers[0])
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		r.Add(0, 1)
	}
}
