package main

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/seadog/seadog/deployer"
)

func newDeliveriesCommand(e *env) *cobra.Command {
	c := &connection{env: e}
	var f deployer.DeliveryFilter
	var verdict string
	cmd := c.command(&cobra.Command{
		Use:   "deliveries [ID]",
		Short: "Say what became of each webhook, and why",
		Long: `Answers "why did, or didn't, it deploy?": lists the webhooks that were received,
newest first, with the decision about every project that each concerns.`,
		Args: between(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.Verdict = deployer.Verdict(verdict)
			if verdict != "" && !slices.Contains(deployer.Verdicts(), f.Verdict) {
				return deployer.Errorf(deployer.CodeInvalid, "%q is no verdict", verdict).
					WithHint("one of %s", joined(deployer.Verdicts()))
			}
			if len(args) == 1 {
				return c.showDelivery(cmd, args[0])
			}
			cl, err := c.open()
			if err != nil {
				return err
			}
			defer cl.Close()
			list, err := cl.Deliveries(cmd.Context(), f)
			if err != nil {
				return err
			}
			return c.show(list, func(t *terminal) error {
				if err := showDeliveries(t, time.Now(), list.Deliveries); err != nil || list.Next == 0 {
					return err
				}
				return t.printf("%s", t.paint(dim, fmt.Sprintf("older ones: --before %d", list.Next)))
			})
		},
	})
	cmd.Flags().StringVar(&f.Project, "project", "", "only those that concern this project")
	cmd.Flags().StringVar(&verdict, "verdict", "", "only those with this decision: "+joined(deployer.Verdicts()))
	cmd.Flags().Int64Var(&f.Before, "before", 0, "only those with a lower id")
	cmd.Flags().IntVar(&f.Limit, "limit", 0, "at most this many, up to 500 (default 50)")
	return cmd
}

func showDeliveries(t *terminal, now time.Time, list []deployer.Delivery) error {
	tb := table{empty: "No deliveries.", header: []string{"ID", "RECEIVED", "HOOK", "EVENT", "PROJECT", "REF", "COMMIT", "DECISION"}}
	for _, d := range list {
		id, received, hook, event := strconv.FormatInt(d.ID, 10), ago(now, d.ReceivedAt), d.Hook, d.Event
		for _, v := range d.Decisions {
			tb.add(cell{id, bold}, cell{received, plain}, cell{hook, plain}, cell{event, plain}, cell{v.Project, plain},
				cell{shortRef(v.Ref), plain}, cell{shortCommit(v.Commit), plain}, cell{decisionLine(v), verdictStyle(v.Verdict)})
			id, received, hook, event = "", "", "", ""
		}
	}
	return tb.print(t)
}

func (c *connection) showDelivery(cmd *cobra.Command, arg string) error {
	id, err := number(arg)
	if err != nil {
		return err
	}
	cl, err := c.open()
	if err != nil {
		return err
	}
	defer cl.Close()
	d, err := cl.Delivery(cmd.Context(), id)
	if err != nil {
		return err
	}
	return c.show(d, func(t *terminal) error {
		f := fields{
			{"delivery", strconv.FormatInt(d.ID, 10)},
			{"received", fmt.Sprintf("%s (%s)", d.ReceivedAt.Local().Format(time.DateTime), ago(time.Now(), d.ReceivedAt))},
			{"hook", fmt.Sprintf("%s (%s)", d.Hook, d.Provider)},
			{"event", d.Event},
			{"sender's id", d.ExternalID},
			{"bytes", strconv.Itoa(d.Bytes)},
		}
		for _, v := range d.Decisions {
			about := deployer.Deployment{Ref: v.Ref, Commit: v.Commit}
			f = append(f, [2]string{"decision", because(v.Project, decisionLine(v))}, [2]string{"  about", revision(about)})
		}
		return f.print(t)
	})
}
