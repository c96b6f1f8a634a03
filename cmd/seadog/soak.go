package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/seadog/seadog/cmd/seadog/gate"
	"github.com/seadog/seadog/loadtest"
	loadrun "github.com/seadog/seadog/loadtest/run"
	"github.com/seadog/seadog/scenarios"
)

func newSoakCommand(e *env) *cobra.Command {
	var c gate.Config
	var metrics string
	var quick, long, verbose, list, uncalibrated bool
	cmd := &cobra.Command{
		Use:   "soak",
		Short: "Run the release gate: every incident of the field, replayed against this build",
		Long: `Starts this very binary as a service, with real repositories, a real Docker Engine
and SQLite or PostgreSQL, runs the suite of scenarios against it, and prints a
line for each: the verdict, and the figure that decided. A build may be released
when it exits with 0. Half an hour; --quick takes five minutes, --long eight hours.` + verdictExitCodes,
		Args: func(cmd *cobra.Command, args []string) error { return usageError(between(0, 0)(cmd, args)) },
		RunE: func(cmd *cobra.Command, _ []string) error {
			if list {
				return listScenarios(e)
			}
			if quick && long {
				return usageError(fmt.Errorf("--quick or --long, not both"))
			}
			name := "standard"
			if quick {
				name = "quick"
			} else if long {
				name = "long"
			}
			var err error
			if c.Profile, err = gate.ProfileOf(name); err != nil {
				return usageError(err)
			}
			c.Options = loadOptions(e)
			c.Options.Uncalibrated = uncalibrated
			return soak(cmd.Context(), e, c, metrics, verbose)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&quick, "quick", false, "five minutes")
	f.BoolVar(&long, "long", false, "eight hours")
	f.StringSliceVar(&c.Only, "only", nil, "only these `scenarios`")
	f.StringVar(&c.Store, "store", "", "sqlite or postgres (default: $SOAK_STORE, or sqlite)")
	f.StringVar(&c.Dir, "dir", "", "`directory` for the reports (default: reports/ and the time)")
	f.StringVar(&metrics, "metrics", "", "serve Prometheus metrics of the runs at this `address`, and wait at the end until the verdict was read")
	f.BoolVar(&verbose, "verbose", false, "say more on stderr while it runs")
	f.BoolVar(&uncalibrated, "no-calibration", false, "do not find out first how much this machine can send")
	f.BoolVar(&list, "list", false, "list the scenarios and send nothing")
	_ = cmd.RegisterFlagCompletionFunc("only", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return scenarios.Names(), cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

func listScenarios(e *env) error {
	for _, name := range scenarios.Names() {
		if _, err := fmt.Fprintln(e.Stdout, name); err != nil {
			return err
		}
	}
	return nil
}

func soak(ctx context.Context, e *env, c gate.Config, metrics string, verbose bool) error {
	c.Store = cmp.Or(c.Store, e.Getenv("SOAK_STORE"), "sqlite")
	if !slices.Contains([]string{"sqlite", "postgres"}, c.Store) {
		return usageError(fmt.Errorf("store %q; want sqlite or postgres", c.Store))
	}
	if c.Dir == "" {
		c.Dir = filepath.Join("reports", time.Now().Format("20060102-150405"))
	}
	var err error
	if c.Executable, err = os.Executable(); err != nil {
		return failedError(err)
	}
	c.Out, c.Getenv, c.Sabotage = e.Stdout, e.Getenv, e.Getenv(sabotageVariable)
	broken, err := sabotageOf(e)
	if err != nil {
		return usageError(err)
	}
	if broken.has(namingOff) {
		c.Options.Protocol = nil
	}
	c.Log = slog.New(slog.DiscardHandler)
	if verbose {
		c.Log = slog.New(slog.NewTextHandler(e.Stderr, nil))
	}
	exporter, err := newLoadExporter(e, metrics)
	if err != nil {
		return usageError(err)
	}
	c.Watch = func(s *loadtest.Scenario, o *loadrun.Options) (func(loadtest.Verdict), error) {
		view := newLoadView(e, s, false)
		o.Watch = view.show
		return func(v loadtest.Verdict) { view.close(); exporter.end(v) }, exporter.attach(s, o)
	}
	ctx, stop := stoppable(ctx)
	defer stop()
	defer exporter.close(ctx)
	v, err := gate.Run(ctx, c)
	exporter.end(v)
	if err != nil {
		return &exitError{Code: v.Code(), Err: err}
	}
	return verdictError(v.Code())
}
