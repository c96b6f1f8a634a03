package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/seadog/seadog/deployer"
)

func TestPrintableLeavesNothingThatMovesACursor(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain":                      "plain",
		"\x1b[1;31mred\x1b[0m":       "red",
		"\x1b]0;title\aand more":     "and more",
		"\x1b]8;;http://h\x1b\\link": "link",
		"\x1b[2J\x1b[Hgone":          "gone",
		"\x1b[31":                    "\uFFFD[31",
		"\x1b":                       "\uFFFD",
		"\x1b]0;no end":              "\uFFFD]0;no end",
		"over\rwrite":                "over\uFFFDwrite",
		"windows\r":                  "windows",
		"a\tb":                       "a\tb",
		"a\nb":                       "a\uFFFDb",
		"\u009b31m\u202edcba\u2066x": "\uFFFD31m\uFFFDdcba\uFFFDx",
		"bad \xff utf-8":             "bad \uFFFD utf-8",
		"größer 漢字 👩‍🚀":              "größer 漢字 👩‍🚀",
	} {
		if got := printable(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	for _, seed := range []string{"a", "\x1b[1m", "\x1b]0;t\a", "\x1b]\x1b]\x1b\\", "\u202e", "\xff\xfe", "a\r", "\x1b[\x1b[1m1m"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		out := printable(in)
		if !utf8.ValidString(out) || strings.ContainsAny(out, "\x1b\r\n\a\b\x00\u009b\u202e") {
			t.Errorf("%q became %q", in, out)
		}
	})
}

func TestTimesAreShortAndNeverNegative(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.Local)
	for d, want := range map[time.Duration]string{
		-time.Hour: "now", 0: "now", 5 * time.Second: "5s ago", 59 * time.Minute: "59m ago", 47 * time.Hour: "47h ago",
		49 * time.Hour: "2d ago", 90 * 24 * time.Hour: "2026-02-03",
	} {
		if got := ago(now, now.Add(-d)); got != want {
			t.Errorf("%s: got %q, want %q", d, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 42600 * time.Microsecond: "43ms", 4260 * time.Millisecond: "4.3s", 12 * time.Second: "12s",
		125 * time.Second: "2m05s", 3723 * time.Second: "1h02m",
	} {
		if got := length(d); got != want {
			t.Errorf("%s: got %q, want %q", d, got, want)
		}
	}
}

func TestANarrowTerminalCutsTheWidestColumns(t *testing.T) {
	t.Parallel()
	tb := table{header: []string{"ID", "PROJECT", "REASON"}}
	tb.add(cell{"1", bold}, cell{"shop", plain}, cell{"the quick brown fox jumps over the lazy dog", red})
	tb.add(cell{"2", bold}, cell{"漢字", plain}, cell{"short", plain})
	var out strings.Builder
	if err := tb.print(&terminal{out: &out, width: 30}); err != nil {
		t.Fatal(err)
	}
	want := `ID  PROJECT  REASON
1   shop     the quick brown …
2   漢字     short
`
	if got := out.String(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestOnlyATerminalHasColoursAndAnEdge(t *testing.T) {
	t.Parallel()
	screen := pseudoTerminal(t)
	file, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for name, c := range map[string]struct {
		out    *os.File
		env    map[string]string
		colour bool
		width  int
	}{
		"terminal":      {screen, nil, true, 97},
		"NO_COLOR":      {screen, map[string]string{"NO_COLOR": "1"}, false, 97},
		"dumb terminal": {screen, map[string]string{"TERM": "dumb"}, false, 97},
		"file":          {file, nil, false, 0},
	} {
		e := &env{Getenv: func(key string) string { return c.env[key] }}
		if got := terminalOf(e, c.out); got.colour != c.colour || got.width != c.width {
			t.Errorf("%s: colours %v, width %d", name, got.colour, got.width)
		}
	}
	painted := (&terminal{colour: true}).paint(statusCell(deployer.Deployment{Status: deployer.Failed}).style, "failed")
	if painted != "\x1b[31mfailed\x1b[0m" {
		t.Errorf("got %q", painted)
	}
}

// pseudoTerminal returns a terminal of 97 columns.
func pseudoTerminal(t *testing.T) *os.File {
	t.Helper()
	screen, _ := terminalPair(t)
	return screen
}

// terminalPair returns a terminal of 97 columns, and the end that a person sits at.
func terminalPair(t *testing.T) (screen, person *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no pseudo-terminals here: %v", err)
		}
		t.Skipf("SKIPPED: no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	screen, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { screen.Close() })
	if err := unix.IoctlSetWinsize(int(screen.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 97}); err != nil {
		t.Fatal(err)
	}
	return screen, master
}
