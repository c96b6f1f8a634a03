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

// written is a transcript with two steps, of so many lines each.
func written(t *testing.T, lines int, text string) (transcript.Book, []transcript.Record) {
	t.Helper()
	b := transcript.Book{Dir: t.TempDir()}
	for _, step := range []deployer.Step{deployer.StepFetch, deployer.StepBuild} {
		w, err := b.Create(1, step, 0, transcript.NewRedactor())
		if err != nil {
			t.Fatal(err)
		}
		for i := range lines {
			w.Line(process.Stdout, fmt.Appendf(nil, "%s %d%s", step, i, text))
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	all, _, err := b.Read(1, transcript.Position{}, 10*lines)
	if err != nil || len(all) != 2*lines {
		t.Fatalf("%d records, error %v", len(all), err)
	}
	return b, all
}

func TestReadingBackwardsFindsTheSameRecords(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"short": "", "long": strings.Repeat("x", 500), "huge": strings.Repeat("x", 100_000)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, all := written(t, 40, text)
			for end := len(all); end >= 0; end -= 13 {
				to := transcript.End()
				if end < len(all) {
					to = all[end].Next // which is where the next one begins
					end++
				}
				for _, most := range []int{1, 7, 50, 200} {
					got, from, err := b.Before(1, to, most)
					if err != nil {
						t.Fatal(err)
					}
					want := all[max(0, end-most):end]
					if diff := cmp.Diff(want, got); diff != "" {
						t.Fatalf("the %d records before %s (-want +got):\n%.2000s", most, to, diff)
					}
					again, _, err := b.Read(1, from, 1)
					if err != nil || len(again) != 1 || again[0] != got[0] {
						t.Fatalf("from %s reading goes on with %+v, error %v; want %+v", from, again, err, got[0])
					}
				}
			}
		})
	}
}

func TestReadingBackwardsPassesOverWhatIsNotThere(t *testing.T) {
	t.Parallel()
	b := transcript.Book{Dir: t.TempDir()}
	if got, _, err := b.Before(1, transcript.End(), 10); err != nil || len(got) != 0 {
		t.Errorf("no transcript: %v, error %v", got, err)
	}
	b, all := written(t, 3, "")
	f, err := os.OpenFile(filepath.Join(b.Dir, "1", "build"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("no record\n1767225600123 o half a rec"); err != nil {
		t.Fatal(err)
	}
	got, _, err := b.Before(1, transcript.End(), 10)
	if diff := cmp.Diff(all, got); err != nil || diff != "" {
		t.Errorf("error %v, -want +got:\n%s", err, diff)
	}
	if _, _, err := b.Before(1, transcript.Position{Step: 99}, 1); deployer.CodeOf(err) != deployer.CodeInvalid {
		t.Errorf("a position that does not exist: %v", err)
	}
}
