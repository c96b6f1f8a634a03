package transcript_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/process"
	"github.com/seadog/seadog/deployer/transcript"
)

func TestReadingGoesThroughTheStepsInOrder(t *testing.T) {
	t.Parallel()
	b := transcript.Book{Dir: t.TempDir()}
	write(t, b, deployer.StepUp, "up 1", "up 2")
	write(t, b, deployer.StepRollback, "back")
	write(t, b, deployer.StepFetch, "fetched")
	got, end := read(t, b, transcript.Position{})
	if diff := cmp.Diff([]string{"fetched", "up 1", "up 2", "back"}, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if end.Step != 7 {
		t.Errorf("end = %s", end)
	}
	t.Run("from every record's end", func(t *testing.T) {
		records, _, err := b.Read(id, transcript.Position{}, 0)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range records {
			if rest, _ := read(t, b, r.Next); len(rest) != len(records)-i-1 {
				t.Errorf("after %q: %q", r.Line, rest)
			}
		}
	})
	t.Run("from any offset that was made up, at the next record", func(t *testing.T) {
		info, err := os.Stat(filepath.Join(b.Dir, "42", "up"))
		if err != nil {
			t.Fatal(err)
		}
		for offset := range info.Size() + 10 {
			rest, _ := read(t, b, transcript.Position{Step: 4, Offset: offset})
			want := []string{"up 1", "up 2", "back"}
			switch {
			case offset > info.Size()/2:
				want = want[2:]
			case offset > 0:
				want = want[1:]
			}
			if diff := cmp.Diff(want, rest); diff != "" {
				t.Errorf("offset %d (-want +got):\n%s", offset, diff)
			}
		}
	})
}

func TestADeploymentWithoutTranscriptHasNoRecords(t *testing.T) {
	t.Parallel()
	b := transcript.Book{Dir: filepath.Join(t.TempDir(), "not there yet")}
	from := transcript.Position{Step: 3, Offset: 17}
	if records, next, err := b.Read(id, from, 10); err != nil || len(records) != 0 || next != from {
		t.Errorf("%v, %v, %v", records, next, err)
	}
	if err := b.Remove(id); err != nil {
		t.Errorf("remove: %v", err)
	}
	write(t, b, deployer.StepUp, "x")
	if err := b.Remove(id); err != nil {
		t.Errorf("remove: %v", err)
	}
	if got, _ := read(t, b, transcript.Position{}); len(got) != 0 {
		t.Errorf("still there: %q", got)
	}
}

func TestALongRecordIsRead(t *testing.T) {
	t.Parallel()
	b := transcript.Book{Dir: t.TempDir()}
	long := strings.Repeat("\xff", process.PieceSize-1) // three bytes each, once replaced
	write(t, b, deployer.StepUp, "before", long, "after")
	got, _ := read(t, b, transcript.Position{})
	if len(got) != 3 || got[1] != strings.Repeat("\uFFFD", process.PieceSize-1) || got[2] != "after" {
		t.Errorf("%d lines", len(got))
	}
}

func TestAPositionThatDoesNotExistIsRefused(t *testing.T) {
	t.Parallel()
	for _, p := range []transcript.Position{{Step: -1}, {Step: 8}, {Offset: -1}} {
		if _, _, err := (transcript.Book{Dir: t.TempDir()}).Read(id, p, 1); deployer.CodeOf(err) != deployer.CodeInvalid {
			t.Errorf("%+v: %v", p, err)
		}
	}
	for _, s := range []string{"1", ":", "1:", ":1", "8:0", "-1:0", "0:-1", "01:0", "0:00", "0:9223372036854775808", "0:1 ", "+0:1", "a:b"} {
		if p, err := transcript.ParsePosition(s); deployer.CodeOf(err) != deployer.CodeInvalid {
			t.Errorf("%q = %+v, %v", s, p, err)
		}
	}
	if p, err := transcript.ParsePosition(""); err != nil || p != (transcript.Position{}) {
		t.Errorf("empty: %+v, %v", p, err)
	}
}

func FuzzParsePosition(f *testing.F) {
	for _, s := range []string{"", "0:0", "7:9223372036854775807", "3:17", "8:1", "1:-1", "0001:2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := transcript.ParsePosition(s)
		if err == nil && s != "" && p.String() != s {
			t.Errorf("%q = %+v = %q", s, p, p)
		}
	})
}

// FuzzRead reads files that no writer has written.
func FuzzRead(f *testing.F) {
	f.Add([]byte("1767225600123 o Fetching origin\n1767225600123 e \n"), int64(0))
	f.Add([]byte("half"), int64(2))
	f.Add([]byte("1 o \xff\n\n\n2 x y\n-1 o a\n"), int64(7))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, content []byte, offset int64) {
		b := transcript.Book{Dir: filepath.Join(dir, fmt.Sprint(os.Getpid()))}
		if err := os.MkdirAll(filepath.Join(b.Dir, "42"), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(b.Dir, "42", "up"), content, 0o640); err != nil {
			t.Fatal(err)
		}
		from := transcript.Position{Step: 4, Offset: max(offset, 0)}
		for {
			records, next, err := b.Read(id, from, 3)
			if err != nil {
				return
			}
			for _, r := range records {
				if !from.Before(r.Next) || strings.ContainsAny(r.Line, "\n") {
					t.Fatalf("record %+v at %s", r, from)
				}
				from = r.Next
			}
			if from = next; len(records) == 0 {
				return
			}
		}
	})
}
