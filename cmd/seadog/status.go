package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seadog/seadog/deployer"
)

func newStatusCommand(e *env) *cobra.Command {
	c := &connection{env: e}
	return c.command(&cobra.Command{
		Use:               "status [PROJECT]",
		Short:             "Show what runs, what waits and what ended last",
		Args:              between(0, 1),
		ValidArgsFunction: c.projectNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := c.open()
			if err != nil {
				return err
			}
			defer cl.Close()
			if len(args) == 1 {
				state, err := cl.Project(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return c.show(state, func(t *terminal) error { return showProject(t, state) })
			}
			overview, err := cl.Overview(cmd.Context())
			if err != nil {
				return err
			}
			return c.show(overview, func(t *terminal) error { return showOverview(t, overview) })
		},
	})
}

func showOverview(t *terminal, o deployer.Overview) error {
	line := fmt.Sprintf("seadog %s: %d running, %d queued", o.Version, o.Running, o.Queued)
	if o.OldestQueued != nil {
		line += ", the oldest waits for " + length(o.Time.Sub(*o.OldestQueued))
	}
	if err := t.printf("%s", t.paint(bold, printable(line))); err != nil {
		return err
	}
	for _, l := range o.Locks {
		if err := t.printf("%s", t.paint(yellow, printable(l.Project+" is "+l.String()))); err != nil {
			return err
		}
	}
	if len(o.Deployments) == 0 {
		return t.printf("Nothing was deployed yet.")
	}
	return showDeployments(t, o.Time, o.Deployments)
}

func showProject(t *terminal, p deployer.ProjectState) error {
	f := fields{
		{"project", p.Name}, {"repository", p.Repository}, {"hook", fmt.Sprintf("%s (%s)", p.Hook, p.Provider)},
	}
	if p.Lock != nil {
		f = append(f, [2]string{"lock", p.Lock.String()})
	}
	if p.Healthy != nil {
		f = append(f, [2]string{"healthy", fmt.Sprintf("deployment %d, %s", p.Healthy.ID, revision(*p.Healthy))})
	}
	if err := f.print(t); err != nil {
		return err
	}
	var listed []deployer.Deployment
	for _, d := range []*deployer.Deployment{p.Pending, p.Running, p.Last} {
		if d != nil {
			listed = append(listed, *d)
		}
	}
	if len(listed) == 0 {
		return t.printf("Nothing was deployed yet.")
	}
	return showDeployments(t, time.Now(), listed)
}

// showDeployments prints one line per deployment.
func showDeployments(t *terminal, now time.Time, list []deployer.Deployment) error {
	tb := table{empty: "No deployments.", header: []string{"ID", "PROJECT", "STATUS", "REF", "COMMIT", "BY", "CREATED", "TOOK", "REASON"}}
	for _, d := range list {
		tb.add(cell{strconv.FormatInt(d.ID, 10), bold}, cell{d.Project, plain}, statusCell(d), cell{shortRef(d.Ref), plain},
			cell{shortCommit(d.Commit), plain}, cell{author(d), dim}, cell{ago(now, d.CreatedAt), plain}, cell{took(d, now), plain}, cell{d.Reason, plain})
	}
	return tb.print(t)
}

// author says who or what asked for a deployment.
func author(d deployer.Deployment) string {
	if d.Trigger == deployer.TriggerPush || d.Trigger == deployer.TriggerManual || d.Trigger == "" {
		return d.By
	}
	return strings.TrimSuffix(string(d.Trigger)+" by "+d.By, " by ")
}

// fields are labelled values; empty ones are left out.
type fields [][2]string

func (f fields) print(t *terminal) error {
	widest := 0
	for _, kv := range f {
		widest = max(widest, len(kv[0]))
	}
	for _, kv := range f {
		if kv[1] == "" {
			continue
		}
		if err := t.printf("%s  %s", t.paint(dim, fmt.Sprintf("%-*s", widest, kv[0])), printable(kv[1])); err != nil {
			return err
		}
	}
	return nil
}
