package gate

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seadog/seadog/loadtest"
)

func TestTheResultSaysWhatWasJudgedAndWhy(t *testing.T) {
	for verdict, sentence := range map[loadtest.Verdict]string{
		loadtest.Pass:    "Nothing speaks against this build.",
		loadtest.SLO:     "This build must not go out: exit code 10.",
		loadtest.Invalid: "Whether this build may go out was not found out: exit code ",
	} {
		dir := t.TempDir()
		wrote := result{
			Profile: "quick", Verdict: verdict, Code: verdict.Code(), Version: "v1.2.3", Store: "postgres", Without: "gate-off",
			Began: time.Unix(1e9, 0), Took: 4 * time.Minute,
			Rows: []row{
				{"storm", verdict, verdict.Code(), "p99(response) < 1s & more", 2, 34 * time.Second, "storm"},
				{"never-ran", loadtest.Pass, 0, "", 1, 0, ""},
			},
		}
		if err := wrote.write(dir, nil); err != nil {
			t.Fatal(err)
		}
		page := string(read(t, dir, indexFile))
		for _, want := range []string{
			sentence, "v1.2.3 on postgres, without gate-off; 2001-09-09 01:46:40 UTC, 4m0s", `<a href="storm/report.html">storm</a>`,
			`<td class="name">never-ran</td>`, "p99(response) &lt; 1s &amp; more (second try, the first was INVALID)",
		} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page lacks %q", verdict, want)
			}
		}
		var again result
		if err := json.Unmarshal(read(t, dir, suiteFile), &again); err != nil || again.Verdict != verdict || len(again.Rows) != 2 || again.Rows[0] != wrote.Rows[0] {
			t.Errorf("%s was read as %+v: %v", suiteFile, again, err)
		}
	}
}

func read(t *testing.T, dir, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}
