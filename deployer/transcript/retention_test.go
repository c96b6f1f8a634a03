package transcript_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/process"
	"github.com/seadog/seadog/deployer/transcript"
)

func TestOldTranscriptsAreRemovedAndYoungOnesKept(t *testing.T) {
	t.Parallel()
	book := transcript.Book{Dir: t.TempDir()}
	for _, id := range []int64{1, 2} {
		w, err := book.Create(id, deployer.StepFetch, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		w.Line(process.Stdout, []byte("hello"))
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	files, err := filepath.Glob(filepath.Join(book.Dir, "1", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("files of deployment 1: %v, %v", files, err)
	}
	for _, f := range files {
		if err := os.Chtimes(f, now, now.Add(-48*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := book.RemoveBefore(t.Context(), now.Add(-24*time.Hour)); n != 1 || err != nil {
		t.Errorf("removed %d, error %v; want 1", n, err)
	}
	if records, _, err := book.Read(1, transcript.Position{}, 10); err != nil || len(records) != 0 {
		t.Errorf("the old one: %v, %v; want nothing", records, err)
	}
	if records, _, err := book.Read(2, transcript.Position{}, 10); err != nil || len(records) != 1 {
		t.Errorf("the young one: %v, %v; want one record", records, err)
	}
}
