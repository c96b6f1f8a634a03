package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/report"
)

func newLoadReportCommand(e *env) *cobra.Command {
	var html, junit, baseline string
	var asJSON, schema bool
	cmd := &cobra.Command{
		Use:   "report DIR|FILE",
		Short: "Show a report, compare it with another one, or write it anew",
		Long: `Shows what a run was. With --baseline it is compared with an earlier report of the
same scenario: what is slower by more than a tenth, and outside of the range of
then, is a regression, and the exit code 14. --schema prints the JSON Schema of
report.json.`,
		Args: func(cmd *cobra.Command, args []string) error { return usageError(between(0, 1)(cmd, args)) },
		RunE: func(_ *cobra.Command, args []string) error {
			if schema {
				_, err := e.Stdout.Write(report.Schema)
				return err
			}
			if len(args) != 1 {
				return usageError(errors.New("which report? name its directory, or its report.json"))
			}
			r, err := report.Read(args[0])
			if err != nil {
				return usageError(err)
			}
			if err := compareReports(r, baseline); err != nil {
				return usageError(err)
			}
			if err := writeReports(r, html, junit); err != nil {
				return failedError(err)
			}
			if asJSON {
				return errors.Join(report.JSON(e.Stdout, r), verdictError(regressed(r)))
			}
			return errors.Join(report.Text(e.Stdout, r), printChanges(e, r), verdictError(regressed(r)))
		},
	}
	f := cmd.Flags()
	f.StringVar(&html, "html", "", "write the report as one page to this `file`")
	f.StringVar(&junit, "junit", "", "write the report as JUnit XML to this `file`")
	f.StringVar(&baseline, "baseline", "", "compare with this earlier `report`")
	f.BoolVar(&asJSON, "json", false, "print the report as JSON")
	f.BoolVar(&schema, "schema", false, "print the JSON Schema of report.json")
	return cmd
}

func compareReports(r *loadtest.Report, baseline string) error {
	if baseline == "" {
		return nil
	}
	then, err := report.Read(baseline)
	if err != nil {
		return err
	}
	r.Baseline, err = report.Compare(r, then)
	return err
}

// regressed is the exit code of a comparison. A report that is only shown has
// been judged when it was made.
func regressed(r *loadtest.Report) int {
	if r.Baseline != nil && len(report.Regressions(r.Baseline)) > 0 {
		return loadtest.Regression.Code()
	}
	return 0
}

func printChanges(e *env, r *loadtest.Report) error {
	if r.Baseline == nil {
		return nil
	}
	fmt.Fprintf(e.Stdout, "\n  against %s\n", r.Baseline.Run)
	for _, c := range r.Baseline.Metrics {
		mark := " "
		if c.Regression {
			mark = "✗"
		}
		t := loadtest.Threshold{Unit: c.Unit}
		if _, err := fmt.Fprintf(e.Stdout, "  %s %-44s %12s → %-12s %.2f ×\n", mark, c.Name, t.Format(c.Then.Median), t.Format(c.Now.Median), c.Ratio); err != nil {
			return err
		}
	}
	return nil
}

func writeReports(r *loadtest.Report, html, junit string) error {
	for path, write := range map[string]func(*os.File) error{
		html:  func(f *os.File) error { return report.HTML(f, r) },
		junit: func(f *os.File) error { return report.JUnit(f, r) },
	} {
		if path == "" {
			continue
		}
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		if err := errors.Join(write(f), f.Close()); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
	}
	return nil
}
