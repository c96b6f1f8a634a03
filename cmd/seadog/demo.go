package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/seadog/seadog/cmd/seadog/demo"
)

func newDemoCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Show everything once: pushes, deployments, a broken one, its rollback",
		Long: `Makes a sample repository with a Compose project, starts the service on the
embedded store, sends signed pushes as GitHub would, shows the live log and the
running container, pushes a broken version and shows the rollback. Needs git
and a Docker Engine with Compose. Stops everything and leaves nothing behind.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			executable, err := os.Executable()
			if err != nil {
				return err
			}
			if err := demo.Run(cmd.Context(), demo.Config{Executable: executable, Out: e.Stdout}); err != nil {
				return err
			}
			fmt.Fprintln(e.Stdout, "\ndemo: ok")
			return nil
		},
	}
}

// newDemoSiteCommand is what sample containers, and the builds of their images, run.
func newDemoSiteCommand(e *env) *cobra.Command {
	var health, idle bool
	var lines int
	cmd := &cobra.Command{
		Use:    "demo-site",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case lines > 0:
				return demo.Chatter(e.Stdout, lines)
			case idle:
				<-cmd.Context().Done()
				return nil
			case health:
				return demo.SiteHealth(cmd.Context())
			}
			return demo.Site(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&health, "health", false, "ask the site that runs beside this process")
	cmd.Flags().BoolVar(&idle, "idle", false, "serve nothing, and run")
	cmd.Flags().IntVar(&lines, "lines", 0, "print so many lines, and end")
	return cmd
}
