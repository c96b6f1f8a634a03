package main

import (
	"github.com/spf13/cobra"

	"github.com/seadog/seadog/loadtest/fault"
)

// newLoadHelperCommand is what undoes faults of a load test that was killed, and
// what takes processor time from everybody.
func newLoadHelperCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "load-helper", Hidden: true, DisableFlagParsing: true,
		RunE: func(_ *cobra.Command, args []string) error { return fault.Help(args, e.Stdin) },
	}
}
