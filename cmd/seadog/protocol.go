package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seadog/seadog/watchdog/handoff"
)

// newProtocolCommand prints what the master asks a new binary before it starts
// workers from it.
func newProtocolCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "protocol", Hidden: true, Args: cobra.NoArgs,
		Short: "Print the number of the protocol between master and workers",
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(e.Stdout, handoff.Protocol)
			return err
		},
	}
}

// protocolOf asks a binary for the number that newProtocolCommand prints. The
// end of ctx kills it.
func protocolOf(ctx context.Context, executable string) (int, error) {
	out, err := exec.CommandContext(ctx, executable, "protocol").Output()
	// Not the exit status but the answer counts: the master reaps orphans, and
	// may have taken this child for one.
	if n, notNumber := strconv.Atoi(strings.TrimSpace(string(out))); notNumber == nil {
		return n, nil
	}
	if err == nil {
		err = fmt.Errorf("it said %.40q", out)
	}
	return 0, fmt.Errorf("ask %s for its protocol: %w", executable, err)
}
