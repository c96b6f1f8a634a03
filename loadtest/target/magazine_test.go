package target_test

import (
	"context"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/target"
)

// fill runs the magazine's producer until the test ends, and waits for it to
// have filled the ring.
func fill(t testing.TB, m *target.Magazine) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var producer sync.WaitGroup
	producer.Go(func() { _ = m.Run(ctx) })
	t.Cleanup(func() { stop(); producer.Wait() })
	<-m.Full()
}

func TestWhatIsReadyIsWhatWouldHaveBeenBuilt(t *testing.T) {
	t.Parallel()
	c := config(webhooks())
	c.Ring = 16
	m := load(t, c)
	fill(t, m)
	want := shots(t, c, 3000)
	for seq, w := range want {
		got, _ := m.Next(uint64(seq))
		if diff := cmp.Diff(w, got, wire); diff != "" {
			t.Fatalf("%d: %s", seq, diff)
		}
		m.Return(got)
	}
	if ready, empty := m.Counts(); ready+empty != 3000 || ready < 16 {
		t.Errorf("%d were ready, %d were not", ready, empty)
	}
}

func TestAnEmptyRingIsCountedAndBuiltAtOnce(t *testing.T) {
	t.Parallel()
	m := load(t, config(webhooks()))
	if s, ready := m.Next(5); ready || s.Seq != 5 || len(s.Body) == 0 {
		t.Errorf("got %+v, %v", s, ready)
	}
	if ready, empty := m.Counts(); ready != 0 || empty != 1 {
		t.Errorf("%d were ready, %d were not", ready, empty)
	}
}

func TestTheProducerFollowsWhoPassesOver(t *testing.T) {
	t.Parallel()
	c := config(webhooks())
	c.Ring = 8
	m := load(t, c)
	fill(t, m)
	for _, seq := range []uint64{0, 3, 4, 50, 51, 5000, 5001, 5009} {
		if s, _ := m.Next(seq); s.Seq != seq {
			t.Fatalf("asked for %d, got %d", seq, s.Seq)
		}
	}
	// Whatever it was building: before long it builds what comes next.
	for seq := uint64(5010); ; seq++ {
		if _, ready := m.Next(seq); ready {
			break
		}
	}
}

func TestMemoryOfTheRingIsBounded(t *testing.T) {
	t.Parallel()
	traffic := webhooks()
	traffic.Replay, traffic.Negatives = loadtest.Replay{}, nil
	traffic.Request.Body.MinSize, traffic.Request.Body.MaxSize = 1<<20, 1<<20
	c := config(traffic)
	c.Memory = 3 << 20
	m := load(t, c)
	fill(t, m)
	for seq := range uint64(3) {
		if _, ready := m.Next(seq); !ready {
			t.Fatalf("%d is not ready", seq)
		}
	}
	// Passed over, the rest gives its room to what is wanted.
	for seq := uint64(1000); ; seq += 10 {
		m.Next(seq)
		if _, ready := m.Next(seq + 1); ready {
			break
		}
	}
}

func TestABodyLargerThanTheMemoryIsBuiltAlone(t *testing.T) {
	t.Parallel()
	traffic := webhooks()
	traffic.Replay, traffic.Negatives = loadtest.Replay{}, nil
	traffic.Request.Body.MinSize, traffic.Request.Body.MaxSize = 1<<20, 1<<20
	c := config(traffic)
	c.Memory = 1
	m := load(t, c)
	fill(t, m)
	if _, ready := m.Next(0); !ready {
		t.Error("nothing is ready")
	}
}

func BenchmarkBuild(b *testing.B) {
	for name, size := range map[string]int64{"2KiB": 2 << 10, "7KiB": 7 << 10, "100KiB": 100 << 10} {
		b.Run(name, func(b *testing.B) {
			traffic := webhooks()
			traffic.Replay, traffic.Negatives = loadtest.Replay{}, nil
			traffic.Request.Body.MinSize, traffic.Request.Body.MaxSize = size, size
			m := load(b, config(traffic))
			b.SetBytes(size)
			b.ReportAllocs()
			seq := uint64(0)
			for b.Loop() {
				s, _ := m.Next(seq)
				m.Return(s)
				seq++
			}
		})
	}
}
