package journal_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/journal"
)

var noon = time.Unix(1700000000, 42).UTC()

func incidents(t *testing.T, c journal.IncidentsConfig) *journal.Incidents {
	t.Helper()
	s, err := journal.NewIncidents(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func write(t *testing.T, s *journal.Incidents, i watchdog.Incident, dump string) {
	t.Helper()
	if err := s.Write(i, []byte(dump)); err != nil {
		t.Fatal(err)
	}
}

func list(t *testing.T, dir string, f journal.Filter) []watchdog.Incident {
	t.Helper()
	found, err := journal.List(dir, f)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func ids(found []watchdog.Incident) string {
	var all []string
	for _, i := range found {
		all = append(all, i.ID)
	}
	return strings.Join(all, " ")
}

// at returns an incident that happened so many seconds after noon.
func at(seconds int, s watchdog.Severity) watchdog.Incident {
	return watchdog.Incident{ID: fmt.Sprintf("i%05d", seconds), Time: noon.Add(time.Duration(seconds) * time.Second), Severity: s, Pool: "http"}
}

func TestAnIncidentIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "deep", "incidents")
	i := watchdog.Incident{
		ID: watchdog.NewIncidentID(noon), Time: noon, Severity: watchdog.Killing, Reason: "wedged", Verdict: "stuck <in> a \"lock\"",
		Pool: "http", Index: 1, Incarnation: 7, PID: 4711,
		Stuck: []watchdog.Stuck{{Request: "r1", Route: "/a", Client: "127.0.0.1:1", Slot: 3, AgeMS: 4000, Outcome: "504 from the worker"}},
		Lost:  []watchdog.Stuck{{Request: "r2", Route: "/b", Slot: 4, AgeMS: 10, Outcome: "closed"}},
		Evidence: watchdog.Evidence{
			Threads: []watchdog.Thread{{TID: 1, State: "S", Wait: "futex_wait_queue", CPUMS: 3}},
			Locks:   []watchdog.LockState{{Name: "queue", Holder: "r1", Waiters: []string{"r2"}, Proven: true}},
			Stacks:  []watchdog.Stack{{Goroutine: 9, Request: "r1", State: "sync.Mutex.Lock", Frames: []string{"main.a", "main.b"}}},
			Process: watchdog.Process{RSSBytes: 1 << 20, Goroutines: 8},
		},
		Timeline: []watchdog.Moment{{AfterMS: -4000, What: "begun"}, {AfterMS: 0, What: "noticed"}},
	}
	write(t, incidents(t, journal.IncidentsConfig{Dir: dir}), i, "goroutine 1 [running]:\n")
	i.Evidence.Dump = i.ID + ".dump"
	got, dump, err := journal.Load(dir, i.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(i, got); diff != "" {
		t.Error(diff)
	}
	if content, err := os.ReadFile(dump); err != nil || string(content) != "goroutine 1 [running]:\n" {
		t.Errorf("the dump: %q, %v", content, err)
	}
	if diff := cmp.Diff([]watchdog.Incident{i}, list(t, dir, journal.Filter{})); diff != "" {
		t.Error(diff)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("files: %v, %v", entries, err)
	}
}

func TestListingSelectsAndIsNewestFirst(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := incidents(t, journal.IncidentsConfig{Dir: dir})
	for n := range 6 {
		i := at(n, watchdog.Warning)
		if n%2 == 1 {
			i.Severity = watchdog.Killing
		}
		if n >= 4 {
			i.Pool = "runner"
		}
		write(t, s, i, "")
	}
	for want, f := range map[string]journal.Filter{
		"i00005 i00004 i00003 i00002 i00001 i00000": {},
		"i00005 i00004":        {Limit: 2},
		"i00005 i00003 i00001": {Severity: watchdog.Killing},
		"i00003 i00002":        {Pool: "http", Limit: 2},
		"i00005 i00004 i00003": {Since: noon.Add(3 * time.Second)},
		"":                     {Pool: "none"},
	} {
		if got := ids(list(t, dir, f)); got != want {
			t.Errorf("%+v: got %q, want %q", f, got, want)
		}
	}
	if got := list(t, filepath.Join(dir, "none"), journal.Filter{}); len(got) != 0 {
		t.Errorf("a directory that is not there: %+v", got)
	}
}

func TestAnIncidentIsFoundByTheBeginningOfItsID(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := incidents(t, journal.IncidentsConfig{Dir: dir})
	for _, id := range []string{"abc", "abcd", "xyz"} {
		write(t, s, watchdog.Incident{ID: id, Time: noon}, "")
	}
	for prefix, want := range map[string]string{"abc": "abc", "abcd": "abcd", "x": "xyz", "XY": "xyz"} {
		i, dump, err := journal.Load(dir, prefix)
		if err != nil || i.ID != want || dump != "" {
			t.Errorf("%q: %s, %q, %v", prefix, i.ID, dump, err)
		}
	}
	for prefix, want := range map[string]error{"ab": journal.ErrAmbiguous, "q": journal.ErrNotFound, "": journal.ErrNotFound, "../abc": journal.ErrNotFound} {
		if _, _, err := journal.Load(dir, prefix); !errors.Is(err, want) {
			t.Errorf("%q: %v", prefix, err)
		}
	}
	if _, _, err := journal.Load(filepath.Join(dir, "none"), "abc"); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("no directory: %v", err)
	}
}

func TestAWarningThatBecomesAKillingKeepsItsID(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := incidents(t, journal.IncidentsConfig{Dir: dir})
	warning := at(0, watchdog.Warning)
	warning.Evidence.Locks = []watchdog.LockState{{Name: "queue"}}
	killing := at(0, watchdog.Killing)
	write(t, s, warning, "first")
	write(t, s, killing, "")
	i, dump, err := journal.Load(dir, warning.ID)
	if err != nil || i.Severity != watchdog.Killing || len(i.Evidence.Locks) != 1 {
		t.Fatalf("%+v, %v", i, err)
	}
	if content, _ := os.ReadFile(dump); string(content) != "first" {
		t.Errorf("the dump: %q", content)
	}
	write(t, s, killing, "second")
	if content, _ := os.ReadFile(dump); string(content) != "second" {
		t.Errorf("a later dump: %q", content)
	}
	write(t, s, warning, "") // late
	if got := list(t, dir, journal.Filter{}); len(got) != 1 || got[0].Severity != watchdog.Killing {
		t.Errorf("after a late warning: %+v", got)
	}
}

// Writers never wait for each other, and nothing that one of them says is lost.
func TestManyWritersOfOneIncidentLoseNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const writers = 8
	var wg sync.WaitGroup
	for n := range writers {
		s := incidents(t, journal.IncidentsConfig{Dir: dir})
		wg.Go(func() {
			i := at(0, watchdog.Warning)
			i.Timeline = []watchdog.Moment{{AfterMS: int64(n), What: fmt.Sprint(n)}}
			i.Stuck = []watchdog.Stuck{{Request: fmt.Sprint(n), Slot: n}}
			if err := s.Write(i, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got := list(t, dir, journal.Filter{})
	if len(got) != 1 || len(got[0].Timeline) != writers || len(got[0].Stuck) != writers {
		t.Errorf("%+v", got)
	}
}

// Two writers exchange their file for the same record in the same moment.
func TestWhoIsOvertakenPutsBackWhatHeReplaced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := incidents(t, journal.IncidentsConfig{Dir: dir})
	write(t, s, at(1, watchdog.Warning), "")
	path, temporary := filepath.Join(dir, "i00001.json"), filepath.Join(dir, ".new-mine")
	if err := os.WriteFile(temporary, []byte(`{"id":"i00001","severity":"warning","reason":"mine"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	got, done, err := journal.Overtake(temporary, path, func() { write(t, s, at(1, watchdog.Killing), "") })
	if err != nil || done || got.Severity != watchdog.Killing || got.Reason != "mine" {
		t.Errorf("%+v, %v, %v", got, done, err)
	}
	if exists(temporary) {
		t.Error("a temporary file is left")
	}
}

func TestALargeRecordIsShortenedAndReadable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	i := at(0, watchdog.Killing)
	for n := range 60000 {
		i.Lost = append(i.Lost, watchdog.Stuck{Request: fmt.Sprint(n), Route: "/a", Slot: n, Outcome: "closed"})
	}
	i.Stuck = i.Lost[:4]
	write(t, incidents(t, journal.IncidentsConfig{Dir: dir}), i, "")
	got, _, err := journal.Load(dir, i.ID)
	if err != nil || len(got.Lost) == 0 || len(got.Lost) == 60000 || got.Lost[0].Request != "0" {
		t.Errorf("%d lost requests, %v", len(got.Lost), err)
	}
}

func TestWhatIsNoIncidentIsPassedOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := incidents(t, journal.IncidentsConfig{Dir: dir, MaxCount: 2})
	write(t, s, at(1, watchdog.Killing), "")
	whole, err := os.ReadFile(filepath.Join(dir, "i00001.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"torn.json": whole[:len(whole)/2], "other.json": whole, "empty.json": nil, "null.json": []byte("null"),
		"NOTES.json": whole, "README": []byte("hello"), "zz.dump": []byte("stacks"), ".new-i00009.json.1": whole,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "d.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("i00001.json", filepath.Join(dir, "link.json")); err != nil {
		t.Fatal(err)
	}
	if got := ids(list(t, dir, journal.Filter{})); got != "i00001" {
		t.Errorf("got %q", got)
	}
	if _, _, err := journal.Load(dir, "torn"); !errors.Is(err, journal.ErrDamaged) {
		t.Errorf("a torn record: %v", err)
	}
	write(t, s, at(2, watchdog.Killing), "") // removes damaged records first
	if got := ids(list(t, dir, journal.Filter{})); got != "i00002 i00001" {
		t.Errorf("after one more: %q", got)
	}
	if exists(filepath.Join(dir, "torn.json")) || !exists(filepath.Join(dir, "README")) || !exists(filepath.Join(dir, "NOTES.json")) {
		t.Error("a damaged record was kept, or a foreign file removed")
	}
}

func TestADamagedRecordIsWrittenAnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "i00001.json"), []byte(`{"id":"i00`), 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, incidents(t, journal.IncidentsConfig{Dir: dir}), at(1, watchdog.Warning), "")
	if got := ids(list(t, dir, journal.Filter{})); got != "i00001" {
		t.Errorf("got %q", got)
	}
}

func TestAnIDThatMeansSomethingToAFileSystemIsRefused(t *testing.T) {
	t.Parallel()
	s := incidents(t, journal.IncidentsConfig{Dir: t.TempDir()})
	for _, id := range []string{"", "..", "../x", "a/b", "a.b", "A", ".new-x", strings.Repeat("a", 65)} {
		if err := s.Write(watchdog.Incident{ID: id}, nil); err == nil {
			t.Errorf("%q was accepted", id)
		}
	}
}

func TestIncidentsConfigIsChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []journal.IncidentsConfig{{}, {Dir: "x", MaxCount: -1}, {Dir: "x", MaxBytes: -1}, {Dir: "x", MaxBytes: 100}} {
		if _, err := journal.NewIncidents(c); err == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.NewIncidents(journal.IncidentsConfig{Dir: file}); err == nil {
		t.Error("a file was taken for a directory")
	}
}

func FuzzIncidents(f *testing.F) {
	f.Add([]byte(`{"id":"i00001","time":"2026-01-02T03:04:05Z","severity":"killing","pool":"http"}`))
	f.Add([]byte(`{"id":"i00001","severity":7}`))
	f.Add([]byte(`{"severity":{"severity":"killing"},"id":"i00001"`))
	f.Add([]byte("[]"))
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		path := filepath.Join(dir, "i00001.json")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		before := list(t, dir, journal.Filter{})
		_, _, err := journal.Load(dir, "i00001")
		if len(before) > 1 || (err == nil) != (len(before) == 1) {
			t.Fatalf("listed %d, loaded: %v", len(before), err)
		}
		s := incidents(t, journal.IncidentsConfig{Dir: dir, MaxCount: 2})
		write(t, s, at(1, watchdog.Killing), "")
		after := list(t, dir, journal.Filter{})
		if len(after) != 1 || after[0].Severity != watchdog.Killing {
			t.Fatalf("after writing it: %+v", after)
		}
		if len(before) == 1 {
			merged := journal.Merge(before[0], at(1, watchdog.Killing))
			if again := journal.Merge(merged, at(1, watchdog.Killing)); !cmp.Equal(merged, again) {
				t.Errorf("merging twice: %s", cmp.Diff(merged, again))
			}
		}
		write(t, s, at(2, watchdog.Warning), "")
		write(t, s, at(3, watchdog.Warning), "")
		if got := ids(list(t, dir, journal.Filter{})); got != "i00003 i00001" && got != "i00001 i00003" {
			t.Errorf("left: %s", got)
		}
	})
}
