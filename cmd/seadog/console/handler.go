package console

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/seadog/seadog/deployer"
)

// KeyDropped is the key of how many lines were dropped.
const KeyDropped = "dropped"

// Format is how lines are written.
type Format string

// Formats.
const (
	Auto Format = "auto" // text on a terminal, else JSON
	Text Format = "text"
	JSON Format = "json"
)

// Formats lists every format.
func Formats() []Format { return []Format{Auto, Text, JSON} }

// handler hands records to whatever format the console has when they come. The
// configuration is read when a process has been logging for a while.
type handler struct {
	console *Console
	changes []func(slog.Handler) slog.Handler // WithAttrs and WithGroup, in order
	made    atomic.Pointer[made]
}

// made is a handler of the format with the changes.
type made struct {
	from    *slog.Handler
	handler slog.Handler
}

// Enabled implements [slog.Handler].
func (h *handler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.console.level.Level() }

// Handle implements [slog.Handler].
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	if attrs := deployer.Correlated(ctx); len(attrs) > 0 {
		r = r.Clone()
		r.AddAttrs(attrs...)
	}
	return h.make().Handle(ctx, r)
}

func (h *handler) make() slog.Handler {
	format := h.console.format.Load()
	if m := h.made.Load(); m != nil && m.from == format {
		return m.handler
	}
	m := &made{format, *format}
	for _, change := range h.changes {
		m.handler = change(m.handler)
	}
	h.made.Store(m)
	return m.handler
}

func (h *handler) with(change func(slog.Handler) slog.Handler) slog.Handler {
	return &handler{console: h.console, changes: append(h.changes[:len(h.changes):len(h.changes)], change)}
}

// WithAttrs implements [slog.Handler].
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return h.with(func(base slog.Handler) slog.Handler { return base.WithAttrs(attrs) })
}

// WithGroup implements [slog.Handler].
func (h *handler) WithGroup(name string) slog.Handler {
	return h.with(func(base slog.Handler) slog.Handler { return base.WithGroup(name) })
}
