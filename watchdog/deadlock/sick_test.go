package deadlock_test

import (
	"bytes"
	"context"
	"net"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seadog/seadog/watchdog/lock"
	"github.com/seadog/seadog/watchdog/stackdump"
)

// scenarios break a worker, each in its way.
var scenarios = map[string]func(w *worker){
	"plain":         plain,
	"busy":          busy,
	"hot":           hot,
	"tracked":       tracked,
	"tracked alone": trackedAlone,
	"loop":          loop,
	"crowd":         crowd,
	"network":       network,
	"ended":         ended,
	"unlabelled":    unlabelled,
}

// account is locked in both orders.
type account struct{ mu sync.Mutex }

func (a *account) moveTo(b *account, both *sync.WaitGroup) {
	a.mu.Lock()
	both.Done()
	both.Wait()
	b.mu.Lock() // never returns
}

func (w *worker) cross() {
	a, b := &account{}, &account{}
	var both sync.WaitGroup
	both.Add(2)
	w.serve(1, 1, func(context.Context) { a.moveTo(b, &both) })
	w.serve(2, 2, func(context.Context) { b.moveTo(a, &both) })
	await(func(d *stackdump.Dump) bool { return waiting(d) == 2 })
}

func plain(w *worker) {
	w.cross()
	w.kill("i1", 1, 1)
	w.kill("i1", 2, 2)
}

// busy is a deadlock in a worker whose threads never rest, but which collects
// garbage.
func busy(w *worker) {
	w.cross()
	for range runtime.GOMAXPROCS(0) {
		go forever()
	}
	go func() {
		for {
			runtime.GC()
			time.Sleep(time.Millisecond)
		}
	}()
	w.kill("i1", 1, 1)
}

// unlabelled is a deadlock of goroutines that say nothing about their slots.
func unlabelled(w *worker) {
	a, b := &account{}, &account{}
	var both sync.WaitGroup
	both.Add(2)
	go a.moveTo(b, &both)
	go b.moveTo(a, &both)
	await(func(d *stackdump.Dump) bool { return waiting(d) == 2 })
	w.serve(1, 1, func(context.Context) {})
	w.kill("i1", 1, 1)
}

// hot is a worker that has very much to do with one lock, and collects garbage
// as such a worker does.
func hot(w *worker) {
	var mu sync.Mutex
	var n atomic.Int64
	for slot := range 300 {
		w.serve(slot, 0, func(context.Context) {
			for {
				mu.Lock()
				n.Add(1)
				mu.Unlock()
			}
		})
	}
	go func() {
		for {
			runtime.GC()
			time.Sleep(5 * time.Millisecond)
		}
	}()
	for n.Load() < 10_000 {
		runtime.Gosched()
	}
	for slot := range 50 {
		w.kill("i1", slot, 0)
	}
}

// tracked is a deadlock of requests that stop waiting when they are given up.
func tracked(w *worker) {
	queue, state := w.graph.Mutex("queue"), w.graph.Mutex("state")
	ctx, cancel := context.WithCancel(context.Background())
	var both sync.WaitGroup
	both.Add(2)
	crossed := func(first, second *lock.Mutex, slot int) func(context.Context) {
		return func(mine context.Context) {
			mine, stop := context.WithCancel(mine)
			if slot == 1 {
				context.AfterFunc(ctx, stop)
			}
			defer stop()
			_ = first.Lock(mine)
			defer first.Unlock()
			both.Done()
			both.Wait()
			if second.Lock(mine) == nil {
				second.Unlock()
			}
		}
	}
	w.serve(1, 1, crossed(queue, state, 1))
	w.serve(2, 2, crossed(state, queue, 2))
	for len(w.graph.Cycles()) == 0 {
		runtime.Gosched()
	}
	cancel()
	w.kill("i1", 1, 1)
}

// trackedAlone is a deadlock that nobody's deadline ends.
func trackedAlone(w *worker) {
	queue, state := w.graph.Mutex("queue"), w.graph.Mutex("state")
	var both sync.WaitGroup
	both.Add(2)
	w.killed = time.Now()
	w.serve(1, 1, func(ctx context.Context) { _ = queue.Lock(ctx); both.Done(); both.Wait(); _ = state.Lock(ctx) })
	w.serve(2, 2, func(ctx context.Context) { _ = state.Lock(ctx); both.Done(); both.Wait(); _ = queue.Lock(ctx) })
}

// loop is a request that cannot be interrupted, if signals are switched off.
// A collection of garbage would wait for it for ever, and all others with it.
func loop(w *worker) {
	debug.SetGCPercent(-1)
	begun := make(chan struct{})
	w.serve(0, 0, func(context.Context) {
		close(begun)
		forever()
	})
	<-begun
	w.kill("i1", 0, 0)
}

// forever calls nothing, so only a signal can interrupt it.
func forever() {
	for i := 0; ; i++ {
	}
}

// crowd is a request that sleeps, among 5,000 goroutines.
func crowd(w *worker) {
	for range 5000 {
		go func() { select {} }()
	}
	w.serve(1, 1, func(context.Context) { sleepLong() })
	await(func(d *stackdump.Dump) bool { return inState(d, "sleep") > 0 })
	w.kill("i1", 1, 1)
}

func sleepLong() { time.Sleep(time.Hour) }

// network is requests that wait for an answer; the second comes right after
// stacks were taken for the first.
func network(w *worker) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	for slot := range 2 {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			panic(err)
		}
		w.serve(slot, 1, func(context.Context) { query(conn); _ = listener.Close() })
	}
	await(func(d *stackdump.Dump) bool { return inState(d, "IO wait") == 2 })
	w.kill("i1", 0, 1)
	w.kill("i2", 1, 1)
}

func query(conn net.Conn) { _, _ = conn.Read(make([]byte, 1)) }

// ended is a request that ends when it is given up.
func ended(w *worker) {
	w.serve(1, 1, func(context.Context) {})
	w.kill("i1", 1, 1)
	w.end(1)
}

// await looks at this process until it is as wanted.
func await(wanted func(*stackdump.Dump) bool) {
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		buf := make([]byte, 16<<20)
		if d, err := stackdump.Parse(bytes.NewReader(buf[:runtime.Stack(buf, true)]), 0); err == nil && wanted(d) {
			return
		}
		runtime.Gosched()
	}
	panic("the worker does not become as sick as it should")
}

func waiting(d *stackdump.Dump) (n int) {
	for i := range d.Goroutines {
		if _, ok := d.Goroutines[i].Wait(); ok {
			n++
		}
	}
	return n
}

func inState(d *stackdump.Dump, state string) (n int) {
	for _, g := range d.Goroutines {
		if g.State == state {
			n++
		}
	}
	return n
}
