package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// maxRequests recycles four workers all the time: never two at once, and
// nobody notices.
func maxRequests(ctx context.Context, b *bench, r *report) (err error) {
	const workers, after = 4, 300
	l, err := b.underLoad(ctx, r.Cell, options{workers: workers, args: []string{"--max-requests", fmt.Sprint(after)}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.end()) }()
	w := watched{server: l.server, seen: map[int]bool{}}
	looking, enough := context.WithTimeout(ctx, b.lasting(time.Minute, 15*time.Second))
	defer enough()
	var wg sync.WaitGroup
	wg.Go(func() { w.watchStates(looking) })
	w.watchProcesses(looking)
	wg.Wait()
	recycled := len(w.seen) - survivors(l.workers())
	r.figure("recycled", recycled)
	r.figure("most processes", w.crowd)
	r.figure("most leaving", w.leaving)
	l.judge(r, l.fresh.elapsed(), 0)
	r.bar("workers are recycled", recycled >= 2, "%d, want ≥ 2", recycled)
	// Besides the workers: the one that goes, and the spare that comes.
	r.bar("never two recycles at once", w.leaving <= 1 && w.crowd <= workers+2,
		"%d workers leave at once, %d processes; want ≤ 1 and ≤ %d", w.leaving, w.crowd, workers+2)
	return w.err
}

// watched is what is seen of a lab's workers in the course of time, in two
// ways: processes as the kernel knows them, and states as the watchdog does.
type watched struct {
	*server
	seen    map[int]bool // pids
	crowd   int          // most processes at once
	leaving int          // most workers at once that are being replaced
	err     error
}

func (w *watched) watchProcesses(ctx context.Context) {
	_, _ = poll(ctx, cellLimit, func() bool {
		running := 0
		for _, pid := range w.workers() {
			if !gone(pid) {
				running++
				w.seen[pid] = true
			}
		}
		w.crowd = max(w.crowd, running)
		return false
	})
}

func (w *watched) watchStates(ctx context.Context) {
	for ctx.Err() == nil {
		b, err := w.top(ctx)
		if err != nil && ctx.Err() == nil {
			w.err = err
			return
		}
		w.leaving = max(w.leaving, b.leaving())
		pause(ctx, 200*time.Millisecond)
	}
}

// leak leaks until a worker is too large.
func leak(ctx context.Context, b *bench, r *report) (err error) {
	const limitMB, stepMB = 128, 8
	l, err := b.underLoad(ctx, r.Cell, options{args: []string{"--max-rss", fmt.Sprintf("%dMiB", limitMB)}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.end()) }()
	begin := l.fresh.elapsed()
	c := &client{addr: l.addr}
	answers, leaky, recycled := tally{}, map[int]bool{}, 0
	largest := int64(0)
	var crossed time.Time
	for deadline := time.Now().Add(time.Minute); recycled == 0 && time.Now().Before(deadline) && ctx.Err() == nil; {
		a := c.get(ctx, fmt.Sprintf("/leak?mb=%d", stepMB), patience)
		answers[a.Outcome]++
		leaky[a.PID] = a.ok()
		pause(ctx, 250*time.Millisecond)
		for pid := range leaky {
			size := rss(pid)
			largest = max(largest, size)
			if size > limitMB<<20 && crossed.IsZero() {
				crossed = time.Now()
			}
			if gone(pid) {
				recycled++
			}
		}
	}
	r.figure("leaks", answers)
	r.figure("largest MB", largest>>20)
	if !crossed.IsZero() {
		r.figure("recycled after", seconds(time.Since(crossed)))
	}
	pause(ctx, calm)
	l.judge(r, begin, 0)
	r.bar("leaks answered", answers.total() == answers[okay], "%s", answers)
	r.bar("recycled in time", recycled > 0 && largest < 2*limitMB<<20, "%d workers, largest %d MB of %d", recycled, largest>>20, limitMB)
	return nil
}
