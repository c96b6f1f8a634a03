package lock_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/lock"
)

func TestACycleIsNamed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := lock.New()
		queue, state := g.Mutex("queue"), g.Mutex("state")
		ctx, cancel := context.WithCancel(t.Context())
		one := lock.WithHolder(ctx, lock.Holder{Request: "r1", Route: "POST /a"})
		two := lock.WithHolder(t.Context(), lock.Holder{Request: "r2"})
		mustLock(t, queue, one)
		mustLock(t, state, two)
		go func() {
			_ = state.Lock(one)
			queue.Unlock()
		}()
		synctest.Wait()
		time.Sleep(time.Second)
		if c := g.Cycles(); len(c) != 0 {
			t.Fatalf("too early: %s", c[0])
		}
		go func() {
			mustLock(t, queue, two)
			queue.Unlock()
			state.Unlock()
		}()
		synctest.Wait()
		time.Sleep(time.Second)
		go func() { // behind it, and not in it
			mustLock(t, queue, t.Context())
			queue.Unlock()
		}()
		synctest.Wait()

		cycles := g.Cycles()
		if len(cycles) != 1 {
			t.Fatalf("%d cycles", len(cycles))
		}
		c := cycles[0]
		want := `request r1 (POST /a) holds lock "queue" and waits for "state", request r2 holds lock "state" and waits for "queue"`
		if c.String() != want || c.Waited() != time.Second || c.Steps[0].Waited != 2*time.Second || c.Ending {
			t.Errorf("got %q, %+v", c.String(), c)
		}
		states := []watchdog.LockState{
			{Name: "queue", Holder: "request r1 (POST /a)", Waiters: []string{"request r2", "somebody without a name"}, Proven: true},
			{Name: "state", Holder: "request r2", Waiters: []string{"request r1 (POST /a)"}, Proven: true},
		}
		if diff := cmp.Diff(states, g.States()); diff != "" {
			t.Error(diff)
		}
		cancel()
		if ending := g.Cycles(); len(ending) == 1 && !ending[0].Ending { // it may be gone already
			t.Error("it does not say that it ends")
		}
		synctest.Wait()
		if c := g.Cycles(); len(c) != 0 {
			t.Errorf("still there: %s", c[0])
		}
		past := g.Dissolved()
		if len(past) != 1 || past[0].ID != c.ID || past[0].Ended.IsZero() || past[0].String() != strings.NewReplacer("holds", "held", "waits", "waited").Replace(want) {
			t.Errorf("dissolved: %+v", past)
		}
	})
}

func TestWhoLocksTwiceWaitsForItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := lock.New()
		m := g.Mutex("m")
		ctx, cancel := context.WithCancel(named(t.Context(), "r1"))
		mustLock(t, m, ctx)
		go func() { _ = m.Lock(ctx) }()
		synctest.Wait()
		if c := g.Cycles(); len(c) != 1 || c[0].String() != `request r1 holds lock "m" and waits for it once more` {
			t.Errorf("got %v", c)
		}
		cancel()
		synctest.Wait()
		m.Unlock()
	})
}

func TestNoProofIsDrawn(t *testing.T) {
	t.Parallel()
	for name, contexts := range map[string]func(ctx context.Context) (holds, waits context.Context){
		"from holders without a name": func(ctx context.Context) (holds, waits context.Context) { return ctx, ctx },
		"from two goroutines of one request": func(ctx context.Context) (holds, waits context.Context) {
			ctx = named(ctx, "r1")
			return ctx, lock.Fork(ctx)
		},
		"from two holders of one name": func(ctx context.Context) (holds, waits context.Context) {
			return named(ctx, "r1"), named(ctx, "r1")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := lock.New()
				m := g.Mutex("m")
				holds, waits := contexts(t.Context())
				mustLock(t, m, holds)
				go func() { mustLock(t, m, waits); m.Unlock() }()
				synctest.Wait()
				if c := g.Cycles(); len(c) != 0 {
					t.Errorf("got %s", c[0])
				}
				m.Unlock()
			})
		})
	}
	t.Run("from a holder that was seen in two places", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			g := lock.New()
			a, b := g.Mutex("a"), g.Mutex("b")
			shared := named(t.Context(), "r1")
			mustLock(t, b, t.Context())
			go func() { mustLock(t, b, shared); b.Unlock() }()
			synctest.Wait()
			mustLock(t, a, shared) // another goroutine of it
			b.Unlock()
			go func() { mustLock(t, a, shared); a.Unlock() }()
			synctest.Wait()
			if c := g.Cycles(); len(c) != 0 {
				t.Errorf("got %s", c[0])
			}
			a.Unlock()
		})
	})
}

// model is what locks do, without goroutines.
type model struct {
	owner [][]int // of each lock: nobody or one
	queue [][]int // of each lock
	wants []int   // of each holder: -1 if it does not wait
}

func newModel(locks, holders int) *model {
	m := &model{owner: make([][]int, locks), queue: make([][]int, locks), wants: make([]int, holders)}
	for i := range m.wants {
		m.wants[i] = -1
	}
	return m
}

func (m *model) lock(holder, l int) {
	if len(m.owner[l]) == 0 {
		m.owner[l] = []int{holder}
		return
	}
	m.queue[l] = append(m.queue[l], holder)
	m.wants[holder] = l
}

func (m *model) unlock(l int) {
	m.owner[l] = nil
	if len(m.queue[l]) > 0 {
		next := m.queue[l][0]
		m.queue[l] = m.queue[l][1:]
		m.owner[l], m.wants[next] = []int{next}, -1
	}
}

func (m *model) give(holder int) {
	l := m.wants[holder]
	m.queue[l] = slices.DeleteFunc(m.queue[l], func(h int) bool { return h == holder })
	m.wants[holder] = -1
}

// cycles tries every holder: is it reached again from itself?
func (m *model) cycles() []string {
	found := map[string]bool{}
	for start := range m.wants {
		var path []int
		for at, steps := start, 0; steps <= len(m.wants) && m.wants[at] >= 0 && len(m.owner[m.wants[at]]) == 1; steps++ {
			path = append(path, at)
			if at = m.owner[m.wants[at]][0]; at == start {
				slices.Sort(path)
				found[fmt.Sprint(path)] = true
				break
			}
		}
	}
	var all []string
	for c := range found {
		all = append(all, c)
	}
	slices.Sort(all)
	return all
}

// worker does what a program tells one holder.
type worker struct {
	ctx    context.Context
	cancel context.CancelFunc
	do     chan func()
}

// run lets holders do what the program says, one step at a time, and compares
// each with the model.
func run(t *testing.T, program []byte) {
	const locks, holders = 4, 5
	g, m := lock.New(), newModel(locks, holders)
	var mutexes [locks]*lock.Mutex
	for i := range mutexes {
		mutexes[i] = g.Mutex(fmt.Sprint(i))
	}
	var workers [holders]worker
	for i := range workers {
		base := lock.WithHolder(t.Context(), lock.Holder{Request: "r", Slot: i})
		w := &workers[i]
		w.do = make(chan func())
		w.ctx, w.cancel = context.WithCancel(base)
		go func() {
			for f := range w.do {
				f()
			}
		}()
	}
	for step, b := range program {
		holder, l, action := int(b)%holders, int(b)/holders%locks, int(b)/holders/locks
		w := &workers[holder]
		switch {
		case m.wants[holder] >= 0:
			if action%3 == 0 {
				m.give(holder)
				w.cancel()
				synctest.Wait()
				// Its name stays, so the end of its context has to as well.
				w.ctx, w.cancel = context.WithCancel(context.WithoutCancel(w.ctx))
			}
		case len(m.owner[l]) == 1 && m.owner[l][0] == holder && action%2 == 0:
			m.unlock(l)
			w.do <- mutexes[l].Unlock
		default:
			m.lock(holder, l)
			ctx := w.ctx
			w.do <- func() { _ = mutexes[l].Lock(ctx) }
		}
		synctest.Wait()
		var got []string
		for _, c := range g.Cycles() {
			var members []int
			for i, s := range c.Steps {
				members = append(members, s.Holder.Slot)
				if next := c.Steps[(i+1)%len(c.Steps)]; next.Holds != s.Wants || fmt.Sprint(m.wants[s.Holder.Slot]) != s.Wants {
					t.Fatalf("step %d: the links of %s are wrong", step, c)
				}
			}
			slices.Sort(members)
			got = append(got, fmt.Sprint(members))
		}
		slices.Sort(got)
		if want := m.cycles(); !slices.Equal(got, want) {
			t.Fatalf("step %d of %v: got cycles %v, want %v", step, program, got, want)
		}
	}
	for i := range workers {
		workers[i].cancel()
		close(workers[i].do)
	}
	synctest.Wait()
	if s := g.States(); len(s) != 0 {
		t.Fatalf("waiters are left: %+v", s)
	}
}

func TestRandomProgramsAgainstBruteForce(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		program := make([]byte, 60)
		for i := range program {
			program[i] = byte(random.Uint32())
		}
		synctest.Test(t, func(t *testing.T) { run(t, program) })
	}
}

func FuzzPrograms(f *testing.F) {
	f.Add([]byte{0, 6, 5, 1})            // AB-BA
	f.Add([]byte{0, 0, 20, 40})          // itself
	f.Add([]byte{0, 6, 12, 5, 11, 2})    // three
	f.Add([]byte{0, 1, 2, 3, 4, 60, 61}) // a queue whose first give up
	f.Fuzz(func(t *testing.T, program []byte) {
		synctest.Test(t, func(t *testing.T) { run(t, program[:min(len(program), 200)]) })
	})
}
