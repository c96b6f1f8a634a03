package gate

import (
	"strings"
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest"
)

func TestTheTableShowsASecondTry(t *testing.T) {
	var out strings.Builder
	table := newTable(&out)
	for tries := range 2 {
		table.end(row{Name: "storm", Verdict: loadtest.Pass, Decided: "count(lost)\nis 0", Tries: tries + 1, Took: 34 * time.Second})
	}
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[0], "SCENARIO") {
		t.Fatalf("the table is\n%s", out.String())
	}
	if want := "count(lost) is 0"; !strings.HasSuffix(lines[1], want) {
		t.Errorf("the first line is %q, want it to end with %q", lines[1], want)
	}
	if want := "count(lost) is 0 (second try, the first was INVALID)"; !strings.HasSuffix(lines[2], want) {
		t.Errorf("the second line is %q, want it to end with %q", lines[2], want)
	}
}
