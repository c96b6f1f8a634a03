package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// cell is one measurement with a server of its own.
type cell struct {
	name string
	run  func(ctx context.Context, b *bench, r *report) error
}

// report is what a cell found out.
type report struct {
	Cell    string   `json:"cell"`
	Seconds float64  `json:"seconds"`
	Figures []figure `json:"figures"`
	Bars    []bar    `json:"bars"`
	Note    string   `json:"note,omitempty"`    // what to think of while reading
	Skipped string   `json:"skipped,omitempty"` // why it was not measured
	Error   string   `json:"error,omitempty"`
}

// figure is one measured value, as it is shown.
type figure struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// bar is one promise and whether it was kept.
type bar struct {
	Name   string `json:"name"`
	Met    bool   `json:"met"`
	Detail string `json:"detail"` // what was seen and what is wanted
}

func (r *report) figure(name string, value any) {
	r.Figures = append(r.Figures, figure{name, fmt.Sprint(value)})
}

// noisy is how late a client on a machine with enough processors never is.
const noisy = 150 * time.Millisecond

// doubt notes that the machine was too busy to judge tens of milliseconds.
func (r *report) doubt(own time.Duration) {
	if own > noisy {
		r.Note = fmt.Sprintf("the client itself was up to %s late: the machine was busy, measure again", ms(own))
	}
}

func (r *report) bar(name string, met bool, format string, args ...any) {
	r.Bars = append(r.Bars, bar{name, met, fmt.Sprintf(format, args...)})
}

// met reports whether the cell was measured and every bar in it was met, or
// whether it was left out with a reason.
func (r *report) met() bool {
	for _, b := range r.Bars {
		if !b.Met {
			return false
		}
	}
	return r.Error == ""
}

// cellLimit bounds a cell whatever hangs.
const cellLimit = 4 * time.Minute

func (c cell) measure(ctx context.Context, b *bench) report {
	ctx, cancel := context.WithTimeout(ctx, cellLimit)
	defer cancel()
	r := report{Cell: c.name}
	begin := time.Now()
	if err := c.run(ctx, b, &r); err != nil {
		r.Error = err.Error()
	} else if ctx.Err() != nil {
		r.Error = "took more than " + cellLimit.String()
	}
	r.Seconds = time.Since(begin).Seconds()
	return r
}

// cells are all measurements, in the order in which they are taken.
func cells(quick bool) []cell {
	return append(faultCells(quick),
		cell{"stop60", stopOne},
		cell{"killall", killAll},
		cell{"maxrequests", maxRequests},
		cell{"leak", leak},
		cell{"reload", goodReload},
		cell{"reload/broken", brokenReload},
		cell{"clock", stepClock},
		cell{"master/stop60", stopMaster},
		cell{"master/kill", killMaster},
		cell{"burn", burn},
		cell{"hot", hotLock},
		cell{"abba", abba},
		cell{"blackhole", blackHole},
		cell{"idle", idle},
		cell{"throughput", throughput},
	)
}

func writeJSON(path string, reports []report) error {
	text, err := json.MarshalIndent(reports, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
