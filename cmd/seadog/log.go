package main

import (
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"
)

func newLog(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelInfo}))
}

const (
	logAhead = 1024        // lines that may wait for whoever reads them
	logFlush = time.Second // at the end
)

// console writes log lines from a goroutine of its own, because a terminal
// that was stopped, or a pipe that nobody reads, blocks whoever writes to it.
// What does not fit, or comes after close, is lost. It is safe for concurrent use.
type console struct {
	lines chan []byte
	lost  atomic.Int64
	end   chan struct{} // closed by close
	over  chan struct{} // closed when run has ended
}

func newConsole(w io.Writer) *console {
	c := &console{lines: make(chan []byte, logAhead), end: make(chan struct{}), over: make(chan struct{})}
	go c.run(w)
	return c
}

// run ends after close. If w blocks it outlives close, and ends when that ends.
func (c *console) run(w io.Writer) {
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
		if n := c.lost.Swap(0); n > 0 {
			fmt.Fprintf(w, "time=%s level=WARN msg=\"nobody read the log\" lost=%d\n", time.Now().UTC().Format(time.RFC3339Nano), n)
		}
		// There is nobody left to tell that the log cannot be written.
		_, _ = w.Write(line)
	}
}

func (c *console) Write(line []byte) (int, error) {
	select {
	case c.lines <- append([]byte(nil), line...):
	default:
		c.lost.Add(1)
	}
	return len(line), nil
}

// close waits for what was written, but not for ever.
func (c *console) close() {
	close(c.end)
	t := time.NewTimer(logFlush)
	defer t.Stop()
	select {
	case <-c.over:
	case <-t.C:
	}
}
