package main

import (
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker; builds without it tell the commit.
var version string

func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "devel"
}

func newRootCommand(e *env) *cobra.Command {
	root := &cobra.Command{
		Use:   "seadog",
		Short: "Deploys Docker Compose projects when they are pushed to, and never hangs",
		Long: `seadog takes signed Git webhooks, deploys Docker Compose projects, checks that
they are healthy, and goes back if they are not. Nothing that it starts can
outlive its deadline.`,
		Version:       versionText(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddGroup(
		&cobra.Group{ID: "service", Title: "The service:"},
		&cobra.Group{ID: "drive", Title: "Drive and watch a running service:"},
	)
	for _, c := range []*cobra.Command{
		newServeCommand(e), newInitCommand(e), newCheckCommand(e), newDoctorCommand(e), newDemoCommand(e),
		newTopCommand(e), newIncidentsCommand(e), newDumpCommand(e), newLabCommand(e), newLoadCommand(e), newSoakCommand(e),
	} {
		c.GroupID = "service"
		root.AddCommand(c)
	}
	for _, c := range []*cobra.Command{
		newDeployCommand(e), newRedeployCommand(e), newRollbackCommand(e), newCancelCommand(e),
		newLockCommand(e), newUnlockCommand(e), newStatusCommand(e), newLogsCommand(e),
		newProjectsCommand(e), newDeploymentsCommand(e), newDeliveriesCommand(e),
	} {
		c.GroupID = "drive"
		root.AddCommand(c)
	}
	root.AddCommand(newWorkerCommand(e), newProtocolCommand(e), newDemoSiteCommand(e), newLoadHelperCommand(e))
	return root
}
