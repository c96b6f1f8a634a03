package attack_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seadog/seadog/loadtest/attack"
)

// plain is the least that an engine can be: a goroutine for every hit. That
// there is one besides vegeta keeps the interface honest.
type plain struct{}

func (plain) Run(workers int, next func() *attack.Hit, send func(*attack.Hit)) {
	free := make(chan struct{}, workers)
	var all sync.WaitGroup
	for h := next(); h != nil; h = next() {
		free <- struct{}{}
		all.Go(func() { send(h); <-free })
	}
	all.Wait()
}

func engines() map[string]attack.Engine {
	return map[string]attack.Engine{"vegeta": attack.Vegeta{}, "plain": plain{}}
}

func TestAnEngineSendsEachHitOnceWithinItsWorkers(t *testing.T) {
	t.Parallel()
	for name, engine := range engines() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, workers := range []int{1, 3, 100} {
				const n = 5000
				var mu sync.Mutex
				sent := map[*attack.Hit]int{}
				var asking, busy, asked atomic.Int64
				engine.Run(workers, func() *attack.Hit {
					if asking.Add(1) != 1 {
						t.Error("asked from two goroutines at once")
					}
					defer asking.Add(-1)
					if asked.Add(1) > n {
						return nil
					}
					return &attack.Hit{}
				}, func(h *attack.Hit) {
					if got := busy.Add(1); got > int64(workers) {
						t.Errorf("%d at once, %d workers", got, workers)
					}
					mu.Lock()
					sent[h]++
					mu.Unlock()
					busy.Add(-1)
				})
				if len(sent) != n || asked.Load() != n+1 || busy.Load() != 0 {
					t.Errorf("%d hits were sent of %d, asked %d times, %d under way", len(sent), n, asked.Load(), busy.Load())
				}
			}
		})
	}
}

func TestAnEngineWaitsForWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	for name, engine := range engines() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked, answered := 0, make(chan struct{})
			var ended atomic.Int64
			engine.Run(4, func() *attack.Hit {
				if asked++; asked > 3 {
					close(answered) // only now: Run has nothing left to ask for
					return nil
				}
				return &attack.Hit{}
			}, func(*attack.Hit) {
				<-answered
				ended.Add(1)
			})
			if got := ended.Load(); got != 3 {
				t.Errorf("returned when %d of 3 had been sent", got)
			}
		})
	}
}
