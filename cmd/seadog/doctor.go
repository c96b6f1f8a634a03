package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seadog/seadog/cmd/seadog/config"
	"github.com/seadog/seadog/cmd/seadog/doctor"
)

// newDoctorCommand builds "seadog doctor".
func newDoctorCommand(e *env) *cobra.Command {
	var asJSON bool
	var path string
	cmd := &cobra.Command{
		Use:   "doctor [URL|ADDRESS]...",
		Short: "Examine the surroundings: engine, Compose, git, disk, limits, ports, protocols",
		Long: `Examine what deployments depend on, and say what to do about each finding.

With URL or ADDRESS (http://…, https://…, uwsgi://host:port, host:port,
unix:/path) only those are examined: what really speaks there? It finds an
HTTP port that is spoken to in uwsgi and the reverse, TLS where plain text is
expected and the reverse, and listeners that accept and say nothing.

Without, everything is: the configuration is used if there is a valid one.
Nothing is changed, and nothing takes longer than 10 seconds.

Exit codes:
  0  nothing that keeps deployments from working
  1  at least one finding says fail`,
		RunE: func(cmd *cobra.Command, args []string) error {
			examination := doctor.Config{Getenv: e.Getenv, Targets: args}
			if len(args) == 0 {
				surroundings(e, path, &examination)
			}
			findings := doctor.Examine(cmd.Context(), examination)
			if err := showFindings(e, findings, asJSON); err != nil {
				return err
			}
			if doctor.Worst(findings) == doctor.Fail {
				return &exitError{Code: exitFailed}
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&path, "config", "c", "", "configuration `file` (default $SEADOG_CONFIG, ./seadog.yml, /etc/seadog/seadog.yml)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	return cmd
}

// surroundings fills in what the configuration names. Without a valid one the
// defaults are examined: whoever calls a doctor may be ill.
func surroundings(e *env, path string, x *doctor.Config) {
	x.Everything = true
	c, err := config.Load(path, config.Options{Getenv: e.Getenv, Insecure: true})
	if err != nil {
		first := err
		var problems config.Problems
		if errors.As(err, &problems) {
			first = problems[0]
		}
		x.Unconfigured = first.Error()
		return
	}
	for _, l := range append(c.Listen, c.Admin) {
		if l.Network == "tcp" {
			x.Ports = append(x.Ports, l.Address)
		}
	}
	for _, p := range c.Projects {
		for _, probe := range p.Health.Probes {
			if probe.HTTP != "" {
				x.Upstreams = append(x.Upstreams, probe.HTTP)
			}
		}
	}
	x.Data, x.DockerHost, x.Descriptors = c.Data, c.Docker.Host, c.Limits.Connections
}

func showFindings(e *env, findings []doctor.Finding, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(e.Stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(findings)
	}
	t := terminalOf(e, e.Stdout)
	styles := map[doctor.Level]style{doctor.OK: green, doctor.Warn: yellow, doctor.Fail: red}
	width := 0
	for _, f := range findings {
		width = max(width, len(f.Name))
	}
	for _, f := range findings {
		line := fmt.Sprintf("%s  %-*s  %s", t.paint(styles[f.Level], fmt.Sprintf("%-4s", f.Level)), width, printable(f.Name), printable(f.What))
		if f.Do != "" {
			line += "\n" + strings.Repeat(" ", 6+width+2) + t.paint(bold, "→ "+printable(f.Do))
		}
		if _, err := io.WriteString(e.Stdout, line+"\n"); err != nil {
			return err
		}
	}
	return nil
}
