// Package console is where the log of a process goes: text for people on a
// terminal, JSON for machines, and never a line that keeps anybody waiting.
//
// It owns the format, and what happens when nobody reads: lines wait in a
// buffer, then they are dropped, counted, and it is said in the log how many
// there were. What lines say is their authors' business; the console adds what
// their context carries (see deployer.Correlate).
//
// Goroutines: one for each [Console], from [New] to [Console.Close].
package console

import (
	"context"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/term"
)

const (
	ahead = 1024        // lines that may wait for whoever reads them
	flush = time.Second // at the end
)

// Console writes lines from a goroutine of its own, because a terminal that was
// stopped, or a pipe that nobody reads, blocks whoever writes to it. What does
// not fit, or comes after Close, is dropped. Its methods may be called concurrently.
type Console struct {
	out      io.Writer
	terminal bool
	lines    chan []byte
	end      chan struct{} // closed by Close
	over     chan struct{} // closed when run has ended

	level  slog.LevelVar
	format atomic.Pointer[slog.Handler] // writes to lines
	direct atomic.Pointer[slog.Handler] // the same, but writes to out; for run

	dropped atomic.Uint64 // ever
	untold  atomic.Uint64 // of these, what the log has not said
	counter atomic.Pointer[func(n uint64)]
}

// New returns a console that writes to w in the format auto, from level info on.
func New(w io.Writer) *Console {
	c := &Console{out: w, lines: make(chan []byte, ahead), end: make(chan struct{}), over: make(chan struct{})}
	if f, ok := w.(*os.File); ok {
		c.terminal = term.IsTerminal(int(f.Fd()))
	}
	c.Configure(Auto, slog.LevelInfo)
	go c.run()
	return c
}

// Configure changes the format and the level of what is logged from now on, also
// through loggers that were made before.
func (c *Console) Configure(f Format, level slog.Level) {
	c.level.Set(level)
	handlerFor := func(w io.Writer) slog.Handler {
		o := &slog.HandlerOptions{Level: &c.level, ReplaceAttr: readable}
		if f == JSON || f != Text && !c.terminal {
			return slog.NewJSONHandler(w, o)
		}
		return slog.NewTextHandler(w, o)
	}
	queued, direct := handlerFor(queue{c}), handlerFor(c.out)
	c.format.Store(&queued)
	c.direct.Store(&direct)
}

// readable writes durations with their unit, in JSON too.
func readable(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}

// Log returns a logger for this console.
func (c *Console) Log() *slog.Logger { return slog.New(&handler{console: c}) }

// Dropped returns how many lines were ever dropped.
func (c *Console) Dropped() uint64 { return c.dropped.Load() }

// Count has add called for all lines that were dropped and will be. It must not block.
func (c *Console) Count(add func(n uint64)) {
	c.counter.Store(&add)
	if n := c.dropped.Load(); n > 0 {
		add(n)
	}
}

// queue is the writer behind the format.
type queue struct{ *Console }

// Write implements [io.Writer]. It never waits and has no errors.
func (q queue) Write(line []byte) (int, error) {
	select {
	case q.lines <- append([]byte(nil), line...):
	default:
		q.dropped.Add(1)
		q.untold.Add(1)
		if add := q.counter.Load(); add != nil {
			(*add)(1)
		}
	}
	return len(line), nil
}

// run ends after Close. If the writer blocks it outlives that, and ends when
// the writer ends.
func (c *Console) run() {
	defer close(c.over)
	for {
		var line []byte
		select {
		case line = <-c.lines:
		default:
			select {
			case line = <-c.lines:
			case <-c.end:
				return
			}
		}
		// There is nobody left to tell that the log cannot be written.
		_ = c.confess()
		_, _ = c.out.Write(line)
	}
}

// confess says how many lines were dropped since it was said last.
func (c *Console) confess() error {
	n := c.untold.Swap(0)
	if n == 0 {
		return nil
	}
	r := slog.NewRecord(time.Now(), slog.LevelWarn, "nobody read the log: lines were dropped", 0)
	r.AddAttrs(slog.Uint64(KeyDropped, n))
	return (*c.direct.Load()).Handle(context.Background(), r)
}

// Close waits for what was written, but not for ever.
func (c *Console) Close() {
	close(c.end)
	t := time.NewTimer(flush)
	defer t.Stop()
	select {
	case <-c.over:
	case <-t.C:
	}
}
