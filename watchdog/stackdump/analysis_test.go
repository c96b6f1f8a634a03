package stackdump_test

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seadog/seadog/watchdog/stackdump"
)

func TestLocksOfRecordedDumps(t *testing.T) {
	t.Parallel()
	// One account has a mover and three victims behind it, the RWMutex a
	// reader and two writers, the other account the other mover.
	want := []struct {
		kind  stackdump.Kind
		count int
	}{{stackdump.Mutex, 4}, {stackdump.RWMutex, 3}, {stackdump.Mutex, 1}, {stackdump.Once, 1}}
	for _, version := range []string{"go1.24", "go1.25", "go1.26"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile("testdata/" + version + "-sigquit.txt")
			if err != nil {
				t.Fatal(err)
			}
			locks := stackdump.Locks(parse(t, string(data)))
			if len(locks) != len(want) {
				t.Fatalf("got %d locks: %+v", len(locks), locks)
			}
			for i, w := range want {
				if locks[i].Kind != w.kind || locks[i].Count != w.count || locks[i].Addr == 0 {
					t.Errorf("lock %d is %s %s with %d waiters, want %s with %d", i, locks[i].Kind, locks[i].Addr, locks[i].Count, w.kind, w.count)
				}
			}
			movers := [2]*stackdump.Lock{&locks[0], &locks[2]}
			for i, l := range movers {
				other := movers[1-i]
				if h := l.Holders; len(h) == 0 || !slices.Contains(other.Waiters, h[0].Goroutine) || !strings.Contains(h[0].Why, other.Addr.String()) {
					t.Errorf("%s may be held by %+v", l.Addr, h)
				}
			}
		})
	}
}

func TestGroups(t *testing.T) {
	t.Parallel()
	one := func(id int, state, function string) string {
		return fmt.Sprintf("goroutine %d [%s]:\ntime.Sleep(0x%x)\n\t/go/time.go:1\n%s(0x%x)\n\t/x.go:2\ncreated by main.main in goroutine 1\n\t/x.go:3\n", id, state, id, function, id)
	}
	groups := stackdump.Groups(parse(t, one(2, "sleep", "main.a")+one(3, "sleep, 4 minutes", "main.b")+one(4, "sleep", "main.b")+one(5, "runnable", "main.b")))
	if len(groups) != 3 || groups[0].Count != 2 || groups[0].Where.Func != "main.b" || groups[0].Minutes != 4 || groups[0].Members[1].ID != 4 {
		t.Errorf("got %+v", groups)
	}
}

// TestStalled looks at this very process. Deadlocks that it made stay for ever.
func TestStalled(t *testing.T) {
	t.Run("a hot lock of 300 goroutines is not", func(t *testing.T) {
		hot := heat(t)
		if stalled := stalledNow(); stalled[hot] != nil {
			t.Errorf("it is called stalled, with %d waiters", stalled[hot].Count)
		}
	})
	t.Run("both locks of an AB-BA deadlock are, next to a hot one", func(t *testing.T) {
		hot := heat(t)
		a, b := &account{}, &account{}
		var firsts sync.WaitGroup
		firsts.Add(2)
		go a.moveTo(b, &firsts)
		go b.moveTo(a, &firsts)
		await(func(d *stackdump.Dump) bool {
			found := 0
			for _, l := range stackdump.Locks(d) {
				if l.Addr == address(&a.mu) || l.Addr == address(&b.mu) {
					found++
				}
			}
			return found == 2
		})
		stalled := stalledNow()
		for _, want := range []stackdump.Addr{address(&a.mu), address(&b.mu)} {
			if l := stalled[want]; l == nil || l.Kind != stackdump.Mutex || len(l.Waiters) != 1 || len(l.Holders) == 0 {
				t.Errorf("%s: got %+v", want, l)
			}
		}
		if stalled[hot] != nil {
			t.Errorf("the hot one is called stalled, with %d waiters", stalled[hot].Count)
		}
	})
	t.Run("nothing is in fewer than three dumps or without ids", func(t *testing.T) {
		d := parse(t, "goroutine 7 [sync.Mutex.Lock]:\nsync.(*Mutex).lockSlow(0xc000012340)\n\t/x.go:1\nmain.f()\n\t/x.go:2\n")
		if len(stackdump.Stalled(d, d, d)) != 1 || len(stackdump.Stalled(d, d)) != 0 {
			t.Error("three dumps are what it takes")
		}
		d.Goroutines[0].ID = 0
		if len(stackdump.Stalled(d, d, d)) != 0 {
			t.Error("without ids nobody can be followed")
		}
	})
	t.Run("a lock is not if one waiter left, ran, or came back elsewhere", func(t *testing.T) {
		const format = "goroutine %d [%s]:\nsync.(*Mutex).lockSlow(0xc000012340)\n\t/x.go:1\nmain.f()\n\t/x.go:%d\n\n"
		two := func(id int, state string, line int) *stackdump.Dump {
			return parse(t, fmt.Sprintf(format, 7, "sync.Mutex.Lock", 2)+fmt.Sprintf(format, id, state, line))
		}
		before := two(8, "sync.Mutex.Lock", 2)
		for _, after := range []*stackdump.Dump{two(9, "sync.Mutex.Lock", 2), two(8, "runnable", 2), two(8, "sync.Mutex.Lock", 3)} {
			if len(stackdump.Stalled(before, before, after)) != 0 || len(stackdump.Stalled(before, after, before)) != 0 {
				t.Errorf("stalled although %+v", after.Goroutines[1])
			}
		}
	})
}

// heat makes 300 goroutines fight for one lock until the test ends, and
// returns its address once most of them wait.
func heat(t *testing.T) stackdump.Addr {
	t.Helper()
	var hot sync.Mutex
	var stop atomic.Bool
	var all sync.WaitGroup
	for range 300 {
		all.Go(func() {
			for !stop.Load() {
				hot.Lock()
				time.Sleep(50 * time.Microsecond) // so that somebody always waits
				hot.Unlock()
			}
		})
	}
	t.Cleanup(func() { stop.Store(true); all.Wait() })
	await(func(d *stackdump.Dump) bool {
		for _, l := range stackdump.Locks(d) {
			if l.Addr == address(&hot) {
				return l.Count > 200
			}
		}
		return false
	})
	return address(&hot)
}

// stalledNow takes dumps of this process when the rule wants them.
func stalledNow() map[stackdump.Addr]*stackdump.Lock {
	var dumps []*stackdump.Dump
	start := time.Now()
	for _, at := range stackdump.Samples() {
		<-time.After(time.Until(start.Add(at)))
		d, err := stackdump.Parse(bytes.NewReader(stack()), 0)
		if err != nil {
			panic(err)
		}
		dumps = append(dumps, d)
	}
	stalled := map[stackdump.Addr]*stackdump.Lock{}
	for _, l := range stackdump.Stalled(dumps...) {
		stalled[l.Addr] = &l
	}
	return stalled
}

func address(l *sync.Mutex) stackdump.Addr {
	return stackdump.Addr(reflect.ValueOf(l).Pointer())
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	const frames = "main.f(0x1)\n\t/x.go:2\n\n"
	many := func(n int, state string) (text string) {
		for i := range n {
			text += fmt.Sprintf("goroutine %d [%s]:\n%s", i+1, state, frames)
		}
		return text
	}
	recorded, err := os.ReadFile("testdata/go1.26-stack.txt")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		string(recorded):                   "It looks like a deadlock",
		many(1, "sync.Mutex.Lock"):         "1 goroutine waits for 1 lock",
		many(2, "chan receive (nil chan)"): "2 goroutines wait for what can never come",
		many(1, "select (leaked)"):         "1 goroutine waits for what can never come",
		many(20, "runnable"):               "20 goroutines want a CPU",
		many(100, "select"):                "100 goroutines are at one place, main.f (x.go:2)",
		many(99, "select"):                 "Nothing is visibly stuck",
	} {
		d := parse(t, text)
		if got := stackdump.Verdict(stackdump.Locks(d), stackdump.Groups(d)); !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
