package attack_test

import (
	"sync"
	"testing"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/attack"
)

func TestEverySampleIsDelivered(t *testing.T) {
	t.Parallel()
	var got []uint64
	box := attack.NewOutbox(func(samples []loadtest.Sample) {
		for i := range samples {
			got = append(got, samples[i].Seq)
		}
	})
	var run, workers sync.WaitGroup
	run.Go(box.Run)
	const n, each = 8, 20_000
	for w := range n {
		workers.Go(func() {
			for i := range each {
				s := loadtest.Sample{Seq: uint64(w*each + i)}
				if i%3 == 0 {
					s.Outcome = loadtest.Dropped
				}
				box.Put(&s)
			}
		})
	}
	workers.Wait()
	box.Close()
	run.Wait()
	seen := make([]bool, n*each)
	last := make([]int, n)
	for _, seq := range got {
		if seen[seq] {
			t.Fatalf("%d came twice", seq)
		}
		seen[seq] = true
		if w := int(seq) / each; int(seq)%each < last[w] {
			t.Fatalf("%d came after %d of the same worker", int(seq)%each, last[w])
		} else {
			last[w] = int(seq) % each
		}
	}
	if len(got) != n*each {
		t.Errorf("%d of %d", len(got), n*each)
	}
	if _, lost := box.Counts(); lost != 0 {
		t.Errorf("%d are lost", lost)
	}
}

// TestASinkThatBlocksStopsNobodyForLong: samples are lost then, and counted.
func TestASinkThatBlocksStopsNobodyForLong(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	delivered := 0
	box := attack.NewOutbox(func(samples []loadtest.Sample) {
		<-release
		delivered += len(samples)
	})
	var run, workers sync.WaitGroup
	run.Go(box.Run)
	const n = 2*attack.OutboxSize + 50
	for w := range 50 {
		workers.Go(func() {
			for i := w; i < n; i += 50 {
				box.Put(&loadtest.Sample{})
			}
		})
	}
	workers.Wait() // the sink is blocked still
	close(release)
	box.Close()
	run.Wait()
	waited, lost := box.Counts()
	if lost == 0 || waited < lost || delivered+int(lost) != n {
		t.Errorf("%d delivered, %d lost, %d waited, of %d", delivered, lost, waited, n)
	}
}

// TestWhatIsDroppedLeavesRoom: thousands that are dropped at once do not make
// workers wait.
func TestWhatIsDroppedLeavesRoom(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	box := attack.NewOutbox(func([]loadtest.Sample) { <-release })
	var run, dropping sync.WaitGroup
	run.Go(box.Run)
	dropping.Go(func() {
		for range 3 * attack.OutboxSize {
			box.Put(&loadtest.Sample{Outcome: loadtest.Dropped})
			if _, lost := box.Counts(); lost > 0 {
				return
			}
		}
	})
	dropping.Wait() // one was lost: the box is as full as these make it
	for range attack.OutboxSize / 4 {
		box.Put(&loadtest.Sample{})
	}
	if waited, lost := box.Counts(); waited != 0 || lost != 1 {
		t.Errorf("%d had to wait, %d were lost", waited, lost)
	}
	close(release)
	box.Close()
	run.Wait()
}
