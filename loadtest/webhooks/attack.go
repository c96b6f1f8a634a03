package webhooks

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Burst sends n deliveries at once, each on a fresh connection. Response
// counts from the one moment at which all were due, dialling included.
func (s *Sender) Burst(ctx context.Context, n int) (Summary, error) {
	if n < 1 || n > maxConnections {
		return Summary{}, fmt.Errorf("burst of %d", n)
	}
	samples := make([][]Sample, n)
	gate := make(chan struct{})
	var start time.Time
	var all sync.WaitGroup
	for i := range samples {
		all.Go(func() {
			<-gate
			status := 0
			if c, err := dial(ctx, s.config.Address, start.Add(s.config.Timeout)); err == nil {
				d, n := s.next()
				status, _, _ = c.post(d, s.run, n)
				c.Close()
			}
			samples[i] = []Sample{{Status: status, Response: time.Since(start)}}
		})
	}
	start = time.Now()
	close(gate)
	all.Wait()
	return summarise(time.Since(start), samples), ctx.Err()
}

// Closed keeps connections busy for d: each sends its next delivery when the
// last one was answered. A service that stalls is not sent anything meanwhile,
// so Response tells little about what users would see; Rate is what it is for.
func (s *Sender) Closed(ctx context.Context, connections int, d time.Duration) (Summary, error) {
	return s.attack(ctx, connections, d, func(start time.Time) schedule {
		return func(context.Context) (due time.Time, ok bool) {
			now := time.Now()
			return now, now.Sub(start) < d && ctx.Err() == nil
		}
	})
}

// Open sends rate deliveries per second for d over at most so many connections,
// whatever the service does. Response counts from the moment at which the
// schedule wanted a delivery sent, and what was never sent counts at its age.
func (s *Sender) Open(ctx context.Context, connections, rate int, d time.Duration) (Summary, error) {
	if rate < 1 || rate > maxRate {
		return Summary{}, fmt.Errorf("%d per second", rate)
	}
	return s.attack(ctx, connections, d, func(start time.Time) schedule {
		var taken atomic.Int64
		total := int64(d.Seconds() * float64(rate))
		return func(ctx context.Context) (due time.Time, ok bool) {
			n := taken.Add(1) - 1
			if n >= total {
				return time.Time{}, false
			}
			due = start.Add(time.Duration(float64(n) / float64(rate) * float64(time.Second)))
			wait(ctx, due)
			return due, true
		}
	})
}

// schedule waits until the next delivery is due. It is shared by all connections.
type schedule func(context.Context) (due time.Time, ok bool)

func (s *Sender) attack(ctx context.Context, connections int, d time.Duration, plan func(start time.Time) schedule) (Summary, error) {
	if connections < 1 || connections > maxConnections || d <= 0 || d > maxDuration {
		return Summary{}, fmt.Errorf("attack over %d connections for %s", connections, d)
	}
	workers := make([]*worker, connections)
	samples := make([][]Sample, connections)
	deadline := time.Now().Add(d + s.config.Timeout)
	for i := range workers {
		c, err := dial(ctx, s.config.Address, deadline)
		if err != nil {
			for _, w := range workers[:i] {
				w.conn.Close()
			}
			return Summary{}, fmt.Errorf("connect: %w", err)
		}
		workers[i] = &worker{sender: s, conn: c, deadline: deadline}
	}
	start := time.Now()
	next := plan(start)
	var all sync.WaitGroup
	for i, w := range workers {
		all.Go(func() { samples[i] = w.run(ctx, next) })
	}
	all.Wait()
	return summarise(time.Since(start), samples), ctx.Err()
}

// worker owns one connection, and replaces it when it breaks.
type worker struct {
	sender   *Sender
	conn     *conn
	deadline time.Time
	samples  []Sample
}

// respite is the pause of a connection that got no answer, lest a service that
// is gone is asked a million times a second.
const respite = 10 * time.Millisecond

func (w *worker) run(ctx context.Context, next schedule) []Sample {
	defer func() {
		if w.conn != nil {
			w.conn.Close()
		}
	}()
	w.samples = make([]Sample, 0, 256)
	for {
		free := time.Now()
		due, ok := next(ctx)
		if !ok {
			return w.samples
		}
		sent := time.Now()
		if sent.After(w.deadline) || ctx.Err() != nil {
			w.samples = append(w.samples, Sample{Status: unsent, Response: max(0, sent.Sub(due))})
			continue
		}
		status := w.post(ctx)
		w.samples = append(w.samples, Sample{Status: status, Response: time.Since(due), Lag: sent.Sub(later(free, due))})
		if status == 0 {
			wait(ctx, time.Now().Add(respite))
		}
	}
}

// post returns 0 if there was no answer.
func (w *worker) post(ctx context.Context) int {
	if w.conn == nil {
		c, err := dial(ctx, w.sender.config.Address, w.deadline)
		if err != nil {
			return 0
		}
		w.conn = c
	}
	d, n := w.sender.next()
	status, last, err := w.conn.post(d, w.sender.run, n)
	if err != nil || last {
		w.conn.Close()
		w.conn = nil
	}
	return status
}

func wait(ctx context.Context, until time.Time) {
	d := time.Until(until)
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
