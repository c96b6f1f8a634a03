package main

import (
	"bytes"
	"context"

	"github.com/seadog/seadog/loadtest/hang"
	"github.com/seadog/seadog/watchdog/selfdump"
	"github.com/seadog/seadog/watchdog/stackdump"
)

// askForStacks asks processes that are under our watchdog.
func askForStacks(ctx context.Context, pid int) ([]byte, error) {
	answer, err := selfdump.Ask(ctx, pid)
	if err != nil {
		return nil, err
	}
	return answer.Dump, nil
}

// readStacks lets the load tester read dumps with what the watchdog reads them with.
func readStacks(dump []byte) (stacks []hang.Stack, verdict string) {
	d, err := stackdump.Parse(bytes.NewReader(dump), 0)
	if err != nil || d.Total() == 0 {
		return nil, ""
	}
	for _, g := range d.Goroutines {
		s := hang.Stack{ID: g.ID, State: g.State}
		for _, f := range g.Frames {
			s.Frames = append(s.Frames, f.String())
		}
		stacks = append(stacks, s)
	}
	if verdict = stackdump.Verdict(stackdump.Locks(d), stackdump.Groups(d)); verdict == stackdump.Quiet {
		verdict = ""
	}
	return stacks, verdict
}
