package master

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// queuedLog passes records to a goroutine of their own: a terminal that was
// stopped, or a pipe that nobody reads, blocks whoever writes to it. What does
// not fit the queue is lost, and counted.
type queuedLog struct {
	slog.Handler
	lines *queue[func()]
	lost  *atomic.Uint64
}

func (q queuedLog) Handle(ctx context.Context, r slog.Record) error {
	r = r.Clone()
	// There is nobody left to tell that the log cannot be written.
	if !q.lines.put(func() { _ = q.Handler.Handle(ctx, r) }) {
		q.lost.Add(1)
	}
	return nil
}

func (q queuedLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return queuedLog{q.Handler.WithAttrs(attrs), q.lines, q.lost}
}

func (q queuedLog) WithGroup(name string) slog.Handler {
	return queuedLog{q.Handler.WithGroup(name), q.lines, q.lost}
}

// logFlush is how long the end of the service waits for a log that is stuck.
const logFlush = time.Second

// queueLog moves the log to a goroutine; flush ends it. The goroutine outlives
// flush only if its writer blocks for longer than logFlush, and ends when that
// ends.
func (m *master) queueLog() (flush func()) {
	lines := newQueue(func(write func()) { write() })
	m.Log = slog.New(queuedLog{m.Log.Handler(), lines, &m.unlogged})
	written := make(chan struct{})
	go func() {
		defer close(written)
		lines.run()
	}()
	return func() {
		lines.close()
		t := time.NewTimer(logFlush)
		defer t.Stop()
		select {
		case <-written:
		case <-t.C:
		}
	}
}
