package run

import (
	"context"
	"errors"
	"log/slog"
	"os/exec"
	"time"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/fault"
	"github.com/seadog/seadog/loadtest/hang"
	"github.com/seadog/seadog/loadtest/leak"
)

// Options are what a run depends on beside its scenario. Zero fields are
// defaults.
type Options struct {
	ID      string // of the run, part of the ids of all requests; a random one if ""
	Version string // of this program, for the report
	Dir     string // the report's directory, for evidence; "": there is none
	Log     *slog.Logger

	// Calibration of this machine, if it is known; Uncalibrated runs go without one.
	Calibration  *loadtest.Calibration
	Uncalibrated bool

	Leak         leak.Options
	Incidents    loadtest.Endpoint // of a seadog service, for evidence of hangs
	AllowSIGQUIT bool              // a target that answers no pprof may be ended for its stacks
	// Inconclusive says that too few data do not fail the run. It is noted in the report.
	Inconclusive bool
	Baseline     *loadtest.Report

	// Stacks reads a goroutine dump; see [hang.Config].
	Stacks func(dump []byte) (stacks []hang.Stack, verdict string)
	// Ask asks a process for its goroutine dump; see [hang.Config].
	Ask func(ctx context.Context, pid int) (dump []byte, err error)
	// Protocol says in a sentence what speaks at the target's address, if that is
	// not HTTP. It is asked once, when no request was answered in HTTP. nil: nobody knows.
	Protocol func(ctx context.Context, url string) string

	// For faults; see [fault.Config].
	Roots   []int
	Pool    func(ctx context.Context, name string) ([]int, error)
	Network fault.Network
	Disks   map[string]string
	Console *fault.Valve
	Helper  func(args ...string) *exec.Cmd

	// Watch is told how the run stands, once a second and at its end. It must not block.
	Watch func(Standing)
	// Sink gets every sample, beside those that judge; see [loadtest.Sink].
	Sink loadtest.Sink
	// Fault is told when a fault begins and ends.
	Fault func(fault.Event)
}

// Stopped is the cause with which a context ends a run from outside, by a signal.
type Stopped struct{ Verdict loadtest.Verdict }

func (s *Stopped) Error() string { return "stopped: " + string(s.Verdict) }

// stopVerdict is what a run is whose context has ended.
func stopVerdict(ctx context.Context) loadtest.Verdict {
	var s *Stopped
	if errors.As(context.Cause(ctx), &s) {
		return s.Verdict
	}
	return loadtest.Interrupted
}

const (
	watchEvery = time.Second
	judgeEvery = 200 * time.Millisecond
	// Who stopped a run has its report within two seconds, half of one of which
	// belongs to what is in flight: the service has restAfterStop to come to rest,
	// and the ledger what is left of booksAfterStop.
	restAfterStop     = 300 * time.Millisecond
	booksAfterStop    = time.Second
	protocolAfterStop = 200 * time.Millisecond
	protocolWithin    = 10 * time.Second
)
