package lock_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seadog/seadog/watchdog/lock"
)

func named(ctx context.Context, request string) context.Context {
	return lock.WithHolder(ctx, lock.Holder{Request: request})
}

func mustLock(t *testing.T, m *lock.Mutex, ctx context.Context) {
	t.Helper()
	if err := m.Lock(ctx); err != nil {
		t.Errorf("lock %s: %v", m.Name(), err)
	}
}

func TestOneHoldsAtATime(t *testing.T) {
	t.Parallel()
	m := lock.New().Mutex("m")
	var wg sync.WaitGroup
	inside, total := 0, 0
	for i := range 50 {
		wg.Go(func() {
			ctx := t.Context()
			if i%2 == 0 {
				ctx = named(ctx, fmt.Sprint(i))
			}
			for range 500 {
				if i%5 == 0 && m.TryLock(ctx) {
					total++
					m.Unlock()
				}
				mustLock(t, m, ctx)
				if inside++; inside != 1 {
					t.Errorf("%d hold it", inside)
				}
				inside--
				total++
				m.Unlock()
			}
		})
	}
	wg.Wait()
	if total < 50*500 {
		t.Errorf("locked %d times", total)
	}
}

func TestWaitersAreServedInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := lock.New().Mutex("m")
		mustLock(t, m, t.Context())
		var order []int
		for i := range 10 {
			go func() {
				mustLock(t, m, t.Context())
				order = append(order, i)
				m.Unlock()
			}()
			synctest.Wait()
			if m.TryLock(t.Context()) {
				t.Error("TryLock took a lock that is held")
			}
		}
		m.Unlock()
		synctest.Wait()
		if got := fmt.Sprint(order); got != "[0 1 2 3 4 5 6 7 8 9]" {
			t.Errorf("order: %s", got)
		}
	})
}

func TestAWaiterEndsWithItsContext(t *testing.T) {
	t.Parallel()
	errHarakiri := errors.New("harakiri")
	t.Run("while it waits, and the others stay in line", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			g := lock.New()
			m := g.Mutex("m")
			mustLock(t, m, t.Context())
			ctx, cancel := context.WithCancelCause(t.Context())
			var got error
			go func() { got = m.Lock(named(ctx, "r1")) }()
			synctest.Wait()
			second := false
			go func() { mustLock(t, m, t.Context()); second = true; m.Unlock() }()
			synctest.Wait()
			cancel(errHarakiri)
			synctest.Wait()
			if !errors.Is(got, errHarakiri) {
				t.Errorf("got %v", got)
			}
			if s := g.States(); len(s) != 1 || len(s[0].Waiters) != 1 {
				t.Errorf("states: %+v", s)
			}
			m.Unlock()
			synctest.Wait()
			if !second || len(g.States()) != 0 {
				t.Errorf("second: %t, %+v", second, g.States())
			}
		})
	})
	t.Run("before it waits", func(t *testing.T) {
		t.Parallel()
		m := lock.New().Mutex("m")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errHarakiri)
		if err := m.Lock(ctx); !errors.Is(err, errHarakiri) {
			t.Errorf("got %v", err)
		}
		mustLock(t, m, t.Context())
		m.Unlock()
	})
}

func TestUnlockOfAFreeLockPanics(t *testing.T) {
	t.Parallel()
	defer func() {
		if r := fmt.Sprint(recover()); !strings.Contains(r, `lock "queue"`) || !strings.Contains(r, "not held") {
			t.Errorf("panic: %s", r)
		}
	}()
	lock.New().Mutex("queue").Unlock()
}

func TestHeldTellsWhoAndSinceWhen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := lock.New()
		queue, state := g.Mutex("queue"), g.Mutex("state")
		begin := time.Now()
		mustLock(t, queue, lock.WithHolder(t.Context(), lock.Holder{Request: "r1", Route: "POST /a"}))
		time.Sleep(time.Minute)
		mustLock(t, state, t.Context())
		time.Sleep(time.Second)
		held := g.Held(30 * time.Second)
		if len(held) != 1 || held[0].Lock != "queue" || held[0].Holder.String() != "request r1 (POST /a)" || !held[0].Since.Equal(begin) {
			t.Errorf("held: %+v", held)
		}
		if held := g.Held(0); len(held) != 2 || held[1].Lock != "state" || held[1].Holder != (lock.Holder{}) {
			t.Errorf("held at all: %+v", held)
		}
		queue.Unlock()
		state.Unlock()
		if held := g.Held(0); len(held) != 0 {
			t.Errorf("held after all: %+v", held)
		}
	})
}

func TestAFreeLockCostsNoAllocation(t *testing.T) {
	m := lock.New().Mutex("m")
	ctx := context.WithValue(named(t.Context(), "r1"), key{}, 1)
	if n := testing.AllocsPerRun(1000, func() { mustLock(t, m, ctx); m.Unlock() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestForgottenLocksGo(t *testing.T) {
	t.Parallel()
	g := lock.New()
	kept := g.Mutex("kept")
	mustLock(t, kept, t.Context())
	for range 10_000 {
		mustLock(t, g.Mutex("passing"), t.Context())
	}
	for range 20 { // what is not referred to any more needs a collection or two to go
		runtime.GC()
		g.Mutex("another")
	}
	if held := g.Held(0); len(held) != 1 || held[0].Lock != "kept" {
		t.Errorf("%d locks are held", len(held))
	}
	kept.Unlock()
}

// TestNoCycleWhereOrderIsKept is 300 goroutines that take hot locks, always
// in the same order, and some that give up.
func TestNoCycleWhereOrderIsKept(t *testing.T) {
	t.Parallel()
	g := lock.New()
	locks := make([]*lock.Mutex, 6)
	for i := range locks {
		locks[i] = g.Mutex(fmt.Sprint(i))
	}
	stop := time.Now().Add(500 * time.Millisecond)
	var taken, given atomic.Int64
	var wg sync.WaitGroup
	for i := range 300 {
		wg.Go(func() {
			ctx := named(t.Context(), fmt.Sprint(i))
			for time.Now().Before(stop) {
				first := rand.IntN(len(locks) - 1)
				second := first + 1 + rand.IntN(len(locks)-first-1)
				mustLock(t, locks[first], ctx)
				short, cancel := context.WithTimeout(ctx, time.Duration(rand.IntN(5))*time.Millisecond)
				if locks[second].Lock(short) == nil {
					taken.Add(1)
					locks[second].Unlock()
				} else {
					given.Add(1)
				}
				cancel()
				locks[first].Unlock()
			}
		})
	}
	looks := 0
	for time.Now().Before(stop) {
		looks++
		if c := g.Cycles(); len(c) != 0 {
			t.Fatalf("a cycle: %s", c[0])
		}
		runtime.Gosched()
	}
	wg.Wait()
	if d := g.Dissolved(); len(d) != 0 {
		t.Errorf("a cycle was seen at the end of a context: %s", d[0])
	}
	if s := g.States(); len(s) != 0 || len(g.Held(0)) != 0 {
		t.Errorf("left behind: %+v", s)
	}
	if taken.Load() == 0 || given.Load() == 0 || looks < 10 {
		t.Errorf("not much was tried: %d taken, %d given up, %d looks", taken.Load(), given.Load(), looks)
	}
}

// TestEveryCycleIsOne lets holders take locks in any order. Whatever is called
// a cycle must never move by itself, only when one of it is given up.
func TestEveryCycleIsOne(t *testing.T) {
	t.Parallel()
	g := lock.New()
	locks := make([]*lock.Mutex, 4)
	for i := range locks {
		locks[i] = g.Mutex(fmt.Sprint(i))
	}
	const holders = 12
	var cancels [holders]atomic.Pointer[context.CancelFunc]
	done := make(chan struct{})
	var wg sync.WaitGroup
	for i := range holders {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				ctx, cancel := context.WithCancel(lock.WithHolder(t.Context(), lock.Holder{Request: "r", Slot: i}))
				cancels[i].Store(&cancel)
				var mine []*lock.Mutex
				for _, at := range rand.Perm(len(locks))[:2] {
					if locks[at].Lock(ctx) != nil {
						break
					}
					mine = append(mine, locks[at])
				}
				for _, m := range mine {
					m.Unlock()
				}
				cancel()
			}
		})
	}
	solved := 0
	for until := time.Now().Add(20 * time.Second); solved < 50 && time.Now().Before(until); {
		cycles := lasting(g)
		if len(cycles) == 0 {
			runtime.Gosched()
			continue
		}
		for range 100 {
			again := lasting(g)
			for _, c := range cycles {
				if !has(again, c.ID) && !t.Failed() {
					t.Errorf("it is gone although nobody gave up: %s", c)
				}
			}
			runtime.Gosched()
		}
		for _, c := range cycles {
			(*cancels[c.Steps[0].Holder.Slot].Load())()
			solved++
		}
	}
	close(done)
	for has := true; has; { // those that are left
		cycles := g.Cycles()
		for _, c := range cycles {
			(*cancels[c.Steps[0].Holder.Slot].Load())()
		}
		has = len(cycles) > 0 || len(g.States()) > 0
		runtime.Gosched()
	}
	wg.Wait()
	if solved < 50 {
		t.Errorf("%d cycles came about", solved)
	}
	if len(g.Dissolved()) == 0 {
		t.Error("nothing is remembered")
	}
}

// lasting returns the cycles of which nobody is about to give up.
func lasting(g *lock.Graph) []lock.Cycle {
	return slices.DeleteFunc(g.Cycles(), func(c lock.Cycle) bool { return c.Ending })
}

func has(cycles []lock.Cycle, id uint64) bool {
	for _, c := range cycles {
		if c.ID == id {
			return true
		}
	}
	return false
}
