package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/journal"
)

func TestKillingsOutliveWarnings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := incidents(t, journal.IncidentsConfig{Dir: dir, MaxCount: 4})
	for n := range 3 {
		write(t, s, at(n, watchdog.Killing), "stacks")
	}
	for n := 10; n < 13; n++ {
		write(t, s, at(n, watchdog.Warning), "stacks")
	}
	if got := ids(list(t, dir, journal.Filter{})); got != "i00012 i00002 i00001 i00000" {
		t.Errorf("after warnings: %s", got)
	}
	for n := 20; n < 23; n++ {
		write(t, s, at(n, watchdog.Killing), "stacks")
	}
	if got := ids(list(t, dir, journal.Filter{})); got != "i00022 i00021 i00020 i00002" {
		t.Errorf("after killings: %s", got)
	}
	write(t, s, at(24, watchdog.Killing), "")
	write(t, s, at(30, watchdog.Warning), "stacks")
	if got := ids(list(t, dir, journal.Filter{Limit: 2})); got != "i00030 i00024" {
		t.Errorf("the newest warning is gone: %s", got)
	}
	if dumps, err := filepath.Glob(filepath.Join(dir, "*.dump")); err != nil || len(dumps) != 3 {
		t.Errorf("dumps: %v, %v", dumps, err)
	}
}

func TestIncidentsStayWithinTheirBytes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const most = 64 << 10
	s := incidents(t, journal.IncidentsConfig{Dir: dir, MaxBytes: most})
	for n := range 30 {
		write(t, s, at(n, watchdog.Killing), strings.Repeat("goroutine\n", n*500))
		if got := size(t, dir); got > most {
			t.Fatalf("%d bytes after %d incidents", got, n+1)
		}
		if got := list(t, dir, journal.Filter{Limit: 1}); len(got) != 1 || got[0].ID != at(n, "").ID {
			t.Fatalf("incident %d is not the newest: %s", n, ids(got))
		}
	}
	content, err := os.ReadFile(filepath.Join(dir, "i00029.dump"))
	if err != nil || !bytes.HasSuffix(content, []byte("goroutine\n\n...cut: the dump had 145000 bytes\n")) {
		t.Errorf("a dump that is too large: …%q, %v", content[max(0, len(content)-80):], err)
	}
}

func size(t *testing.T, dir string) int64 {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var sum int64
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		sum += info.Size()
	}
	return sum
}

func TestWhatNobodyFinishedGoesAfterAnHour(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := incidents(t, journal.IncidentsConfig{Dir: dir})
	old := time.Now().Add(-2 * time.Hour)
	for name, modified := range map[string]time.Time{
		".new-a.json.1": old, "lonely.dump": old, ".new-b.json.1": time.Now(), "young.dump": time.Now(), ".profile": old,
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, modified, modified); err != nil {
			t.Fatal(err)
		}
	}
	write(t, s, at(1, watchdog.Warning), "")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if diff := cmp.Diff([]string{".new-b.json.1", ".profile", "i00001.json", "young.dump"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestOnAFullDiskOldIncidentsMakeRoom(t *testing.T) {
	dir := smallDisk(t, 1<<20)
	s := incidents(t, journal.IncidentsConfig{Dir: dir})
	for n := range 40 { // three times what there is room for
		write(t, s, at(n, watchdog.Killing), strings.Repeat("goroutine\n", 8<<10))
	}
	got := list(t, dir, journal.Filter{})
	if len(got) < 3 || got[0].ID != at(39, "").ID || got[0].Evidence.Dump == "" {
		t.Errorf("%d left: %s", len(got), ids(got))
	}
}

func TestADumpThatFindsNoRoomDoesNotCostItsRecord(t *testing.T) {
	dir := smallDisk(t, 1<<20)
	s := incidents(t, journal.IncidentsConfig{Dir: dir})
	write(t, s, at(1, watchdog.Killing), "stacks")
	if err := s.Write(at(2, watchdog.Killing), bytes.Repeat([]byte("goroutine\n"), 200<<10)); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("2 MB on a disk of 1 MiB: %v", err)
	}
	i, dump, err := journal.Load(dir, at(2, "").ID)
	if err != nil || dump != "" || i.Evidence.Dump != "" || len(i.Timeline) != 1 || !strings.Contains(i.Timeline[0].What, "no space left") {
		t.Errorf("%+v, %q, %v", i, dump, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".new-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// smallDisk returns a directory on a file system of its own.
func smallDisk(t *testing.T, bytes int) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", bytes)); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no file system can be mounted here: %v", err)
		}
		t.Skipf("SKIPPED: no file system can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}
