package transcript_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/transcript"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const id = 42

// write makes a transcript of one step with these lines.
func write(t *testing.T, b transcript.Book, step deployer.Step, lines ...string) {
	t.Helper()
	w := create(t, b, step, 0)
	for _, l := range lines {
		w.Line('o', []byte(l))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func create(t *testing.T, b transcript.Book, step deployer.Step, limit int64, secrets ...deployer.Secret) *transcript.Writer {
	t.Helper()
	w, err := b.Create(id, step, limit, transcript.NewRedactor(secrets...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// read returns the text of everything from a position on, and the end.
func read(t *testing.T, b transcript.Book, from transcript.Position) ([]string, transcript.Position) {
	t.Helper()
	var lines []string
	for {
		records, next, err := b.Read(id, from, 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			lines = append(lines, r.Line)
		}
		if from = next; len(records) == 0 {
			return lines, from
		}
	}
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	over := time.After(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-over:
			t.Fatalf("%s: waited for 10 s in vain", what)
		}
	}
}
