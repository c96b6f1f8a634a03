package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/seadog/seadog/cmd/seadog/doctor"
	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/fault"
	"github.com/seadog/seadog/loadtest/report"
	loadrun "github.com/seadog/seadog/loadtest/run"
	"github.com/seadog/seadog/loadtest/spec"
	"github.com/seadog/seadog/scenarios"
)

// loadRun is one "seadog load run".
type loadRun struct {
	env *env

	target       string
	own          []string
	dir          string
	baseline     string
	metrics      string
	dryRun       bool
	asJSON       bool
	example      bool
	uncalibrated bool
	inconclusive bool
	sigquit      bool
	stretch      float64
}

func newLoadRunCommand(e *env) *cobra.Command {
	l := &loadRun{env: e}
	cmd := &cobra.Command{
		Use:   "run SCENARIO",
		Short: "Run a scenario and judge the service",
		Long: `Runs a scenario: a YAML file, or the name of one of the suite's. Only this machine
is a target, unless the scenario and --i-own-this-host both name another one.

  seadog load run --example > my.yaml
  seadog load run my.yaml --dry-run
  seadog load run my.yaml --target http://127.0.0.1:8000 --dir reports/first` + verdictExitCodes,
		Args: func(cmd *cobra.Command, args []string) error { return usageError(between(0, 1)(cmd, args)) },
		RunE: func(cmd *cobra.Command, args []string) error {
			if l.example {
				_, err := fmt.Fprint(e.Stdout, spec.Example())
				return err
			}
			if len(args) != 1 {
				return usageError(errors.New("which scenario? name a file, or one of the suite's; --example prints one"))
			}
			return l.run(cmd.Context(), args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&l.target, "target", "", "`URL` of the service, in place of the scenario's")
	f.StringSliceVar(&l.own, "i-own-this-host", nil, "a `host` beyond this machine that is yours to load; the scenario must allow it, too")
	f.BoolVar(&l.example, "example", false, "print a commented scenario")
	f.Float64Var(&l.stretch, "stretch", 1, "how many times as long those phases are that may be longer")
	l.flags(cmd)
	return cmd
}

// flags are those of all commands that run a scenario.
func (l *loadRun) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&l.dir, "dir", "", "`directory` for report.json, report.html, junit.xml and evidence")
	f.StringVar(&l.baseline, "baseline", "", "`report` of an earlier run to compare with")
	f.StringVar(&l.metrics, "metrics", "", "serve Prometheus metrics of the run at this `address`, and wait at its end until the verdict was read")
	f.BoolVar(&l.dryRun, "dry-run", false, "print what would be sent and whether a verdict can be reached, and send nothing")
	f.BoolVar(&l.asJSON, "json", false, "print the report as JSON")
	f.BoolVar(&l.uncalibrated, "no-calibration", false, "do not find out first whether this machine can send that much")
	f.BoolVar(&l.inconclusive, "allow-inconclusive", false, "exit with 0 when there were too few data")
	f.BoolVar(&l.sigquit, "allow-sigquit", false, "end a Go service that hangs, for its stacks")
}

func (l *loadRun) run(ctx context.Context, name string) error {
	s, err := l.load(name)
	if err != nil {
		return usageError(err)
	}
	if !l.dryRun && s.Service.Kind != "" && l.target == "" {
		return usageError(fmt.Errorf("scenario %s wants a service of its own: `seadog soak --only %s` starts one, --target names one", s.Name, s.Name))
	}
	return l.execute(ctx, s)
}

// execute runs a scenario, or plans it, and ends with its verdict.
func (l *loadRun) execute(ctx context.Context, s *loadtest.Scenario) error {
	if l.dryRun {
		return l.plan(s)
	}
	o, err := l.options(s)
	if err != nil {
		return usageError(err)
	}
	exporter, err := newLoadExporter(l.env, l.metrics)
	if err != nil {
		return usageError(err)
	}
	ctx, stop := stoppable(ctx)
	defer stop()
	defer exporter.close(ctx)
	r, err := l.watched(ctx, s, o, exporter)
	if err != nil {
		return failedError(err)
	}
	if l.dir != "" {
		if err := report.Write(l.dir, r); err != nil {
			return failedError(err)
		}
	}
	if err := l.print(r); err != nil {
		return failedError(err)
	}
	return verdictError(r.Code)
}

// load reads a file, or a scenario of the suite.
func (l *loadRun) load(name string) (*loadtest.Scenario, error) {
	o := spec.Options{Getenv: l.env.Getenv, Own: l.own, BaseURL: l.target, Stretch: l.stretch, Fault: fault.Check, WithoutSecrets: l.dryRun}
	s, err := spec.Load(name, o)
	if !errors.Is(err, fs.ErrNotExist) && !isMissing(name) {
		return s, err
	}
	file, text, missing := scenarios.File(name)
	if missing != nil {
		return nil, fmt.Errorf("there is no file %s, and %w", name, missing)
	}
	return spec.Parse(file, text, o)
}

func isMissing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

func (l *loadRun) plan(s *loadtest.Scenario) error {
	plan, err := spec.NewPlan(s)
	if err != nil {
		return usageError(err)
	}
	if l.asJSON {
		return printJSON(l.env, plan)
	}
	return plan.Write(l.env.Stdout)
}

func (l *loadRun) options(s *loadtest.Scenario) (loadrun.Options, error) {
	o := loadOptions(l.env)
	o.Dir, o.Uncalibrated, o.Inconclusive, o.AllowSIGQUIT = l.dir, l.uncalibrated, l.inconclusive, l.sigquit
	if l.baseline != "" {
		var err error
		if o.Baseline, err = report.Read(l.baseline); err != nil {
			return o, fmt.Errorf("--baseline: %w", err)
		}
	}
	if l.dir == "" {
		return o, nil
	}
	if _, err := os.Stat(filepath.Join(l.dir, report.JSONFile)); err == nil {
		return o, fmt.Errorf("--dir %s: there is a report already", l.dir)
	}
	return o, os.MkdirAll(l.dir, 0o755)
}

// loadOptions are those of all runs of the load tester.
func loadOptions(e *env) loadrun.Options {
	return loadrun.Options{
		Version:  versionText(),
		Stacks:   readStacks,
		Ask:      askForStacks,
		Protocol: func(ctx context.Context, url string) string { return doctor.Spoken(ctx, url) },
		Helper: func(args ...string) *exec.Cmd {
			return exec.Command("/proc/self/exe", append([]string{"load-helper"}, args...)...)
		},
		Roots: []int{os.Getpid()},
	}
}

// watched runs with somebody looking: a person at a terminal, a log, Prometheus.
func (l *loadRun) watched(ctx context.Context, s *loadtest.Scenario, o loadrun.Options, exporter *loadExporter) (*loadtest.Report, error) {
	shown := newLoadView(l.env, s, l.asJSON)
	defer shown.close()
	o.Watch, o.Fault = shown.show, shown.fault
	if err := exporter.attach(s, &o); err != nil {
		return nil, err
	}
	r, err := loadrun.Run(ctx, s, o)
	if r != nil {
		exporter.end(r.Verdict)
	}
	return r, err
}

func (l *loadRun) print(r *loadtest.Report) error {
	if l.asJSON {
		return report.JSON(l.env.Stdout, r)
	}
	if err := report.Text(l.env.Stdout, r); err != nil {
		return err
	}
	if l.dir != "" {
		fmt.Fprintf(l.env.Stdout, "\nreport: %s\n", filepath.Join(l.dir, report.HTMLFile))
	}
	return nil
}

func printJSON(e *env, v any) error {
	enc := json.NewEncoder(e.Stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
