package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/client"
	"github.com/seadog/seadog/deployer/transcript"
)

// watch follows one deployment to its end and shows it meanwhile.
type watch struct {
	connection *connection
	terminal   *terminal
	id         int64
	lines      bool // show the live log
	clock      bool // with the time of every line
	seen       deployer.Deployment
}

// run returns nil if the deployment succeeded, and an exitError otherwise. If
// ctx ends first, the deployment goes on without a watcher.
func (w *watch) run(ctx context.Context, cl *client.Client) error {
	err := cl.Follow(ctx, w.id, "", w.event)
	if errors.Is(err, context.Canceled) {
		fmt.Fprintf(w.connection.env.Stderr, "\nno longer watching; deployment %d goes on: `seadog logs -f %d` shows it, `seadog cancel %d` ends it\n", w.id, w.id, w.id)
		return &exitError{Code: exitInterrupted}
	}
	if err != nil {
		return fmt.Errorf("watch deployment %d: %w", w.id, err)
	}
	if w.connection.json && !w.lines {
		if err := w.connection.show(w.seen, nil); err != nil {
			return err
		}
	}
	if w.seen.Status != deployer.Succeeded {
		return &exitError{Code: exitFailed}
	}
	return nil
}

func (w *watch) event(e client.Event) error {
	before := w.seen
	if e.Kind != client.EventLine {
		w.seen = e.Deployment
	}
	switch {
	case w.connection.json && w.lines:
		return w.json(e)
	case w.connection.json:
		return nil
	case e.Kind == client.EventLine:
		if !w.lines {
			return nil
		}
		return w.terminal.printf("%s", recordLine(w.terminal, e.Record, w.clock))
	case e.Kind == client.EventEnd:
		paint := red
		if e.Deployment.Status == deployer.Succeeded {
			paint = green
		}
		return w.terminal.printf("%s", w.terminal.paint(paint, endLine(e.Deployment)))
	}
	if now := statusCell(e.Deployment); now != statusCell(before) && !e.Deployment.Status.Final() {
		return w.terminal.printf("%s", w.terminal.paint(dim, fmt.Sprintf("-- %s", printable(now.text))))
	}
	return nil
}

// json prints the event as one line.
func (w *watch) json(e client.Event) error {
	line := struct {
		Event client.EventKind `json:"event"`
		ID    string           `json:"id,omitempty"`
		Data  any              `json:"data"`
	}{e.Kind, e.Position, e.Record}
	if e.Kind != client.EventLine {
		line.Data = e.Deployment
	}
	enc := json.NewEncoder(w.terminal.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(line)
}

// recordLine is one line of output behind the step that printed it.
func recordLine(t *terminal, r transcript.Record, clock bool) string {
	prefix := fmt.Sprintf("%-8s |", printable(string(r.Step)))
	if clock {
		prefix = r.Time.Local().Format(time.TimeOnly) + " " + prefix
	}
	return t.paint(dim, prefix) + " " + printable(r.Line)
}
