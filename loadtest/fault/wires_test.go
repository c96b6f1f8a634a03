package fault_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/fault"
)

// wires is a network that only takes notes.
type wires struct {
	mu    sync.Mutex
	on    map[string]bool
	seeds []uint64

	disturb func(ctx context.Context, name string) error // before it is on
	undo    func(name string) error                      // before it is off
}

func (w *wires) Names() []string { return []string{"db", "engine"} }

func (w *wires) Disturb(ctx context.Context, name string, d fault.Disturbance) (fault.Handle, error) {
	if w.disturb != nil {
		if err := w.disturb(ctx, name); err != nil {
			return nil, err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.on == nil {
		w.on = map[string]bool{}
	}
	w.on[name] = true
	w.seeds = append(w.seeds, d.Seed)
	return &wire{wires: w, name: name}, nil
}

// isOn lists what is disturbed.
func (w *wires) isOn() (names []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name := range w.on {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

type wire struct {
	wires *wires
	name  string
	times int
}

func (w *wire) Undo() error {
	w.times++
	if w.wires.undo != nil {
		if err := w.wires.undo(w.name); err != nil {
			return err
		}
	}
	w.wires.mu.Lock()
	defer w.wires.mu.Unlock()
	delete(w.wires.on, w.name)
	return nil
}

func (w *wire) Effects() map[string]uint64 { return map[string]uint64{"undone": uint64(w.times)} }

// diary writes down events as lines.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(e fault.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	line := fmt.Sprintf("%s %s %s", e.At, e.Fault, e.Change)
	if e.Err != nil {
		line += ": " + e.Err.Error()
	}
	d.lines = append(d.lines, line)
}

func (d *diary) read() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.lines)
}

func timeline(t *testing.T, sc *loadtest.Scenario, w *wires) (*fault.Timeline, *diary) {
	t.Helper()
	d := &diary{}
	tl, err := fault.New(fault.Config{Scenario: sc, Network: w, Log: slog.New(slog.DiscardHandler), Events: d.note})
	if err != nil {
		t.Fatal(err)
	}
	return tl, d
}

func same(t *testing.T, want, got []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
