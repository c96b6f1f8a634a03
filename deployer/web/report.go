package web

import (
	"context"
	"io"
	"time"
)

// Reports are those of load tests that were run on this machine. Errors are
// [deployer.Error]; CodeNotFound for what is not there.
type Reports interface {
	// List returns reports, newest first.
	List(ctx context.Context, limit int) ([]Report, error)
	Load(ctx context.Context, id string) (Report, error)
	// HTML opens the self-contained report.html.
	HTML(ctx context.Context, id string) (io.ReadCloser, error)
}

// Report is the result of one load test.
type Report struct {
	ID       string
	Name     string // of the scenario
	Time     time.Time
	Seconds  float64 // that it ran
	Verdict  string  // PASS, FAIL: SLO, INVALID, …
	ExitCode int
	Reasons  []string // the deciding one first
	Rows     []Threshold
	HasHTML  bool
}

// Threshold is what one figure had to be, and what it was.
type Threshold struct {
	Text  string // as the scenario has it: "response p99 < 200ms"
	Value string
	Limit string
	OK    bool
}
