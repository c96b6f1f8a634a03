package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/seadog/seadog/deployer"
)

func newLockCommand(e *env) *cobra.Command {
	c := &connection{env: e}
	var reason string
	var duration time.Duration
	cmd := c.command(&cobra.Command{
		Use:               "lock PROJECT",
		Short:             "Keep a project from being deployed",
		Long:              "Keeps a project from being deployed. Pushes wait, and the last one is deployed on unlock or when the lock expires.",
		Args:              between(1, 1),
		ValidArgsFunction: c.projectNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			request := deployer.LockRequest{Reason: reason}
			if cmd.Flags().Changed("for") {
				if duration <= 0 {
					return deployer.Errorf(deployer.CodeInvalid, "a lock for %s does not hold", duration).
						WithHint("--for 2h30m; without --for it holds until `seadog unlock`")
				}
				request.For = duration.String()
			}
			cl, err := c.open()
			if err != nil {
				return err
			}
			defer cl.Close()
			l, err := cl.Lock(cmd.Context(), args[0], request)
			if err != nil {
				return err
			}
			return c.show(l, func(t *terminal) error { return t.printf("%s", printable(l.Project+" is "+l.String())) })
		},
	})
	cmd.Flags().StringVar(&reason, "reason", "", "why; everybody who wants to deploy sees it")
	cmd.Flags().DurationVar(&duration, "for", 0, "how long, such as 2h30m (default: until unlocked)")
	return cmd
}

func newUnlockCommand(e *env) *cobra.Command {
	c := &connection{env: e}
	return c.command(&cobra.Command{
		Use:               "unlock PROJECT",
		Short:             "Release a project's lock; what waits is deployed",
		Args:              between(1, 1),
		ValidArgsFunction: c.projectNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := c.open()
			if err != nil {
				return err
			}
			defer cl.Close()
			if err := cl.Unlock(cmd.Context(), args[0]); err != nil || c.json {
				return err // the API answers with nothing
			}
			return c.terminal().printf("%s is unlocked", args[0])
		},
	})
}
