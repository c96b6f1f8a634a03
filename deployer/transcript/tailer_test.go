package transcript_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/process"
	"github.com/seadog/seadog/deployer/transcript"
)

// run runs a tailer for the time of the test.
func run(t *testing.T, b transcript.Book) *transcript.Tailer {
	t.Helper()
	tailer := transcript.NewTailer(b)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := tailer.Run(ctx); err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	return tailer
}

func follow(t *testing.T, ctx context.Context, tailer *transcript.Tailer, from transcript.Position) <-chan []transcript.Record {
	t.Helper()
	records, err := tailer.Follow(ctx, id, from)
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// take receives n lines.
func take(t *testing.T, from <-chan []transcript.Record, n int) (lines []string) {
	t.Helper()
	over := time.After(20 * time.Second)
	for len(lines) < n {
		select {
		case batch, ok := <-from:
			if !ok {
				t.Fatalf("closed after %d lines", len(lines))
			}
			for _, r := range batch {
				lines = append(lines, r.Line)
			}
		case <-over:
			t.Fatalf("%d lines in 20 s, want %d", len(lines), n)
		}
	}
	return lines
}

func TestFollowersSeeEveryLineOnce(t *testing.T) {
	t.Parallel()
	const followers, lines = 50, 5000
	b := transcript.Book{Dir: t.TempDir()}
	tailer := run(t, b)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	for range followers {
		records := follow(t, ctx, tailer, transcript.Position{}) // before there is anything
		wg.Go(func() {
			for i, l := range take(t, records, 2*lines) {
				if want := fmt.Sprint("line ", i); l != want {
					t.Errorf("%q, want %q", l, want)
					return
				}
			}
		})
	}
	for n, step := range []deployer.Step{deployer.StepFetch, deployer.StepUp} {
		w := create(t, b, step, 0)
		for i := range lines {
			w.Line(process.Stdout, fmt.Appendf(nil, "line %d", n*lines+i))
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
	t.Run("also who comes later, from where he was", func(t *testing.T) {
		records, _, err := b.Read(id, transcript.Position{}, 2*lines-2)
		if err != nil {
			t.Fatal(err)
		}
		got := take(t, follow(t, ctx, tailer, records[len(records)-1].Next), 2)
		if diff := cmp.Diff([]string{"line 9998", "line 9999"}, got); diff != "" {
			t.Errorf("lines (-want +got):\n%s", diff)
		}
	})
}

func TestAFollowerThatIsBehindLosesNothing(t *testing.T) {
	t.Parallel()
	b := transcript.Book{Dir: t.TempDir()}
	w := create(t, b, deployer.StepBuild, 0)
	for i := range 20_000 {
		w.Line(process.Stdout, fmt.Append(nil, i))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	tailer := run(t, b)
	slow := follow(t, t.Context(), tailer, transcript.Position{})
	fast := follow(t, t.Context(), tailer, transcript.Position{})
	take(t, fast, 20_000)
	if got := take(t, slow, 20_000); got[19_999] != "19999" {
		t.Errorf("last = %q", got[19_999])
	}
}

func TestAFollowerThatTakesNothingIsDropped(t *testing.T) {
	b := transcript.Book{Dir: t.TempDir()}
	w := create(t, b, deployer.StepBuild, 0)
	for i := range 10_000 {
		w.Line(process.Stdout, fmt.Append(nil, i))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		tailer := transcript.NewTailer(b)
		done := make(chan error, 1)
		go func() { done <- tailer.Run(ctx) }()
		records, err := tailer.Follow(ctx, id, transcript.Position{})
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		<-time.After(20 * time.Second)
		batches := 0
		for range records { // closed, or this would not end
			batches++
		}
		if batches != 4 || time.Since(begin) > 21*time.Second {
			t.Errorf("%d batches in %s", batches, time.Since(begin))
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestFollowingEnds(t *testing.T) {
	t.Parallel()
	closed := func(t *testing.T, records <-chan []transcript.Record) {
		t.Helper()
		select {
		case _, ok := <-records:
			if ok {
				t.Error("a record out of nothing")
			}
		case <-time.After(10 * time.Second):
			t.Error("still open after 10 s")
		}
	}
	t.Run("with its context", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		records := follow(t, ctx, run(t, transcript.Book{Dir: t.TempDir()}), transcript.Position{})
		cancel()
		closed(t, records)
	})
	t.Run("with the tailer", func(t *testing.T) {
		t.Parallel()
		tailer := transcript.NewTailer(transcript.Book{Dir: t.TempDir()})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- tailer.Run(ctx) }()
		records := follow(t, t.Context(), tailer, transcript.Position{})
		cancel()
		closed(t, records)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if _, err := tailer.Follow(t.Context(), id, transcript.Position{}); deployer.CodeOf(err) != deployer.CodeUnavailable {
			t.Errorf("follow afterwards: %v", err)
		}
	})
	t.Run("before it begins at a position that does not exist", func(t *testing.T) {
		t.Parallel()
		tailer := run(t, transcript.Book{Dir: t.TempDir()})
		if _, err := tailer.Follow(t.Context(), id, transcript.Position{Step: 99}); deployer.CodeOf(err) != deployer.CodeInvalid {
			t.Errorf("error = %v", err)
		}
	})
}
