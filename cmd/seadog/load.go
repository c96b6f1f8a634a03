package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/seadog/seadog/loadtest"
	loadrun "github.com/seadog/seadog/loadtest/run"
)

const verdictExitCodes = `

Exit codes:
  0    PASS: every threshold held
  10   FAIL: a threshold did not hold
  11   FAIL: something was lost, done twice, or done although it was refused
  12   FAIL: the service hung
  13   FAIL: the service leaks
  14   FAIL: slower than the baseline
  20   INVALID: this machine could not send what it should; nothing is known about the service
  21   INCONCLUSIVE: too few data, or none
  30   a threshold ended the run
  64   the scenario, or the command line, is wrong
  70   the load tester itself failed
  130, 143  stopped by a signal; the report is written`

func newLoadCommand(e *env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "load",
		Short: "Load-test seadog, or any HTTP service",
		Long: `Sends requests when they are due, whatever the service does, and judges what
became of them: latencies counted from the schedule, deliveries that were lost
or done twice, hangs with their evidence, leaks, and its own faults. A scenario
is a YAML file; "seadog load run --example" prints a commented one.`,
	}
	cmd.AddCommand(newLoadRunCommand(e), newLoadReplayCommand(e), newLoadReportCommand(e))
	return cmd
}

// stoppable returns a context that the first SIGINT or SIGTERM ends, with the
// verdict that this has as its cause. The second signal ends the program.
func stoppable(ctx context.Context) (context.Context, context.CancelFunc) {
	// The program's own context ends by the same signals and names neither.
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		defer signal.Stop(signals)
		select {
		case s := <-signals:
			verdict := loadtest.Interrupted
			if s == syscall.SIGTERM {
				verdict = loadtest.Terminated
			}
			cancel(&loadrun.Stopped{Verdict: verdict})
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// verdictError ends the program with the code of a verdict; everything has been said.
func verdictError(code int) error {
	if code == 0 {
		return nil
	}
	return &exitError{Code: code}
}

// usageError is an error of the command line or of a scenario.
func usageError(err error) error {
	var quiet *exitError
	if err == nil || errors.As(err, &quiet) {
		return err
	}
	return &exitError{Code: loadtest.Usage.Code(), Err: err}
}

// failedError is an error of the load tester itself.
func failedError(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{Code: loadtest.Internal.Code(), Err: err}
}
