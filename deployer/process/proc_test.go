package process

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const statRest = " S 1 42 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 8911 1 2 3"

func TestStatIsReadWhateverTheNameIs(t *testing.T) {
	want := proc{pid: 42, parent: 1, group: 42, session: 7, state: 'S', started: 8911}
	for _, name := range []string{"git", "", "a b", ") Z 9 9 9", "((", "new\nline"} {
		got, err := parseStat([]byte("42 (" + name + ")" + statRest + "\n"))
		if err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(proc{})); diff != "" {
			t.Errorf("%q (-want +got):\n%s", name, diff)
		}
	}
}

func TestStatThatIsNoneIsAnError(t *testing.T) {
	for _, s := range []string{"", "42", "42 (git)", "42 (git) S 1 2", "(git)" + statRest, "x (git)" + statRest, "42 (git)" + strings.Replace(statRest, "8911", "-1", 1)} {
		if p, err := parseStat([]byte(s)); err == nil {
			t.Errorf("%q = %+v", s, p)
		}
	}
}

func TestTheMarkerMustMatchExactly(t *testing.T) {
	const entry = MarkerVariable + "=17-a"
	for environ, want := range map[string]bool{
		entry + "\x00":              true,
		"A=1\x00" + entry + "\x00B": true,
		entry:                       true,
		entry + "b\x00":             false,
		"X" + entry + "\x00":        false,
		"A=" + entry + "\x00":       false,
		"":                          false,
	} {
		if got := hasEntry([]byte(environ), entry); got != want {
			t.Errorf("%q: %t", environ, got)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	own, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(own)
	f.Add([]byte("42 (a) b)" + statRest))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := parseStat(b); err == nil && p.state == 0 {
			t.Errorf("%q = %+v", b, p)
		}
	})
}
