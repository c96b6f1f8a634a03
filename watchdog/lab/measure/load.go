package main

import (
	"context"
	"sync"
	"time"
)

// sample is one request of a [load].
type sample struct {
	At   time.Duration // when it was due, since the load began
	Took time.Duration // from then until its answer
	Own  time.Duration // how much of that this client was late itself
	answer
}

// delay is what its user waited for the server.
func (s sample) delay() time.Duration { return s.Took - s.Own }

// bad reports whether a user would complain: no 200, or a late one.
func (s sample) bad() bool { return !s.ok() || s.delay() > slow }

const (
	slow     = 250 * time.Millisecond
	verySlow = time.Second
	patience = 15 * time.Second // of a client
)

// load is an open loop: requests are sent when they are due, whatever became
// of earlier ones, and timed from that moment. By how much this program is late
// itself, because the machine has too few processors for both, is no delay of
// the server's: nothing here ever waits for that.
type load struct {
	client *client
	path   string
	begin  time.Time

	schedule context.CancelFunc // ends the sending
	abandon  context.CancelFunc // ends the waiting
	wg       sync.WaitGroup     // the scheduler and every request

	mu      sync.Mutex // guards what follows
	samples []sample
	open    map[int]time.Duration // due times of requests without an answer
}

// healthRate is how many health checks a second go on while something is sick.
const healthRate = 200

// startLoad begins to ask for path, rate times a second. Its goroutines end by
// [load.stop].
func startLoad(ctx context.Context, c *client, path string, rate int) *load {
	l := &load{client: c, path: path, begin: time.Now(), open: map[int]time.Duration{}}
	waiting, abandon := context.WithCancel(ctx)
	sending, schedule := context.WithCancel(waiting)
	l.schedule, l.abandon = schedule, abandon
	l.wg.Go(func() { l.send(sending, waiting, time.Second/time.Duration(rate)) })
	return l
}

func (l *load) send(sending, waiting context.Context, every time.Duration) {
	for i := 0; ; i++ {
		due := time.Duration(i) * every
		if wait := due - time.Since(l.begin); wait > 0 {
			pause(sending, wait)
		}
		if sending.Err() != nil {
			return
		}
		l.mu.Lock()
		l.open[i] = due
		l.mu.Unlock()
		l.wg.Go(func() { l.ask(waiting, i, due) })
	}
}

func (l *load) ask(ctx context.Context, i int, due time.Duration) {
	own := l.elapsed() - due
	a := l.client.get(ctx, l.path, patience-own)
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, i)
	l.samples = append(l.samples, sample{At: due, Took: a.End.Sub(l.begin) - due, Own: own, answer: a})
}

// elapsed is the time since the load began.
func (l *load) elapsed() time.Duration { return time.Since(l.begin) }

// well reports whether everything that was due in the last d was answered well.
func (l *load) well(d time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.elapsed()
	for _, due := range l.open {
		if now-due > slow {
			return false
		}
	}
	for i := len(l.samples) - 1; i >= 0; i-- { // in the order of the answers
		s := l.samples[i]
		if s.At+s.Took < now-d {
			break
		}
		if s.bad() {
			return false
		}
	}
	return now > d
}

// stop ends the sending, waits for what is under way for at most grace, and
// returns all samples. What has no answer by then is [unanswered].
func (l *load) stop(grace time.Duration) []sample {
	l.schedule()
	all := make(chan struct{})
	go func() { // ends because abandon ends every request
		l.wg.Wait()
		close(all)
	}()
	limit := time.NewTimer(grace)
	defer limit.Stop()
	select {
	case <-all:
	case <-limit.C:
	}
	l.abandon()
	<-all
	l.client.pool.drop()
	return l.samples
}
