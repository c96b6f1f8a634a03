package journal_test

import (
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

func open(t *testing.T, c journal.Config) *journal.Journal {
	t.Helper()
	j, err := journal.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func read(t *testing.T, path string, after uint64) []watchdog.Death {
	t.Helper()
	deaths, err := journal.Read(path, after)
	if err != nil {
		t.Fatal(err)
	}
	return deaths
}

func add(t *testing.T, j *journal.Journal, n int) {
	t.Helper()
	for range n {
		if err := j.Append(watchdog.Death{Pool: "http"}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestADeathIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "deaths")
	j := open(t, journal.Config{Path: path})
	d := watchdog.Death{
		Time: time.Unix(1700000000, 42).UTC(), Pool: "runner", Index: 1, Incarnation: 7,
		PID: 4711, Started: 1 << 40, Boot: "b", StartedAt: time.Unix(1690000000, 0).UTC(), UptimeMS: 10,
		ExitCode: -1, Signal: "SIGKILL", State: "ready", Message: "line\nof \"text\"", Verdict: "it was killed",
	}
	if err := j.Append(d); err != nil {
		t.Fatal(err)
	}
	d.Seq = 1
	if diff := cmp.Diff([]watchdog.Death{d}, read(t, path, 0)); diff != "" {
		t.Error(diff)
	}
}

func TestNumbersGoOnAfterReopening(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "deaths")
	j := open(t, journal.Config{Path: path})
	add(t, j, 3)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	add(t, open(t, journal.Config{Path: path}), 2)
	got := read(t, path, 2)
	if len(got) != 3 || got[0].Seq != 3 || got[2].Seq != 5 {
		t.Errorf("after 2: %+v", got)
	}
}

func TestAJournalThatIsNotThereIsEmpty(t *testing.T) {
	t.Parallel()
	if got := read(t, filepath.Join(t.TempDir(), "none"), 0); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// Every way in which a crash can cut the last line costs that line only.
func TestATornLineCostsNoOther(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole")
	add(t, open(t, journal.Config{Path: whole}), 2)
	content, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	first := strings.IndexByte(string(content), '\n') + 1
	for cut := first; cut < len(content); cut++ {
		path := filepath.Join(dir, fmt.Sprint(cut))
		if err := os.WriteFile(path, content[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		if got := read(t, path, 0); len(got) != 1 || got[0].Seq != 1 {
			t.Fatalf("cut at %d: %+v", cut, got)
		}
		j := open(t, journal.Config{Path: path})
		add(t, j, 1)
		got := read(t, path, 0)
		// A line that lacks nothing but its end is mended by that.
		if cut == len(content)-1 {
			got = got[1:]
		}
		if len(got) != 2 || got[1].Pool != "http" || got[1].Seq <= got[0].Seq {
			t.Fatalf("cut at %d, then one more: %+v", cut, got)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDamagedLinesAreSkipped(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "deaths")
	if err := os.WriteFile(path, []byte("\n{}\nnull\n\x00\x00\x00\n{\"seq\":9,\"pool\":\"http\"}\n[1]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	add(t, open(t, journal.Config{Path: path}), 1)
	if got := read(t, path, 0); len(got) != 2 || got[0].Seq != 9 || got[1].Seq != 10 {
		t.Errorf("%+v", got)
	}
}

func TestTheJournalStaysWithinItsBounds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]journal.Config{
		"of records": {MaxRecords: 10},
		"of bytes":   {MaxBytes: 16 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.Path = filepath.Join(t.TempDir(), "deaths")
			j := open(t, c)
			last := uint64(0)
			for i := range 300 {
				text := ""
				if c.MaxBytes > 0 {
					text = strings.Repeat("\x01", i*10) // six bytes each in JSON
				}
				if err := j.Append(watchdog.Death{Message: text, Verdict: text}); err != nil {
					t.Fatal(err)
				}
				got := read(t, c.Path, 0)
				if len(got) == 0 || got[len(got)-1].Seq != last+1 {
					t.Fatalf("record %d is not the last", last+1)
				}
				last++
				for k := range got[1:] {
					if got[k+1].Seq != got[k].Seq+1 {
						t.Fatalf("a gap after %d", got[k].Seq)
					}
				}
				if c.MaxRecords > 0 && len(got) > c.MaxRecords {
					t.Fatalf("%d records", len(got))
				}
				if info, err := os.Stat(c.Path); err != nil || c.MaxBytes > 0 && info.Size() > c.MaxBytes {
					t.Fatalf("%d bytes, %v", info.Size(), err)
				}
			}
			if exists(c.Path + ".new") {
				t.Error("a temporary file is left")
			}
		})
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestReadingBesideTheWriter(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "deaths")
	j := open(t, journal.Config{Path: path, MaxRecords: 8})
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 100 {
			if err := j.Append(watchdog.Death{Pool: "http"}); err != nil {
				t.Error(err)
			}
		}
	})
	for seen := uint64(0); seen < 100; {
		got, err := journal.Read(path, seen)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range got {
			if d.Seq <= seen || d.Pool != "http" {
				t.Fatalf("after %d: %+v", seen, d)
			}
			seen = d.Seq
		}
	}
	wg.Wait()
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []journal.Config{
		{},
		{Path: "x", MaxRecords: -1},
		{Path: "x", MaxRecords: 1},
		{Path: "x", MaxBytes: 100},
	} {
		if _, err := journal.Open(c); err == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
	if _, err := journal.Open(journal.Config{Path: filepath.Join(t.TempDir(), "no", "where")}); err == nil {
		t.Error("a journal without a directory was opened")
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("{\"seq\":1,\"pool\":\"http\"}\n"))
	f.Add([]byte("{\"seq\":1}\n{\"seq\":2"))
	f.Add([]byte("\n\n[]\n{\"seq\":-1}\n{\"seq\":18446744073709551615}\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "deaths")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		before := read(t, path, 0)
		j := open(t, journal.Config{Path: path, MaxRecords: 4})
		add(t, j, 1)
		after := read(t, path, 0)
		if len(after) == 0 || after[len(after)-1].Pool != "http" {
			t.Errorf("%d records before, %d after one more", len(before), len(after))
		}
	})
}
