package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/seadog/seadog/deployer"
)

func newProjectsCommand(e *env) *cobra.Command {
	c := &connection{env: e}
	return c.command(&cobra.Command{
		Use:   "projects",
		Short: "List the projects and where each stands",
		Args:  between(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := c.open()
			if err != nil {
				return err
			}
			defer cl.Close()
			list, err := cl.Projects(cmd.Context())
			if err != nil {
				return err
			}
			return c.show(list, func(t *terminal) error { return showProjects(t, list.Projects) })
		},
	})
}

func showProjects(t *terminal, projects []deployer.ProjectState) error {
	now := time.Now()
	tb := table{empty: "No projects.", header: []string{"PROJECT", "STATUS", "LIVE", "SINCE", "HOOK", "PROVIDER", "LOCK"}}
	for _, p := range projects {
		status, live, since, lock := cell{"never deployed", dim}, "", "", ""
		for _, d := range []*deployer.Deployment{p.Running, p.Pending, p.Last} {
			if d != nil {
				status = statusCell(*d)
				break
			}
		}
		if h := p.Healthy; h != nil {
			live = revision(*h)
			if h.FinishedAt != nil {
				since = ago(now, *h.FinishedAt)
			}
		}
		if p.Lock != nil {
			lock = p.Lock.String()
		}
		tb.add(cell{p.Name, bold}, status, cell{live, plain}, cell{since, plain},
			cell{p.Hook, plain}, cell{string(p.Provider), plain}, cell{lock, yellow})
	}
	return tb.print(t)
}
