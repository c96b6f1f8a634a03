package batch_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/seadog/seadog/deployer/batch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errBad = errors.New("bad entry")

// slow returns a Batcher whose commits take a second and double their entries,
// and the sizes of its batches. Entry -1 is bad.
func slow(limit int) (*batch.Batcher[int, int], *[]int) {
	sizes := &[]int{}
	return batch.New(batch.Config[int, int]{
		Limit: limit,
		Commit: func(_ context.Context, take func() []int) ([]int, error) {
			in := take()
			*sizes = append(*sizes, len(in))
			time.Sleep(time.Second)
			if slices.Contains(in, -1) {
				return nil, errBad
			}
			out := make([]int, len(in))
			for i, n := range in {
				out[i] = 2 * n
			}
			return out, nil
		},
		Split: func(err error) bool { return errors.Is(err, errBad) },
	}), sizes
}

func TestWhatQueuesDuringACommitIsTheNextBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, sizes := slow(8)
		var wg sync.WaitGroup
		call := func(n int) {
			wg.Go(func() {
				if got, err := b.Do(t.Context(), n); err != nil || got != 2*n {
					t.Errorf("Do(%d) = %d, %v", n, got, err)
				}
			})
		}
		call(1)
		synctest.Wait()
		for n := range 10 {
			call(n)
		}
		wg.Wait()
		b.Close()
		if want := []int{1, 8, 2}; !slices.Equal(*sizes, want) {
			t.Errorf("batches of %v, want %v", *sizes, want)
		}
	})
}

func TestALoneCallerWaitsForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := slow(0)
		begun := time.Now()
		for range 3 {
			if _, err := b.Do(t.Context(), 1); err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(begun); took != 3*time.Second {
			t.Errorf("three commits took %v", took)
		}
		b.Close()
	})
}

func TestACallerLeavesWhenItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, sizes := slow(0)
		cause := errors.New("gone")
		ctx, cancel := context.WithCancelCause(t.Context())
		for n := range 2 { // one that leads, one that waits
			go func() {
				if _, err := b.Do(ctx, n); !errors.Is(err, cause) {
					t.Errorf("Do(%d): %v, want the cause", n, err)
				}
			}()
			synctest.Wait()
		}
		cancel(cause)
		synctest.Wait()
		if got, err := b.Do(t.Context(), 21); err != nil || got != 42 {
			t.Errorf("after others left: %d, %v", got, err)
		}
		b.Close()
		if want := []int{1, 1}; !slices.Equal(*sizes, want) {
			t.Errorf("batches of %v, want %v: who left before its batch does not take part", *sizes, want)
		}
	})
}

func TestOneBadEntrySpoilsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := slow(0)
		var wg sync.WaitGroup
		for _, n := range []int{5, 1, -1, 3} {
			wg.Go(func() {
				got, err := b.Do(t.Context(), n)
				if n == -1 && !errors.Is(err, errBad) || n != -1 && (err != nil || got != 2*n) {
					t.Errorf("Do(%d) = %d, %v", n, got, err)
				}
			})
		}
		wg.Wait()
		b.Close()
	})
}

func TestFailureBeforeTheBatchIsTakenReachesEverybody(t *testing.T) {
	down := errors.New("down")
	b := batch.New(batch.Config[int, int]{Commit: func(context.Context, func() []int) ([]int, error) { return nil, down }})
	var wg sync.WaitGroup
	for n := range 20 {
		wg.Go(func() {
			if _, err := b.Do(t.Context(), n); !errors.Is(err, down) {
				t.Errorf("Do(%d): %v", n, err)
			}
		})
	}
	wg.Wait()
	b.Close()
}

func TestCloseWaitsAndRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := slow(1)
		for n := range 3 {
			go func() {
				if got, err := b.Do(t.Context(), n); err != nil || got != 2*n {
					t.Errorf("Do(%d) = %d, %v", n, got, err)
				}
			}()
		}
		synctest.Wait()
		begun := time.Now()
		b.Close()
		if took := time.Since(begun); took != 3*time.Second {
			t.Errorf("Close took %v, want the three commits", took)
		}
		if _, err := b.Do(t.Context(), 1); !errors.Is(err, batch.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

func TestCommitOutlivesItsFirstCaller(t *testing.T) {
	type key struct{}
	b := batch.New(batch.Config[int, int]{Commit: func(ctx context.Context, take func() []int) ([]int, error) {
		if ctx.Done() != nil || ctx.Value(key{}) != "value" {
			t.Errorf("commit got %v", ctx)
		}
		return take(), nil
	}})
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
	defer cancel()
	if _, err := b.Do(ctx, 1); err != nil {
		t.Error(err)
	}
	b.Close()
}

func BenchmarkDo(b *testing.B) {
	bt := batch.New(batch.Config[int, int]{Commit: func(_ context.Context, take func() []int) ([]int, error) { return take(), nil }})
	defer bt.Close()
	b.ReportAllocs()
	b.SetParallelism(64)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if _, err := bt.Do(b.Context(), 1); err != nil {
				b.Error(err)
			}
		}
	})
}
