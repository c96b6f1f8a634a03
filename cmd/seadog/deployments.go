package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seadog/seadog/deployer"
)

func newDeploymentsCommand(e *env) *cobra.Command {
	c := &connection{env: e}
	var f deployer.DeploymentFilter
	var statuses []string
	cmd := c.command(&cobra.Command{
		Use:               "deployments [ID]",
		Short:             "List deployments, newest first, or show one with its steps",
		Args:              between(0, 1),
		ValidArgsFunction: c.deploymentIDs(),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if f.Statuses, err = parseStatuses(statuses); err != nil {
				return err
			}
			if len(args) == 1 {
				return c.showDeployment(cmd, args[0])
			}
			cl, err := c.open()
			if err != nil {
				return err
			}
			defer cl.Close()
			list, err := cl.Deployments(cmd.Context(), f)
			if err != nil {
				return err
			}
			return c.show(list, func(t *terminal) error {
				if err := showDeployments(t, time.Now(), list.Deployments); err != nil || list.Next == 0 {
					return err
				}
				return t.printf("%s", t.paint(dim, fmt.Sprintf("older ones: --before %d", list.Next)))
			})
		},
	})
	cmd.Flags().StringVar(&f.Project, "project", "", "only this project's")
	cmd.Flags().StringSliceVar(&statuses, "status", nil, "only in these statuses, separated by commas")
	cmd.Flags().Int64Var(&f.Before, "before", 0, "only those with a lower id")
	cmd.Flags().IntVar(&f.Limit, "limit", 0, "at most this many, up to 500 (default 50)")
	return cmd
}

func parseStatuses(names []string) ([]deployer.Status, error) {
	statuses := make([]deployer.Status, len(names))
	for i, name := range names {
		statuses[i] = deployer.Status(name)
		if !slices.Contains(deployer.Statuses(), statuses[i]) {
			return nil, deployer.Errorf(deployer.CodeInvalid, "%q is no status", name).
				WithHint("one of %s", joined(deployer.Statuses()))
		}
	}
	return statuses, nil
}

func joined[T ~string](list []T) string {
	texts := make([]string, len(list))
	for i, s := range list {
		texts[i] = string(s)
	}
	return strings.Join(texts, ", ")
}

func (c *connection) showDeployment(cmd *cobra.Command, arg string) error {
	id, err := number(arg)
	if err != nil {
		return err
	}
	cl, err := c.open()
	if err != nil {
		return err
	}
	defer cl.Close()
	d, err := cl.Deployment(cmd.Context(), id)
	if err != nil {
		return err
	}
	return c.show(d, func(t *terminal) error { return showDetail(t, time.Now(), d) })
}

// showDetail prints everything about one deployment.
func showDetail(t *terminal, now time.Time, d deployer.Deployment) error {
	status := statusCell(d)
	f := fields{
		{"deployment", strconv.FormatInt(d.ID, 10)},
		{"project", d.Project},
		{"status", status.text},
		{"reason", d.Reason},
		{"left behind", aftermath(d.Outcome)},
		{"ref", d.Ref},
		{"commit", d.Commit},
		{"message", d.Message},
		{"by", author(d)},
		{"created", fmt.Sprintf("%s (%s)", d.CreatedAt.Local().Format(time.DateTime), ago(now, d.CreatedAt))},
		{"took", took(d, now)},
	}
	if d.Coalesced > 0 {
		f = append(f, [2]string{"stands for", fmt.Sprintf("%d pushes", d.Coalesced+1)})
	}
	if d.Origin != 0 {
		f = append(f, [2]string{"origin", fmt.Sprintf("deployment %d", d.Origin)})
	}
	if d.SupersededBy != 0 {
		f = append(f, [2]string{"superseded by", fmt.Sprintf("deployment %d", d.SupersededBy)})
	}
	if d.CancelBy != "" {
		f = append(f, [2]string{"canceled by", d.CancelBy})
	}
	if err := f.print(t); err != nil || len(d.Steps) == 0 {
		return err
	}
	tb := table{header: []string{"STEP", "TOOK", "RESULT"}}
	for _, s := range d.Steps {
		result, end := cell{"running", cyan}, now
		if s.FinishedAt != nil {
			result, end = cell{"ok", green}, *s.FinishedAt
		}
		if s.Error != "" {
			result = cell{s.Error, red}
		}
		tb.add(cell{string(s.Step), bold}, cell{length(end.Sub(s.StartedAt)), plain}, result)
	}
	return tb.print(t)
}
