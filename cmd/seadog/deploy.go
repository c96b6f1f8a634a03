package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/client"
)

// order is what deploy, redeploy and rollback have in common: they ask for a
// deployment and may then watch it.
type order struct {
	connection
	override     bool
	follow, wait bool
}

func (o *order) command(cmd *cobra.Command) *cobra.Command {
	cmd = o.connection.command(cmd)
	cmd.ValidArgsFunction = o.projectNames()
	cmd.Flags().BoolVar(&o.override, "override", false, "deploy in spite of a lock (needs a token of scope admin)")
	cmd.Flags().BoolVarP(&o.follow, "follow", "f", false, "show the live log; the exit code tells how it ended")
	cmd.Flags().BoolVar(&o.wait, "wait", false, "wait for the end without the log; the exit code tells how it ended")
	return cmd
}

// place sends the request and watches what comes of it, if asked to.
func (o *order) place(ctx context.Context, send func(*client.Client) (deployer.Placed, error)) error {
	cl, err := o.open()
	if err != nil {
		return err
	}
	defer cl.Close()
	placed, err := send(cl)
	if err != nil {
		return err
	}
	watching := o.follow || o.wait
	if !watching || !o.json {
		if err := o.show(placed, func(t *terminal) error { return t.printf("%s", placedLine(placed)) }); err != nil {
			return err
		}
	}
	if !watching {
		return nil
	}
	w := &watch{connection: &o.connection, terminal: o.terminal(), id: placed.Deployment.ID, lines: o.follow, seen: placed.Deployment}
	return w.run(ctx, cl)
}

func newDeployCommand(e *env) *cobra.Command {
	o := &order{connection: connection{env: e}}
	var request deployer.DeployRequest
	cmd := o.command(&cobra.Command{
		Use:   "deploy PROJECT",
		Short: "Deploy a project now",
		Long:  "Deploys a project now: its first branch, or the ref or commit that is named.",
		Example: `  seadog deploy shop --follow
  seadog deploy shop --ref release/2 --commit 3f2a9c1d77aa4b0c8e5d6f7a8b9c0d1e2f3a4b5c`,
		Args: between(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			request.Ref, request.Override = fullRef(request.Ref), o.override
			return o.place(cmd.Context(), func(cl *client.Client) (deployer.Placed, error) {
				return cl.Deploy(cmd.Context(), args[0], request)
			})
		},
	})
	cmd.Flags().StringVar(&request.Ref, "ref", "", "branch, or a full ref such as refs/tags/v1.2 (default: the project's first branch)")
	cmd.Flags().StringVar(&request.Commit, "commit", "", "full commit id (default: the newest of the ref)")
	return cmd
}

// fullRef lets people name a branch by its name. Image references have a colon, which no ref has.
func fullRef(ref string) string {
	if ref == "" || strings.HasPrefix(ref, "refs/") || strings.Contains(ref, ":") {
		return ref
	}
	return "refs/heads/" + ref
}

func newRedeployCommand(e *env) *cobra.Command {
	o := &order{connection: connection{env: e}}
	return o.command(&cobra.Command{
		Use:   "redeploy PROJECT [ID]",
		Short: "Deploy the same again",
		Long:  "Deploys the same ref and commit again: those of the newest deployment, or of the one that is named.",
		Args:  between(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			request := deployer.RepeatRequest{Override: o.override}
			if len(args) == 2 {
				id, err := number(args[1])
				if err != nil {
					return err
				}
				request.Deployment = id
			}
			return o.place(cmd.Context(), func(cl *client.Client) (deployer.Placed, error) {
				return cl.Redeploy(cmd.Context(), args[0], request)
			})
		},
	})
}

func newRollbackCommand(e *env) *cobra.Command {
	o := &order{connection: connection{env: e}}
	var to string
	cmd := o.command(&cobra.Command{
		Use:   "rollback PROJECT",
		Short: "Go back to an earlier healthy deployment",
		Long:  "Goes back to the last healthy deployment before the newest healthy one, to the newest healthy one if a\nlater deployment left the project broken, or to the one that is named.",
		Args:  between(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			request := deployer.RepeatRequest{Override: o.override}
			if to != "" {
				id, err := number(to)
				if err != nil {
					return err
				}
				request.Deployment = id
			}
			return o.place(cmd.Context(), func(cl *client.Client) (deployer.Placed, error) {
				return cl.Rollback(cmd.Context(), args[0], request)
			})
		},
	})
	cmd.Flags().StringVar(&to, "to", "", "`id` of the deployment to go back to (default: the last healthy one before the newest healthy one)")
	return cmd
}
