package main

import (
	"bufio"
	"context"
	"encoding/json"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/client"
	"github.com/seadog/seadog/deployer/transcript"
)

func newLogsCommand(e *env) *cobra.Command {
	c := &connection{env: e}
	var follow, clock bool
	cmd := c.command(&cobra.Command{
		Use:   "logs [PROJECT|ID]",
		Short: "Show what a deployment printed",
		Long: `Shows what a deployment printed: the one with this id, or the project's that
runs, or its newest. Without an argument: the one that runs, or the newest of all.

--json prints one record per line; with --follow, one event per line.`,
		Args:              between(0, 1),
		ValidArgsFunction: c.projectNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := c.open()
			if err != nil {
				return err
			}
			defer cl.Close()
			id, err := chooseDeployment(cmd.Context(), cl, strings.Join(args, ""), follow)
			if err != nil {
				return err
			}
			if follow {
				w := &watch{connection: c, terminal: c.terminal(), id: id, lines: true, clock: clock}
				return w.run(cmd.Context(), cl)
			}
			return c.printTranscript(cmd.Context(), cl, id, clock)
		},
	})
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on until the deployment is over; the exit code tells how it ended")
	cmd.Flags().BoolVarP(&clock, "timestamps", "t", false, "show the time of every line")
	return cmd
}

// chooseDeployment finds the deployment that is meant. Whoever follows wants
// to see one that still waits; whoever looks, one that printed something.
func chooseDeployment(ctx context.Context, cl *client.Client, which string, follow bool) (int64, error) {
	if which != "" && strings.Trim(which, "0123456789") == "" {
		return number(which)
	}
	var running, pending, last *deployer.Deployment
	if which != "" {
		p, err := cl.Project(ctx, which)
		if err != nil {
			return 0, err
		}
		running, pending, last = p.Running, p.Pending, p.Last
	} else {
		o, err := cl.Overview(ctx)
		if err != nil {
			return 0, err
		}
		running, pending, last = newest(o.Deployments)
	}
	order := []*deployer.Deployment{running, last, pending}
	if follow {
		order = []*deployer.Deployment{running, pending, last}
	}
	for _, d := range order {
		if d != nil {
			return d.ID, nil
		}
	}
	return 0, deployer.Errorf(deployer.CodeNotFound, "nothing was deployed yet")
}

// newest returns the newest deployment that runs, that waits, and that is over.
func newest(list []deployer.Deployment) (running, pending, last *deployer.Deployment) {
	for i := range list {
		d := &list[i]
		kind := &last
		switch d.Status {
		case deployer.Running:
			kind = &running
		case deployer.Queued:
			kind = &pending
		}
		if *kind == nil || (*kind).ID < d.ID {
			*kind = d
		}
	}
	return running, pending, last
}

func (c *connection) printTranscript(ctx context.Context, cl *client.Client, id int64, clock bool) error {
	out := bufio.NewWriterSize(c.env.Stdout, 64<<10)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	t := c.terminal()
	err := cl.Transcript(ctx, id, func(r transcript.Record) error {
		if c.json {
			return enc.Encode(r)
		}
		_, err := out.WriteString(recordLine(t, r, clock) + "\n")
		return err
	})
	if flushed := out.Flush(); err == nil {
		err = flushed
	}
	return err
}
