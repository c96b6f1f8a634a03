package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seadog/seadog/cmd/seadog/config"
)

// newCheckCommand builds "seadog check". What is wrong goes to stderr, what is in force to stdout.
func newCheckCommand(e *env) *cobra.Command {
	var show, insecure bool
	cmd := &cobra.Command{
		Use:   "check [FILE]...",
		Short: "Say everything that is wrong with the configuration",
		Long: `Say everything that is wrong with the configuration: file, line, key, and what to do.

Without FILE the one is checked that the service would read: what
$SEADOG_CONFIG names, ./seadog.yml, or /etc/seadog/seadog.yml.

Exit codes:
  0  every file is valid; there may be warnings
  1  at least one is not`,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{""}
			}
			valid := true
			for _, path := range args {
				ok, err := check(e, path, show, config.Options{Getenv: e.Getenv, Insecure: insecure})
				if err != nil {
					return err
				}
				valid = valid && ok
			}
			if !valid {
				return &exitError{Code: exitFailed}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&show, "print", false, "print the effective configuration, defaults filled in and secrets redacted")
	cmd.Flags().BoolVar(&insecure, "insecure", false, "allow hooks without a secret, and no API token")
	return cmd
}

// check reports on one file and returns whether it is valid.
func check(e *env, path string, show bool, o config.Options) (bool, error) {
	c, err := config.Load(path, o)
	var problems config.Problems
	if errors.As(err, &problems) {
		fmt.Fprintln(e.Stderr, printableLines(problems.Error()))
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, w := range c.Warnings {
		fmt.Fprintln(e.Stderr, printable("warning: "+w.Error()))
	}
	if !show {
		_, err = fmt.Fprintf(e.Stdout, "%s: ok, %s\n", printable(c.File), count(len(c.Projects), "project"))
		return true, err
	}
	effective, err := c.Print()
	if err != nil {
		return false, err
	}
	_, err = fmt.Fprintf(e.Stdout, "# %s, with defaults filled in and secrets redacted\n%s", printable(c.File), effective)
	return true, err
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
