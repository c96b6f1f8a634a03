package main

import (
	"github.com/spf13/cobra"

	"github.com/seadog/seadog/deployer"
)

func newCancelCommand(e *env) *cobra.Command {
	c := &connection{env: e}
	return c.command(&cobra.Command{
		Use:               "cancel ID",
		Short:             "End a deployment that runs or waits",
		Args:              between(1, 1),
		ValidArgsFunction: c.deploymentIDs(deployer.Running, deployer.Queued),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := number(args[0])
			if err != nil {
				return err
			}
			cl, err := c.open()
			if err != nil {
				return err
			}
			defer cl.Close()
			d, err := cl.Cancel(cmd.Context(), id)
			if err != nil {
				return err
			}
			return c.show(d, func(t *terminal) error {
				if d.Status.Final() {
					return t.printf("%s", endLine(d))
				}
				return t.printf("deployment %d of %s is being ended; `seadog logs -f %d` shows when it is over", d.ID, printable(d.Project), d.ID)
			})
		},
	})
}
