package main

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/watchdog"
	"github.com/seadog/seadog/watchdog/journal"
)

const incidentExitCodes = `

Exit codes:
  0  shown; there may be none
  1  the incident is there, but it cannot be read
  2  wrong usage
  3  no such incident, or no such directory
  5  this user may not read them`

func newIncidentsCommand(e *env) *cobra.Command {
	d := &data{env: e}
	var f journal.Filter
	var since string
	cmd := d.command(&cobra.Command{
		Use:   "incidents [ID|REQUEST]",
		Short: "Say what the watchdog gave up or killed, why, and who was hurt",
		Long: `Lists what the watchdog gave up or killed, newest first. With the id of an
incident, the beginning of one, or the id of a request that was hurt by one, it
tells all that is known: the verdict, who was stuck, what was done, and the
evidence.

It reads files, so it works when the service is down.`,
		Args: between(0, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir, err := d.path(incidentsDir)
			if err != nil {
				return err
			}
			if len(args) == 1 {
				return d.showIncident(dir, args[0])
			}
			if f.Since, err = moment(since, time.Now()); err != nil {
				return err
			}
			return d.listIncidents(dir, f)
		},
	}, incidentExitCodes)
	cmd.Flags().IntVar(&f.Limit, "limit", 20, "at most this many; 0 is all")
	cmd.Flags().StringVar(&since, "since", "", "only those that were noticed since then: 90m, 12h, 7d or a date")
	cmd.Flags().StringVar(&f.Pool, "pool", "", "only those of this pool")
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
		return d.completeIncidents(args, prefix), cobra.ShellCompDirectiveNoFileComp
	}
	return cmd
}

// moment reads how long ago, or when, something was; "" is the zero time.
func moment(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return now.AddDate(0, 0, -int(n)), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateTime, "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, deployer.Errorf(deployer.CodeInvalid, "%q is no time", text).WithHint(`write 90m, 12h, 7d, "2026-01-31" or "2026-01-31 14:05"`)
}

func (d *data) listIncidents(dir string, f journal.Filter) error {
	found, err := journal.List(dir, f)
	if err != nil {
		return d.explain(err)
	}
	if d.json {
		return d.printJSON(struct {
			Incidents []watchdog.Incident `json:"incidents"`
		}{append([]watchdog.Incident{}, found...)})
	}
	tb := table{empty: "No incidents.", header: []string{"TIME", "ID", "SEVERITY", "WORKER", "REASON", "VERDICT"}}
	for _, i := range found {
		tb.add(cell{i.Time.Local().Format("01-02 15:04:05"), dim}, cell{i.ID, bold}, severityCell(i),
			cell{workerName(i), plain}, cell{words(i.Reason), plain}, cell{i.Verdict, plain})
	}
	t := terminalOf(d.env, d.env.Stdout)
	if err := tb.print(t); err != nil || len(found) == 0 {
		return err
	}
	more := "`seadog incidents ID` tells all about one"
	if len(found) == f.Limit {
		more += "; --limit 0 lists older ones too"
	}
	return t.printf("%s", t.paint(dim, more))
}

func severityCell(i watchdog.Incident) cell {
	if i.Severity == watchdog.Killing {
		return cell{string(i.Severity), red}
	}
	return cell{string(i.Severity), yellow}
}

func workerName(i watchdog.Incident) string {
	return placeName(watchdog.ID{Pool: i.Pool, Index: i.Index})
}

func (d *data) showIncident(dir, name string) error {
	i, dump, err := findIncident(dir, name)
	switch {
	case errors.Is(err, journal.ErrNotFound):
		return deployer.Errorf(deployer.CodeNotFound, "no incident %s, and none that hurt a request of that id", name).
			WithHint("`seadog incidents` lists those that are kept; old ones make room for new ones")
	case errors.Is(err, journal.ErrAmbiguous):
		return deployer.Errorf(deployer.CodeInvalid, "%v", err).WithHint("write more of its id")
	case errors.Is(err, journal.ErrDamaged):
		return &exitError{Code: exitFailed, Err: err}
	case err != nil:
		return d.explain(err)
	}
	if d.json {
		return d.printJSON(struct {
			watchdog.Incident
			DumpPath string `json:"dump_path,omitempty"`
		}{i, dump})
	}
	p := incidentPage{incident: i, dump: dump, now: time.Now(), zone: time.Local, terminal: terminalOf(d.env, d.env.Stdout)}
	return p.print()
}

// findIncident takes the id of an incident, the beginning of one, or the id of
// a request; of several incidents that name the request, the newest.
func findIncident(dir, name string) (watchdog.Incident, string, error) {
	i, dump, err := journal.Load(dir, name)
	if !errors.Is(err, journal.ErrNotFound) && !errors.Is(err, journal.ErrAmbiguous) {
		return i, dump, err
	}
	all, listed := journal.List(dir, journal.Filter{})
	if listed != nil {
		return watchdog.Incident{}, "", listed
	}
	at := slices.IndexFunc(all, func(i watchdog.Incident) bool {
		return slices.ContainsFunc(slices.Concat(i.Stuck, i.Lost), func(s watchdog.Stuck) bool { return s.Request == name })
	})
	if at < 0 || name == "" {
		return watchdog.Incident{}, "", err
	}
	return journal.Load(dir, all[at].ID)
}

func (d *data) completeIncidents(args []string, prefix string) []string {
	if len(args) > 0 {
		return nil
	}
	dir, err := d.path(incidentsDir)
	if err != nil {
		return nil
	}
	all, err := journal.List(dir, journal.Filter{})
	if err != nil {
		return nil
	}
	var fitting []string
	for _, i := range all {
		if strings.HasPrefix(i.ID, prefix) {
			fitting = append(fitting, i.ID+"\t"+printable(workerName(i)+" "+i.Reason))
		}
	}
	return fitting
}
