package worker

import (
	"context"
	"log/slog"

	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/scoreboard"
)

// named adds to every record which worker writes it. That is asked for each
// time: a spare becomes somebody when it is promoted.
type named struct {
	slog.Handler
	region *scoreboard.Region
}

func (n named) Handle(ctx context.Context, r slog.Record) error {
	r = r.Clone()
	r.AddAttrs(slog.String(watchdog.KeyWorker, n.region.ID().String()))
	return n.Handler.Handle(ctx, r)
}

func (n named) WithAttrs(attrs []slog.Attr) slog.Handler {
	return named{n.Handler.WithAttrs(attrs), n.region}
}

func (n named) WithGroup(name string) slog.Handler {
	return named{n.Handler.WithGroup(name), n.region}
}

// Log returns the logger that names this worker in every line.
func (w *Worker) Log() *slog.Logger { return w.log }
