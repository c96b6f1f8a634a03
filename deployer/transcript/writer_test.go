package transcript_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/process"
	"github.com/seadog/seadog/deployer/transcript"
)

func TestWhatIsWrittenCanBeRead(t *testing.T) {
	t.Parallel()
	b := transcript.Book{Dir: t.TempDir()}
	before := time.Now().Add(-time.Millisecond)
	w := create(t, b, deployer.StepPull, 0)
	w.Line(process.Stdout, []byte("pulling"))
	w.Line(process.Stderr, []byte(""))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	records, next, err := b.Read(id, transcript.Position{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range records {
		if at := records[i].Time; at.Before(before) || at.After(time.Now()) {
			t.Errorf("time = %s", at)
		}
		records[i].Time = time.Time{}
	}
	want := []transcript.Record{
		{Step: deployer.StepPull, Stream: process.Stdout, Line: "pulling", Next: transcript.Position{Step: 2, Offset: 24}},
		{Step: deployer.StepPull, Stream: process.Stderr, Line: "", Next: next},
	}
	if diff := cmp.Diff(want, records); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestALineIsMadeHarmless(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a\tb":                 "a\tb",
		"\x1b[31;1mred\x1b[0m": "red",
		"\x1b]0;title\x07text": "text",
		"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\": "link",
		"\x1bPq#0\x1b\\sixel":                      "sixel",
		"\x1b(Bplain\x1bc\x1b7":                    "plain",
		"\x1b[31":                                  "",
		"\x1b":                                     "",
		"\x1b[\nid: 7":                             "id: 7",
		"10 %\r50 %\r100 %\r":                      "100 %",
		"10 %\r":                                   "10 %",
		"a\x00\x07\x08\x7fb":                       "ab",
		"a\nb":                                     "ab",
		"\u009b31mC1":                              "31mC1",
		"\xff\xfeok":                               "\uFFFD\uFFFDok",
		"grün 🐳":                                   "grün 🐳",
		"abc\u202eexe.txt":                         "abcexe.txt",
	} {
		b := transcript.Book{Dir: t.TempDir()}
		write(t, b, deployer.StepBuild, in)
		if got, _ := read(t, b, transcript.Position{}); len(got) != 1 || got[0] != want {
			t.Errorf("%q = %q, want %q", in, got, want)
		}
	}
}

func TestAReaderSeesALineSoon(t *testing.T) {
	t.Parallel()
	b := transcript.Book{Dir: t.TempDir()}
	w := create(t, b, deployer.StepUp, 0)
	for i := range 3 {
		w.Line(process.Stdout, fmt.Append(nil, i))
		await(t, "the line", func() bool { got, _ := read(t, b, transcript.Position{}); return len(got) == i+1 })
	}
}

func TestTheLimitKeepsTheBeginningAndTheEnd(t *testing.T) {
	t.Parallel()
	const lines, limit = 200_000, 1 << 20
	b := transcript.Book{Dir: t.TempDir()}
	w := create(t, b, deployer.StepBuild, limit)
	begin := time.Now()
	for i := range lines {
		w.Line(process.Stdout, fmt.Appendf(nil, "line %d of a build that has much to say about everything", i))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d lines in %s", lines, time.Since(begin))
	info, err := os.Stat(filepath.Join(b.Dir, "42", "build"))
	if err != nil {
		t.Fatal(err)
	}
	if size := info.Size(); size > limit+64<<10+200 || size < limit+60<<10 {
		t.Errorf("the file has %d bytes", size)
	}
	got, _ := read(t, b, transcript.Position{})
	note := -1
	for i, l := range got {
		if strings.HasPrefix(l, "…") {
			note = i
		}
	}
	var lost int
	if note < 0 {
		t.Fatal("nothing tells that lines are missing")
	}
	if _, err := fmt.Sscanf(got[note], "… %d lines not kept", &lost); err != nil || lost+len(got)-1 != lines {
		t.Errorf("%q, but %d of %d lines are there", got[note], len(got)-1, lines)
	}
	if got[0] != "line 0 of a build that has much to say about everything" || !strings.HasPrefix(got[len(got)-1], "line 199999 ") {
		t.Errorf("first %q, last %q", got[0], got[len(got)-1])
	}
}

func TestASecretOnTheBorderOfTwoPiecesIsFound(t *testing.T) {
	t.Parallel()
	const secret = "correct-horse-battery-staple"
	for shift := range 60 {
		b := transcript.Book{Dir: t.TempDir()}
		w := create(t, b, deployer.StepBuild, 0, deployer.NewSecret(secret))
		secret := []string{secret, " https://user:" + secret[:8] + "@"}[shift%2]
		text := strings.Repeat("x", process.PieceSize-shift*10) + secret + strings.Repeat("y", process.PieceSize)
		for len(text) > 0 {
			n := min(process.PieceSize, len(text))
			w.Line(process.Stdout, []byte(text[:n]))
			w.Line(process.Stderr, []byte("in between"))
			text = text[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got, _ := read(t, b, transcript.Position{})
		all := strings.ReplaceAll(strings.Join(got, ""), "in between", "")
		want := strings.Repeat("x", process.PieceSize-shift*10) + []string{"[redacted]", " https://[redacted]@"}[shift%2] + strings.Repeat("y", process.PieceSize)
		if all != want {
			t.Fatalf("shift %d: %d bytes, want %d", shift, len(all), len(want))
		}
	}
}

func TestTheDiskIsNoReasonToWaitOrFail(t *testing.T) {
	t.Parallel()
	b := transcript.Book{Dir: t.TempDir()}
	if err := os.MkdirAll(filepath.Join(b.Dir, "42"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/full", filepath.Join(b.Dir, "42", "up")); err != nil {
		t.Fatal(err)
	}
	w := create(t, b, deployer.StepUp, 0)
	for range 10_000 {
		w.Line(process.Stdout, []byte("a line that finds no room"))
	}
	if err := w.Close(); err == nil {
		t.Error("no error for a full disk")
	}
	if err := w.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	w.Line(process.Stdout, []byte("too late"))
}

func TestAKilledWriterIsContinued(t *testing.T) {
	t.Parallel()
	b := transcript.Book{Dir: t.TempDir()}
	write(t, b, deployer.StepUp, "one")
	name := filepath.Join(b.Dir, "42", "up")
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("1767225600123 o ha"); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if got, _ := read(t, b, transcript.Position{}); len(got) != 1 {
		t.Errorf("half a record was read: %q", got)
	}
	write(t, b, deployer.StepUp, "two")
	if got, _ := read(t, b, transcript.Position{}); cmp.Diff([]string{"one", "ha", "two"}, got) != "" {
		t.Errorf("lines = %q", got)
	}
}

func TestBothOutputsMayBeWrittenAtOnce(t *testing.T) {
	t.Parallel()
	b := transcript.Book{Dir: t.TempDir()}
	w := create(t, b, deployer.StepUp, 0)
	var wg sync.WaitGroup
	for _, s := range []process.Stream{process.Stdout, process.Stderr} {
		wg.Go(func() {
			for range 1000 {
				w.Line(s, []byte("line"))
			}
		})
	}
	wg.Wait()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got, _ := read(t, b, transcript.Position{}); len(got) != 2000 {
		t.Errorf("%d lines", len(got))
	}
}

func BenchmarkWriter(b *testing.B) {
	book := transcript.Book{Dir: b.TempDir()}
	w, err := book.Create(1, deployer.StepBuild, 1<<40, transcript.NewRedactor(secrets()...))
	if err != nil {
		b.Fatal(err)
	}
	line := []byte("#12 34.56 Get:7 http://deb.example.org/debian stable/main amd64 libexample1 amd64 1.2.3-4 [56.7 kB]")
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		w.Line(process.Stdout, line)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
}
