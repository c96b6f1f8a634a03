package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"os/exec"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seadog/seadog/watchdog/handoff"
)

// newProtocolCommand prints what the master asks a new binary before it starts
// workers from it: the number of the protocol, and what the counters and routes
// amount to, because workers that count something else cannot share a scoreboard.
func newProtocolCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "protocol", Hidden: true, Args: cobra.NoArgs,
		Short: "Print the number of the protocol between master and workers",
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(e.Stdout, handoff.Protocol, fingerprint())
			return err
		},
	}
}

// fingerprint tells apart binaries whose scoreboards have other names.
func fingerprint() string {
	h := fnv.New64a()
	for _, name := range append(counterNames(), routeNames()...) {
		_, _ = io.WriteString(h, name+"\n") // never fails
	}
	return strconv.FormatUint(h.Sum64(), 16)
}

// foreign is the protocol of a binary that speaks ours about other names.
const foreign = -1

// protocolIn reads what newProtocolCommand of another binary has printed.
func protocolIn(answer string) (int, error) {
	number, names, _ := strings.Cut(strings.TrimSpace(answer), " ")
	n, err := strconv.Atoi(number)
	if err == nil && n == handoff.Protocol && names != fingerprint() {
		n = foreign
	}
	return n, err
}

// protocolOf asks a binary for its protocol. The end of ctx kills it.
func protocolOf(ctx context.Context, executable string) (int, error) {
	out, err := exec.CommandContext(ctx, executable, "protocol").Output()
	// Not the exit status but the answer counts: the master reaps orphans, and
	// may have taken this child for one.
	if n, notNumber := protocolIn(string(out)); notNumber == nil {
		return n, nil
	}
	if err == nil {
		err = fmt.Errorf("it said %.40q", out)
	}
	return 0, fmt.Errorf("ask %s for its protocol: %w", executable, err)
}
